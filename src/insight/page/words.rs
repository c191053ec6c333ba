//! A page in words: what is the same in the text and in the PDF.

use jiff::civil::Date;

use crate::domain::decimal::Decimal;
use crate::domain::language::Language;
use crate::domain::measurement::Measured;
use crate::domain::page::{Page, Row, Week};
use crate::domain::statistics::{difference, plain, rounded};
use crate::domain::summary::{Scale, TagCount};
use crate::insight::{measured, words};

use Language::{En, Ru};

/// The most characters of a number: two of them stand in a column.
const LONGEST: usize = 6;

/// The words of a language.
#[derive(Clone, Copy, Debug)]
pub struct Words(pub Language);

/// What stands where on a page, whatever it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fixed {
    Title,
    Source,
    SourceMeasured,
    Agenda,
    Scores,
    Glance,
    Weeks,
    Mean,
    Range,
    Days,
    Change,
    Legend,
    Tags,
    Recommended,
    Scope,
    ScopeOnly,
    Not,
    NotMore,
}

impl Words {
    /// A fixed text.
    pub const fn fixed(self, what: Fixed) -> &'static str {
        let (english, russian) = match what {
            Fixed::Title => ("Summary of the patient's own notes", "Сводка собственных записей пациента"),
            Fixed::Source => (
                "Reported by the patient through their community; not checked by anyone.",
                "Сообщено самим пациентом через сообщество; никем не проверено.",
            ),
            Fixed::SourceMeasured => (
                "Reported by the patient and measured by their devices, through their community; not checked by anyone.",
                "Сообщено самим пациентом и измерено его устройствами, получено через сообщество; никем не проверено.",
            ),
            Fixed::Agenda => ("What the patient wants to talk about", "О чём пациент хочет поговорить"),
            Fixed::Scores => ("Questionnaires", "Опросники"),
            Fixed::Glance => ("At a glance: means of the week", "Главное: средние за неделю"),
            Fixed::Weeks => ("Week by week", "По неделям"),
            Fixed::Mean => ("Mean", "В среднем"),
            Fixed::Range => ("Lowest to highest", "От и до"),
            Fixed::Days => ("Days with an entry", "Дней с записями"),
            Fixed::Change => ("Change", "Изменение"),
            Fixed::Legend => (
                "Each week: the mean, and below it the lowest and the highest, and on how many days something was noted.",
                "За каждую неделю: среднее, под ним – от и до, и за сколько дней есть записи.",
            ),
            Fixed::Tags => ("Tags used most that week", "Самые частые метки недели"),
            Fixed::Recommended => ("What you recommended", "Что вы рекомендовали"),
            Fixed::Scope => ("What the patient shares with you", "Чем пациент с вами делится"),
            Fixed::ScopeOnly => (
                "Nothing else is on this page. The patient can change or end this at any time.",
                "Ничего другого на этой странице нет. Пациент может изменить или прекратить это в любой момент.",
            ),
            Fixed::Not => ("What this is not", "Чем это не является"),
            Fixed::NotMore => (
                "No diagnosis, no rating of risk and no call for help: nobody watched these entries as they came in. How \
                 things are today, only the patient can say.",
                "Это не диагноз, не оценка риска и не просьба о помощи: никто не следил за записями по мере их \
                 поступления. Как дела сегодня, может сказать только сам пациент.",
            ),
        };
        match self.0 {
            En => english,
            Ru => russian,
        }
    }

    /// Where what stands on a page comes from.
    pub const fn source(self, page: &Page) -> &'static str {
        self.fixed(if page.is_measured { Fixed::SourceMeasured } else { Fixed::Source })
    }

    /// The days that a page is about.
    pub fn period(self, page: &Page) -> String {
        let week = page.weeks.last().map_or_else(String::new, |first| self.dated_week(*first));
        let up_to = match (page.up_to(), self.0) {
            (None, _) => String::new(),
            (Some(day), En) => day.strftime(" up to %-d %b").to_string(),
            (Some(day), Ru) => day.strftime(" (по %d.%m)").to_string(),
        };
        match self.0 {
            En => format!("Week of {week}{up_to}, and the three weeks before"),
            Ru => format!("Неделя {week}{up_to} и три недели до неё"),
        }
    }

    /// The days of a week, which begins on this one, with the year in which it ends.
    fn dated_week(self, first: Date) -> String {
        let (week, year) = (self.week(first), end_of_week(first).year());
        match self.0 {
            En => format!("{week} {year}"),
            Ru => format!("{week}.{year}"),
        }
    }

    /// The days of a week, which begins on this one.
    pub fn week(self, first: Date) -> String {
        let last = end_of_week(first);
        match self.0 {
            En if first.month() == last.month() => format!("{}–{}", first.day(), last.strftime("%-d %b")),
            En => format!("{}–{}", first.strftime("%-d %b"), last.strftime("%-d %b")),
            Ru => format!("{}–{}", first.strftime("%d.%m"), last.strftime("%d.%m")),
        }
    }

    /// A day.
    pub fn day(self, day: Date) -> String {
        match self.0 {
            En => day.strftime("%-d %b %Y").to_string(),
            Ru => day.strftime("%d.%m.%Y").to_string(),
        }
    }

    /// What stands in a row, with the meaning of its numbers.
    pub fn row(self, scale: &Scale) -> String {
        let title = words::title(scale, self.0);
        let per_day = match self.0 {
            En => "per day",
            Ru => "за день",
        };
        let meaning = match scale {
            Scale::Measured(of) if shown_as(*of) == ShownAs::Hours => match self.0 {
                En => format!("{per_day}, hours:minutes"),
                Ru => format!("{per_day}, часы:минуты"),
            },
            Scale::Measured(of) => {
                let unit = measured::unit(*of, self.0);
                let per_day = if of.adds_up() { per_day } else { "" };
                [per_day, unit].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
            }
            Scale::Rating { .. } | Scale::Valence(_) | Scale::Score(_) => self.local(&words::scale(scale, self.0)),
        };
        if meaning.is_empty() { title.to_owned() } else { format!("{title} ({meaning})") }
    }

    /// A number of a row.
    pub fn number(self, scale: &Scale, number: &Decimal) -> String {
        let number = round(scale, number);
        if let Scale::Measured(of) = scale
            && shown_as(*of) == ShownAs::Hours
            && let Ok(minutes) = plain(&number).parse::<u64>()
        {
            return format!("{}:{:02}", minutes / 60, minutes % 60);
        }
        // No column is wide enough for all that a source may call a number.
        let digits = number.as_str();
        if digits.len() > LONGEST { self.local(&format!("{:.0e}", number.approximate())) } else { self.local(digits) }
    }

    /// The mean of a week.
    pub fn mean(self, scale: &Scale, week: &Week) -> String {
        week.spread.mean.as_ref().map_or_else(|| "–".to_owned(), |mean| self.number(scale, mean))
    }

    /// The least and the most of a week.
    pub fn range(self, scale: &Scale, week: &Week) -> String {
        let [least, most] = [&week.spread.least, &week.spread.most].map(|number| self.number(scale, number));
        if least == most {
            return least;
        }
        let between = if least.starts_with('-') { "…" } else { "–" };
        format!("{least}{between}{most}")
    }

    /// On how many days of a week something was noted.
    pub fn days(self, week: &Week) -> String {
        let noted = week.days.saturating_sub(week.days_missing);
        match self.0 {
            En => format!("{noted} of {}", week.days),
            Ru => format!("{noted} из {}", week.days),
        }
    }

    /// That nothing was noted in a week of which something may be told; `None` where that is not known yet, or not told.
    pub fn no_days(self, page: &Page, row: &Row, place: usize) -> Option<String> {
        let days = page.days_of(place);
        let said = match self.0 {
            En => format!("0 of {days}"),
            Ru => format!("0 из {days}"),
        };
        (page.is_covered(place) && !row.waits_for(place)).then_some(said)
    }

    /// The ends between which a scale is drawn.
    pub fn bounds(self, scale: &Scale) -> [String; 2] {
        let number = |number: &Decimal| self.number(scale, number);
        match scale {
            Scale::Rating { worst, best } => [number(worst), number(best)],
            Scale::Valence(_) => ["-1".to_owned(), "1".to_owned()],
            Scale::Score(of) => ["0".to_owned(), of.most().to_string()],
            Scale::Measured(of) => {
                let (least, most) = of.drawn_between();
                [least, most]
                    .map(|bound| format!("{bound:.0}").parse().map_or_else(|_| String::new(), |it| number(&it)))
            }
        }
    }

    /// That some rows did not find room.
    pub fn more(self, rows: usize) -> String {
        match self.0 {
            En => format!("And {rows} more, in the text of this page."),
            Ru => format!("Ещё строк: {rows}, в тексте этой сводки."),
        }
    }

    /// By how much the mean of a row has changed since the week before, in the smallest unit that is shown.
    pub fn change(self, row: &Row) -> Option<String> {
        let (now, before) = (row.now()?.spread.mean.as_ref()?, row.before()?.spread.mean.as_ref()?);
        let change = difference(&round(&row.scale, before), &round(&row.scale, now))?;
        let sign = if change.as_str().starts_with('-') || plain(&change) == "0" { "" } else { "+" };
        let unit = match (&row.scale, self.0) {
            (Scale::Measured(of), En) if shown_as(*of) == ShownAs::Hours => " min",
            (Scale::Measured(of), Ru) if shown_as(*of) == ShownAs::Hours => " мин",
            _ => "",
        };
        Some(format!("{sign}{}{unit}", self.local(change.as_str())))
    }

    /// What happened on a scale in the last week, after the week before.
    pub fn glance(self, page: &Page, row: &Row) -> String {
        let mean = |week: &Week| self.mean(&row.scale, week);
        let title = words::title(&row.scale, self.0);
        let scale = match &row.scale {
            Scale::Measured(_) => String::new(),
            scale => format!(" ({})", self.local(&words::scale(scale, self.0))),
        };
        let before = match (row.before().map(mean), self.change(row), self.0) {
            (Some(before), Some(change), En) => format!("; {before} the week before ({change})"),
            (Some(before), Some(change), Ru) => format!("; неделей раньше {before} ({change})"),
            (Some(before), None, En) => format!("; {before} the week before"),
            (Some(before), None, Ru) => format!("; неделей раньше {before}"),
            // Of what is not shared, nobody can say that there is nothing.
            (None, ..) if !page.tells_week_before() => String::new(),
            (None, _, En) => "; nothing in the week before".to_owned(),
            (None, _, Ru) => "; неделей раньше записей нет".to_owned(),
        };
        match (row.now(), self.0) {
            (Some(week), En) => format!("{title}: {}{scale}{before}. Noted on {} days.", mean(week), self.days(week)),
            (Some(week), Ru) => {
                format!("{title}: {}{scale}{before}. Дней с записями: {}.", mean(week), self.days(week))
            }
            (None, En) if row.waits => format!("{title}: this week is told when it is over{before}."),
            (None, Ru) if row.waits => format!("{title}: эта неделя – когда она закончится{before}."),
            (None, En) => format!("{title}: nothing was noted{before}."),
            (None, Ru) => format!("{title}: записей нет{before}."),
        }
    }

    /// The tags and how often each was used.
    pub fn tags(self, tags: &[TagCount]) -> String {
        let tags = tags.iter().map(|it| format!("{} ({})", it.tag, it.entries)).collect::<Vec<_>>().join(", ");
        format!("{}: {tags}", self.fixed(Fixed::Tags))
    }

    /// What the consent covers, and for how long; and of what of it there is nothing to show.
    pub fn scope(self, page: &Page) -> String {
        use crate::consent::words::{category, detail};
        let scope = &page.scope;
        let shared = scope.categories.iter().map(|(of, finely)| {
            let (of, finely) = (category(*of, self.0), detail(*finely, self.0));
            format!("{of} ({finely})")
        });
        let shared = shared.collect::<Vec<_>>().join(", ");
        let until = self.day(scope.until);
        let silent: Vec<&str> = page.silent().map(|of| category(of, self.0)).collect();
        let silent = match self.0 {
            _ if silent.is_empty() => String::new(),
            En => format!(" Nothing to show in these weeks: {}.", silent.join(", ")),
            Ru => format!(" За эти недели показать нечего: {}.", silent.join(", ")),
        };
        let covers = match (scope.since.map(|since| self.day(since)), self.0) {
            (None, En) => format!("{shared}; until {until}."),
            (Some(since), En) => format!("{shared}; what was noted since {since}; until {until}."),
            (None, Ru) => format!("{shared}; по {until}."),
            (Some(since), Ru) => format!("{shared}; записанным с {since}; по {until}."),
        };
        covers + &silent
    }

    /// The one it is meant for.
    pub fn addressed(self, name: &str) -> String {
        match self.0 {
            En => format!("For: {name}"),
            Ru => format!("Кому: {name}"),
        }
    }

    /// A number with the comma of the language.
    fn local(self, number: &str) -> String {
        match self.0 {
            En => number.to_owned(),
            Ru => number.replace('.', ","),
        }
    }
}

/// How what was measured is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ShownAs {
    Hours,
    Whole,
}

fn end_of_week(first: Date) -> Date {
    first.checked_add(jiff::Span::new().days(6)).unwrap_or(first)
}

const fn shown_as(of: Measured) -> ShownAs {
    match of {
        Measured::SleepDuration
        | Measured::DeepSleep
        | Measured::LightSleep
        | Measured::RemSleep
        | Measured::TimeInBed => ShownAs::Hours,
        Measured::Awakenings
        | Measured::Steps
        | Measured::ExerciseDuration
        | Measured::MindfulSession
        | Measured::HeartRate
        | Measured::RestingHeartRate
        | Measured::HrvSdnn
        | Measured::HrvRmssd => ShownAs::Whole,
    }
}

fn round(scale: &Scale, number: &Decimal) -> Decimal {
    match scale {
        Scale::Rating { .. } | Scale::Valence(_) | Scale::Score(_) => rounded(number, 2),
        Scale::Measured(of) => {
            let places = u32::from(*of == Measured::Awakenings);
            let rounded = rounded(number, places);
            plain(&rounded).parse().unwrap_or(rounded)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_week_is_of_the_year_in_which_it_ends() {
        for (first, english, russian) in [
            (date(2026, 11, 23), "23–29 Nov 2026", "23.11–29.11.2026"),
            (date(2026, 12, 28), "28 Dec–3 Jan 2027", "28.12–03.01.2027"),
        ] {
            assert_eq!(Words(En).dated_week(first), english);
            assert_eq!(Words(Ru).dated_week(first), russian);
        }
    }
}
