//! What a search asks for, read from its parameters.

use super::exchange::Prefer;
use super::json::relative;
use super::outcome::Refusal;
use super::types::{ParamKind, ResourceType};
use crate::domain::stretch::DateTest;

const DEFAULT_COUNT: usize = 50;
const MAX_COUNT: usize = 500;

/// A search. Every criterion has to hold.
#[derive(Debug)]
pub struct Query {
    /// What has to hold.
    pub criteria: Vec<Criterion>,
    /// The size of a page.
    pub count: usize,
    /// The order of the hits.
    pub order: Order,
    /// Where the page starts: behind this place.
    pub after: Option<Place>,
    /// The parameters that were understood, as given, for the `self` and `next` links.
    pub used: Vec<(String, String)>,
}

/// One parameter: some value at one of the paths is one of those wanted.
#[derive(Debug)]
pub struct Criterion {
    /// Where to look in the resource.
    pub paths: &'static [&'static str],
    /// The alternatives, which stood between commas.
    pub wanted: Vec<Match>,
}

/// One alternative of a parameter.
#[derive(Debug)]
pub enum Match {
    /// `_id`
    Id(String),
    /// `_lastUpdated`
    Updated(DateTest),
    /// `system|code`; a system of `""` means "has none".
    Token {
        /// The system, unless any will do.
        system: Option<String>,
        /// The code, unless any will do.
        code: Option<String>,
    },
    /// A resource, `Type/id`, or an id alone.
    Reference(String),
    /// A date element.
    Date(DateTest),
}

/// The order of the hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they were created.
    #[default]
    Created,
    /// The least recently changed first.
    LeastRecent,
    /// The most recently changed first.
    MostRecent,
}

/// Where a hit stands in its order: microseconds of its last change (0 where that does not count), and position.
pub type Place = (i64, usize);

impl Query {
    /// Reads the parameters of a search for `kind`.
    ///
    /// # Errors
    /// A refusal for a value that makes no sense; with `handling=strict` also for an unknown parameter.
    pub fn parse(
        base: &str,
        kind: &ResourceType,
        params: &[(String, String)],
        prefer: Prefer,
    ) -> Result<Self, Refusal> {
        let mut query =
            Self { criteria: Vec::new(), count: DEFAULT_COUNT, order: Order::default(), after: None, used: Vec::new() };
        // A parameter without a value is ignored by R4's rules.
        for (name, value) in params.iter().filter(|(_, value)| !value.is_empty()) {
            if query.read(base, kind, name, value)? {
                query.used.push((name.clone(), value.clone()));
            } else if prefer.strict {
                let diagnostics = format!("{} cannot be searched by {name}={value}", kind.name);
                return Err(Refusal::bad_request("not-supported", diagnostics).at(format!("http.{name}")));
            }
        }
        Ok(query)
    }

    /// Takes one parameter in; false where it is not supported.
    fn read(&mut self, base: &str, kind: &ResourceType, name: &str, value: &str) -> Result<bool, Refusal> {
        match name {
            "_count" => self.count = value.parse::<usize>().map_err(|_| bad_value(name, value))?.min(MAX_COUNT),
            "_cursor" => self.after = Some(place(value).ok_or_else(|| bad_value(name, value))?),
            "_sort" => match value {
                "_lastUpdated" => self.order = Order::LeastRecent,
                "-_lastUpdated" => self.order = Order::MostRecent,
                _ => return Ok(false),
            },
            "_format" => return Ok(true),
            _ => match criterion(base, kind, name, value)? {
                Some(criterion) => self.criteria.push(criterion),
                None => return Ok(false),
            },
        }
        Ok(true)
    }
}

fn criterion(base: &str, kind: &ResourceType, name: &str, value: &str) -> Result<Option<Criterion>, Refusal> {
    if let Some((known, modifier)) = name.split_once(':')
        && (kind.params.iter().any(|param| param.name == known) || matches!(known, "_id" | "_lastUpdated"))
    {
        // R4: unlike an unknown parameter, an unknown modifier is refused, because ignoring it can invert the search.
        return Err(Refusal::bad_request("not-supported", format!("the modifier :{modifier} is not supported")));
    }
    let alternatives = value.split(',');
    let (paths, wanted): (&'static [&'static str], Option<Vec<Match>>) = match name {
        "_id" => (&[], alternatives.map(|id| Some(Match::Id(id.to_owned()))).collect()),
        "_lastUpdated" => (&[], alternatives.map(|date| DateTest::parse(date).map(Match::Updated)).collect()),
        _ => {
            let Some(param) = kind.params.iter().find(|param| param.name == name) else { return Ok(None) };
            let read = |text: &str| match param.kind {
                ParamKind::Token => token(text),
                ParamKind::Date => DateTest::parse(text).map(Match::Date),
                ParamKind::Reference => Some(Match::Reference(reference(base, name, text))),
            };
            (param.paths, alternatives.map(read).collect())
        }
    };
    let wanted = wanted.ok_or_else(|| bad_value(name, value))?;
    Ok(Some(Criterion { paths, wanted }))
}

/// Nothing between two commas is no token: it would match everything.
fn token(text: &str) -> Option<Match> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    match text.split_once('|') {
        Some(("", "")) => None,
        Some((system, code)) => Some(Match::Token { system: Some(system.to_owned()), code: some(code) }),
        None => Some(Match::Token { system: None, code: Some(some(text)?) }),
    }
}

/// `patient=123` can only mean a Patient.
fn reference(base: &str, name: &str, text: &str) -> String {
    let relative = relative(base, text);
    if name == "patient" && !relative.contains('/') { format!("Patient/{relative}") } else { relative.to_owned() }
}

fn place(cursor: &str) -> Option<Place> {
    let (micros, position) = cursor.split_once('.')?;
    Some((micros.parse().ok()?, position.parse().ok()?))
}

fn bad_value(name: &str, value: &str) -> Refusal {
    Refusal::bad_request("value", format!("{name} cannot be {value}")).at(format!("http.{name}"))
}
