//! A form about sharing, as it was filled in: made of terms, or of what was sent; and terms are made of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use crate::domain::category::{Category, Detail};
use crate::domain::consented::Practitioner;
use crate::domain::day::Days;
use crate::domain::grant::{Addressee, Grant, Purpose, Terms, WayBack};
use crate::web::portal::form::Fields;

/// How long sharing lasts unless the member says otherwise, in months.
const USUAL_MONTHS: i64 = 6;

/// The longest that can be chosen, in months.
const MOST_MONTHS: i64 = 24;

/// How the value begins that stands for one practitioner, so that none of them is called what all of them are.
const ONLY: &str = "only:";

/// Every way back, in the order in which people are offered them.
pub const WAYS_BACK: [WayBack; 3] = [WayBack::None, WayBack::Notice, WayBack::Full];

/// Every purpose, in the order in which people are offered them.
pub const PURPOSES: [Purpose; 2] = [Purpose::Treatment, Purpose::CareManagement];

/// A form that is filled in.
pub struct Draft {
    /// Each category, and how finely it is shared, if at all.
    pub details: BTreeMap<Category, Option<Detail>>,
    /// What for.
    pub purposes: BTreeSet<Purpose>,
    /// Whether what was noted before counts too.
    pub everything: bool,
    /// From which day on what was noted counts, as in a date field.
    pub since: String,
    /// The last day, as in a date field.
    pub until: String,
    /// What comes back.
    pub way_back: WayBack,
    /// For whom: the id of one practitioner, or empty for whoever treats the member there.
    pub who: String,
}

impl Draft {
    /// The form for a grant as it stands, and whom it is for; a first one shares nothing until the member says so.
    pub fn of(
        grant: Option<&Grant>,
        practitioner: Option<&Practitioner>,
        last_day: Option<Date>,
        days: &Days,
        now: Timestamp,
    ) -> Self {
        let today = days.day_of(now);
        let usual = today.checked_add(Span::new().months(USUAL_MONTHS)).unwrap_or(today);
        let terms = grant.map(|grant| &grant.terms);
        let detail = |category| terms.and_then(|terms| terms.categories.get(&category).copied());
        let since = terms.and_then(|terms| terms.data_from);
        Self {
            details: Category::ALL.into_iter().map(|category| (category, detail(category))).collect(),
            purposes: terms.map_or(BTreeSet::from([Purpose::Treatment]), |terms| terms.purposes.clone()),
            everything: terms.is_some() && since.is_none(),
            since: since.map_or(today, |since| days.day_of(since)).to_string(),
            until: last_day.filter(|day| *day > today).unwrap_or(usual).to_string(),
            way_back: terms.map_or(WayBack::Notice, |terms| terms.way_back),
            who: practitioner.map(|named| named.id.clone()).unwrap_or_default(),
        }
    }

    /// The form as it was sent. What it does not say is not shared, and with nobody more than `practitioner` before.
    pub fn read(fields: &Fields, practitioner: Option<&Practitioner>) -> Self {
        let who = match fields.text("who") {
            "" => practitioner.map(|named| named.id.as_str()).unwrap_or_default(),
            who => who.strip_prefix(ONLY).unwrap_or_default(),
        };
        let detail = |category: Category| Detail::from_name(fields.text(category.as_str()));
        let purpose = |purpose: &Purpose| !fields.text(purpose_field(*purpose)).is_empty();
        let way_back = WAYS_BACK.into_iter().find(|way| way.as_str() == fields.text("way-back"));
        Self {
            details: Category::ALL.into_iter().map(|category| (category, detail(category))).collect(),
            purposes: PURPOSES.into_iter().filter(purpose).collect(),
            everything: fields.text("from") == "everything",
            since: fields.text("since").to_owned(),
            until: fields.text("until").to_owned(),
            way_back: way_back.unwrap_or_default(),
            who: who.to_owned(),
        }
    }

    /// Whom it is for, of those who can be chosen; or what is wrong: the key of a text.
    pub fn practitioner(&self, choices: &[Practitioner]) -> Result<Option<Practitioner>, &'static str> {
        if self.who.is_empty() {
            return Ok(None);
        }
        choices.iter().find(|named| named.id == self.who).cloned().map(Some).ok_or("sharing-wrong-who")
    }

    /// Terms that say the same; or what is wrong: the key of a text. What is withheld is not in the form and stays as it was
    /// in `before`; for whom it is, [`Draft::practitioner`] says.
    pub fn terms(&self, before: Option<&Terms>, days: &Days, now: Timestamp) -> Result<Terms, &'static str> {
        let today = days.day_of(now);
        let date = |text: &str| text.parse::<Date>().ok();
        let categories: BTreeMap<Category, Detail> =
            self.details.iter().filter_map(|(category, detail)| Some((*category, (*detail)?))).collect();
        if categories.is_empty() {
            return Err("sharing-wrong-nothing");
        }
        if self.purposes.is_empty() {
            return Err("sharing-wrong-purpose");
        }
        let since = if self.everything { None } else { Some(date(&self.since).ok_or("sharing-wrong-since")?) };
        let until = date(&self.until).ok_or("sharing-wrong-until")?;
        let last = today.checked_add(Span::new().months(MOST_MONTHS)).unwrap_or(Date::MAX);
        if until <= today || until > last {
            return Err("sharing-wrong-until");
        }
        Ok(Terms {
            categories,
            purposes: self.purposes.clone(),
            valid_from: now,
            // To the end of that day.
            valid_until: days.start_of(until.tomorrow().unwrap_or(Date::MAX)),
            data_from: since.map(|day| days.start_of(day)),
            recipient: Addressee::Clinic,
            way_back: self.way_back,
            withheld: before.map(|terms| terms.withheld.clone()).unwrap_or_default(),
        })
    }
}

/// The name of a purpose's box.
pub const fn purpose_field(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Treatment => "for-treatment",
        Purpose::CareManagement => "for-care",
    }
}
