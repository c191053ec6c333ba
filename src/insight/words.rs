//! Readings, summaries and reasons in words, for the member whose they are.

pub use super::questionnaire::{answer, total};
use super::{measured, questionnaire};
use crate::consent::decide::DenyReason;
use crate::domain::activity::{Activity, Deed};
use crate::domain::category::Detail;
use crate::domain::decimal::Decimal;
use crate::domain::language::Language;
use crate::domain::measurement::Measurement;
use crate::domain::reading::{Measure, Mood, Reading};
use crate::domain::summary::{Figures, Scale, Summary};

use Language::{En, Ru};

/// What a reading says.
#[must_use]
pub fn reading(reading: &Reading, language: Language) -> String {
    match (&reading.measure, language) {
        (Measure::Mood(it), _) => mood(it, language),
        (Measure::Note(text), En) => format!("Note: {text}"),
        (Measure::Note(text), Ru) => format!("Заметка: {text}"),
        (Measure::Tags(tags), En) => format!("Tags: {}", tags.join(", ")),
        (Measure::Tags(tags), Ru) => format!("Метки: {}", tags.join(", ")),
        (Measure::Measurement(it), _) => measurement(it, language),
        (Measure::Questionnaire(it), _) => questionnaire::reading(it, language),
        (Measure::Deed(deed), _) => deeds(&[*deed], language),
        (Measure::Agenda(text), En) => format!("To talk about: {}", if text.is_empty() { "–" } else { text }),
        (Measure::Agenda(text), Ru) => format!("Поговорить о том: {}", if text.is_empty() { "–" } else { text }),
    }
}

/// What happened in the community, so often each.
#[must_use]
pub fn deeds(deeds: &[Deed], language: Language) -> String {
    let title = match language {
        En => "In my community",
        Ru => "В моём сообществе",
    };
    let times = |deed: Deed| (deed, deeds.iter().filter(|other| **other == deed).count());
    let happened = Deed::ALL.map(times).into_iter().filter(|(_, times)| *times > 0);
    let happened: Vec<String> = happened.map(|(it, times)| format!("{} × {times}", deed(it, language))).collect();
    format!("{title}: {}", happened.join(", "))
}

const fn deed(deed: Deed, language: Language) -> &'static str {
    match (deed, language) {
        (Deed::Posted, En) => "I wrote",
        (Deed::Posted, Ru) => "мои записи",
        (Deed::Replied, En) => "I replied",
        (Deed::Replied, Ru) => "мои ответы",
        (Deed::GotReply, En) => "a reply to me",
        (Deed::GotReply, Ru) => "ответы мне",
        (Deed::Reacted, En) => "I reacted",
        (Deed::Reacted, Ru) => "мои реакции",
        (Deed::GotReaction, En) => "a reaction to me",
        (Deed::GotReaction, Ru) => "реакции мне",
    }
}

fn measurement(it: &Measurement, language: Language) -> String {
    let said = format!("{}: {} {}", measured::name(it.of, language), it.value, measured::unit(it.of, language));
    let device = it.device.as_ref().map_or_else(String::new, |device| format!(" ({device})"));
    format!("{}{device}", said.trim_end())
}

fn mood(mood: &Mood, language: Language) -> String {
    let rating = mood.rating.as_ref().map(|rating| {
        let bounds = scale(&Scale::Rating { worst: rating.worst.clone(), best: rating.best.clone() }, language);
        format!("{} ({bounds})", rating.value)
    });
    let valence = mood.state_of_mind.as_ref().map(|state| {
        let bounds = scale(&Scale::Valence(state.kind), language);
        format!("{} ({bounds})", state.valence)
    });
    let said: Vec<String> = rating.into_iter().chain(valence).chain(mood.label.clone()).collect();
    let title = match language {
        En => "Mood",
        Ru => "Настроение",
    };
    format!("{title}: {}", said.join("; "))
}

/// What stands on a scale.
#[must_use]
pub const fn title(scale: &Scale, language: Language) -> &'static str {
    match (scale, language) {
        (Scale::Measured(of), _) => measured::name(*of, language),
        (Scale::Score(of), _) => of.title(),
        (Scale::Rating { .. } | Scale::Valence(_), En) => "Mood",
        (Scale::Rating { .. } | Scale::Valence(_), Ru) => "Настроение",
    }
}

/// The bounds of a scale; of what was measured, its unit.
#[must_use]
pub fn scale(scale: &Scale, language: Language) -> String {
    match (scale, language) {
        (Scale::Rating { worst, best }, En) => format!("{worst} is the worst, {best} the best"),
        (Scale::Rating { worst, best }, Ru) => format!("{worst} – хуже всего, {best} – лучше всего"),
        (Scale::Valence(_), En) => "-1 is very unpleasant, 1 very pleasant".to_owned(),
        (Scale::Valence(_), Ru) => "-1 – очень неприятно, 1 – очень приятно".to_owned(),
        (Scale::Measured(of), _) => measured::unit(*of, language).to_owned(),
        (Scale::Score(of), _) => questionnaire::scale(*of, language),
    }
}

/// What a summary says.
#[must_use]
pub fn summary(summary: &Summary, language: Language) -> String {
    let title = match (summary.detail, language) {
        (Detail::WeeklySummary, En) => "Summary of a week",
        (Detail::WeeklySummary, Ru) => "Итог недели",
        (Detail::DailySummary | Detail::EveryEntry, En) => "Summary of a day",
        (Detail::DailySummary | Detail::EveryEntry, Ru) => "Итог дня",
    };
    let what = match (&summary.figures, language) {
        (Figures::Numbers(Scale::Measured(of), _), _) => measured::name(*of, language),
        (Figures::Numbers(Scale::Score(of), _), _) => of.title(),
        (Figures::Numbers(..), En) => "mood",
        (Figures::Numbers(..), Ru) => "настроение",
        (Figures::Tags { .. }, En) => "tags",
        (Figures::Tags { .. }, Ru) => "метки",
        (Figures::Activity(it), _) => return format!("{title}, {}", counted(it, language)),
    };
    let (entries, missing) = (summary.entries, summary.days_missing);
    let counts = match language {
        En => format!("entries: {entries}; days without an entry: {missing}"),
        Ru => format!("записей: {entries}; дней без записей: {missing}"),
    };
    format!("{title}, {what}: {counts}; {}", figures(&summary.figures, language))
}

fn counted(it: &Activity, language: Language) -> String {
    let Activity { posts, replies_given, replies_received, reactions_given, reactions_received, .. } = it;
    let Activity { active_days, night_hours, longest_silence, .. } = it;
    match language {
        En => format!(
            "community: posts {posts}; replies given {replies_given}, received {replies_received}; reactions given \
             {reactions_given}, received {reactions_received}; days with activity {active_days}; hours between 00:00 and \
             05:00 {night_hours}; longest silence {longest_silence} h"
        ),
        Ru => format!(
            "сообщество: записей {posts}; ответов дано {replies_given}, получено {replies_received}; реакций дано \
             {reactions_given}, получено {reactions_received}; активных дней {active_days}; часов между 00:00 и 05:00 \
             {night_hours}; самое долгое молчание {longest_silence} ч"
        ),
    }
}

fn figures(figures: &Figures, language: Language) -> String {
    match figures {
        Figures::Numbers(of, spread) => {
            let mean = spread.mean.as_ref().map_or("–", Decimal::as_str);
            let (least, most, bounds) = (&spread.least, &spread.most, scale(of, language));
            let bounds = if bounds.is_empty() { bounds } else { format!(" ({bounds})") };
            match language {
                En => format!("mean {mean}, from {least} to {most}{bounds}"),
                Ru => format!("в среднем {mean}, от {least} до {most}{bounds}"),
            }
        }
        Figures::Tags { counts, left_out } => {
            let counts: Vec<String> = counts.iter().map(|it| format!("{} × {}", it.entries, it.tag)).collect();
            let more = match (left_out, language) {
                (0, _) => String::new(),
                (more, En) => format!(", and {more} rarer ones"),
                (more, Ru) => format!(" и ещё {more} более редких"),
            };
            format!("{}{more}", counts.join(", "))
        }
        Figures::Activity(it) => counted(it, language),
    }
}

/// Why something does not go.
#[must_use]
pub const fn reason(reason: DenyReason, language: Language) -> &'static str {
    match (reason, language) {
        (DenyReason::NoPolicy | DenyReason::DecisionTooOld, En) => "Nothing lets it go without your consent.",
        (DenyReason::NoPolicy | DenyReason::DecisionTooOld, Ru) => "Без вашего согласия это отправить нельзя.",
        (DenyReason::NoGrant, En) => "You have not shared anything with this clinic.",
        (DenyReason::NoGrant, Ru) => "Вы ничем не делитесь с этой клиникой.",
        (DenyReason::Ended, En) => "You have taken this consent back.",
        (DenyReason::Ended, Ru) => "Вы отозвали это согласие.",
        (DenyReason::Expired, En) => "This consent has run out.",
        (DenyReason::Expired, Ru) => "Срок этого согласия истёк.",
        (DenyReason::NotYetValid, En) => "This consent has not begun yet.",
        (DenyReason::NotYetValid, Ru) => "Это согласие ещё не действует.",
        (DenyReason::DirectionNotGranted | DenyReason::PurposeNotGranted, En) => "This consent is for something else.",
        (DenyReason::DirectionNotGranted | DenyReason::PurposeNotGranted, Ru) => "Это согласие дано для другого.",
        (DenyReason::RecipientNotNamed, En) => "This consent is for one person at the clinic.",
        (DenyReason::RecipientNotNamed, Ru) => "Это согласие дано одному человеку в клинике.",
        (DenyReason::CategoryNotShared, En) => "You do not share this.",
        (DenyReason::CategoryNotShared, Ru) => "Этим вы не делитесь.",
        (DenyReason::SummaryOnly, En) => "You share summaries only, and free text is in none.",
        (DenyReason::SummaryOnly, Ru) => "Вы делитесь только итогами, а тексты в них не входят.",
        (DenyReason::LabelWithheld, En) => "It is marked as something that you do not share.",
        (DenyReason::LabelWithheld, Ru) => "Это помечено как то, чем вы не делитесь.",
        (DenyReason::BeforeDataPeriod, En) => "It is older than what you share.",
        (DenyReason::BeforeDataPeriod, Ru) => "Это было раньше, чем начинается то, чем вы делитесь.",
        (DenyReason::Paused, En) => "Your consent is paused.",
        (DenyReason::Paused, Ru) => "Ваше согласие приостановлено.",
    }
}
