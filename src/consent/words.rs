//! Consent in plain words, for receipts, for the clinic's copy, and for whoever shows it to people.

use jiff::Timestamp;

use crate::domain::category::{Category, Detail};
use crate::domain::consented::{Change, Method};
use crate::domain::grant::{Grant, GrantState, Purpose, Terms, WayBack};
use crate::domain::label::Label;
use crate::domain::language::Language;

/// A line: what it is about, and what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What it is about.
    pub name: &'static str,
    /// What it says.
    pub value: String,
}

/// What terms say, line by line. `practitioner` is what the one is called whom they are for.
#[must_use]
pub fn terms(terms: &Terms, practitioner: Option<&str>, language: Language) -> Vec<Row> {
    let shared = terms
        .categories
        .iter()
        .map(|(shared, finely)| format!("{}: {}", category(*shared, language), detail(*finely, language)));
    let purposes = terms.purposes.iter().map(|named| purpose(*named, language));
    let name = |english, russian| either(language, english, russian);
    let mut rows = vec![
        Row { name: name("Shared", "Показывается"), value: shared.collect::<Vec<_>>().join("; ") },
        Row { name: name("What for", "Для чего"), value: purposes.collect::<Vec<_>>().join(", ") },
        Row { name: name("From", "С"), value: instant(terms.valid_from) },
        Row { name: name("Until", "До"), value: instant(terms.valid_until) },
    ];
    if let Some(named) = practitioner {
        rows.push(Row { name: name("Addressed to", "Адресовано"), value: named.to_owned() });
    }
    if let Some(from) = terms.data_from {
        rows.push(Row { name: name("Only data since", "Только данные с"), value: instant(from) });
    }
    if !terms.withheld.is_empty() {
        let labels = terms.withheld.iter().map(|withheld| label(*withheld, language));
        let value = labels.collect::<Vec<_>>().join(", ");
        rows.push(Row { name: name("Never shared", "Не показывается никогда"), value });
    }
    let back = way_back(terms.way_back, language).to_owned();
    rows.push(Row {
        name: name("Comes back from the clinic", "Возвращается из клиники"), value: back
    });
    rows
}

/// To the minute, in UTC: it is read anywhere.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// One of two texts.
const fn either(language: Language, english: &'static str, russian: &'static str) -> &'static str {
    match language {
        Language::En => english,
        Language::Ru => russian,
    }
}

/// What a category is called.
#[must_use]
pub const fn category(category: Category, language: Language) -> &'static str {
    match category {
        Category::Mood => either(language, "Mood", "Настроение"),
        Category::Note => either(language, "Notes in own words", "Заметки своими словами"),
        Category::Tags => either(language, "Tags", "Метки"),
        Category::Sleep => either(language, "Sleep", "Сон"),
        Category::Activity => either(language, "Activity", "Активность"),
        Category::Heart => either(language, "Heart", "Сердце"),
        Category::Questionnaires => either(language, "Questionnaires", "Опросники"),
        Category::Agenda => either(language, "What to talk about", "О чём поговорить"),
        Category::Community => either(language, "Activity in the community", "Активность в сообществе"),
    }
}

/// How finely it is shared.
#[must_use]
pub const fn detail(detail: Detail, language: Language) -> &'static str {
    match detail {
        Detail::WeeklySummary => either(language, "a summary of each week", "итог каждой недели"),
        Detail::DailySummary => either(language, "a summary of each day", "итог каждого дня"),
        Detail::EveryEntry => either(language, "every entry", "каждая запись"),
    }
}

/// What the data may be used for.
#[must_use]
pub const fn purpose(purpose: Purpose, language: Language) -> &'static str {
    match purpose {
        Purpose::Treatment => either(language, "treatment", "лечение"),
        Purpose::CareManagement => either(language, "planning of care", "планирование лечения"),
    }
}

/// How much of what the clinic answers comes back.
#[must_use]
pub const fn way_back(way_back: WayBack, language: Language) -> &'static str {
    match way_back {
        WayBack::None => either(language, "nothing", "ничего"),
        WayBack::Notice => either(language, "only that there is a message", "только то, что есть сообщение"),
        WayBack::Full => either(language, "the message itself", "само сообщение"),
    }
}

/// What a sensitivity label is about.
#[must_use]
pub const fn label(label: Label, language: Language) -> &'static str {
    match label {
        Label::Psychiatry => either(language, "mental health", "психическое здоровье"),
        Label::PsychotherapyNote => either(language, "psychotherapy notes", "записи о психотерапии"),
        Label::SubstanceUseDisorder => either(language, "addiction", "зависимость"),
        Label::SubstanceUse => either(language, "use of alcohol or drugs", "употребление алкоголя или наркотиков"),
        Label::Hiv => either(language, "HIV", "ВИЧ"),
        Label::Sexuality => either(language, "sexuality", "сексуальность"),
        Label::Violence => either(language, "violence and abuse", "насилие"),
    }
}

/// Where a grant stands at a time.
#[must_use]
pub fn stands(grant: &Grant, now: Timestamp, language: Language) -> &'static str {
    if grant.is_expired(now) {
        either(language, "its time is over", "срок истёк")
    } else {
        state(grant.state, language)
    }
}

const fn state(state: GrantState, language: Language) -> &'static str {
    match state {
        GrantState::Active => either(language, "in force", "действует"),
        GrantState::Paused => either(language, "paused", "на паузе"),
        GrantState::Superseded => either(language, "replaced by a newer version", "заменено новой версией"),
        GrantState::Revoked => either(language, "taken back", "отозвано"),
    }
}

/// What was done with it.
#[must_use]
pub const fn change(change: Change, language: Language) -> &'static str {
    match change {
        Change::Given => either(language, "given", "дано"),
        Change::Changed => either(language, "changed", "изменено"),
        Change::Paused => either(language, "paused", "поставлено на паузу"),
        Change::Resumed => either(language, "taken up again", "возобновлено"),
        Change::Revoked => either(language, "taken back", "отозвано"),
    }
}

/// Through what.
#[must_use]
pub const fn method(method: Method, language: Language) -> &'static str {
    match method {
        Method::Portal => either(language, "in the portal", "на портале"),
        Method::Api => either(language, "in your app", "в вашем приложении"),
        Method::Operator => either(language, "by the operator, on your word", "оператором, по вашему слову"),
        Method::Chat => either(language, "in your chat", "в вашем чате"),
        Method::Clinic => either(
            language,
            "by the clinic, which says that the record belongs to somebody else",
            "клиникой: по её словам, эта карта принадлежит другому человеку",
        ),
    }
}
