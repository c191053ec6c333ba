//! Finding resources, and the pages of a searchset.

use actix_web::http::StatusCode;
use reqwest::Url;
use serde_json::{Value, json};

use super::House;
use super::exchange::{Answer, Call, Prefer, pairs};
use super::json::{instant, nodes, relative, text, with};
use super::outcome::Refusal;
use super::query::{Criterion, Match, Order, Place, Query};
use super::store::{Record, Store};
use super::types::ResourceType;
use crate::domain::stretch::Stretch;

/// Answers a search with one page of its hits.
///
/// # Errors
/// What [`Query::parse`] refuses.
pub fn answer(house: &House, store: &Store, kind: &ResourceType, call: &Call) -> Result<Answer, Refusal> {
    let query = Query::parse(&house.base, kind, &call.params, call.prefer)?;
    let found = hits(store, &house.base, kind, &query.criteria);
    let mut places: Vec<Place> = found.iter().map(|(position, record)| place(query.order, *position, record)).collect();
    places.sort_unstable();
    if query.order == Order::MostRecent {
        places.reverse();
    }
    let total = places.len();
    // The page continues behind a place in the order, not at a count of hits: what is created or deleted between two
    // pages then makes nobody miss a resource.
    let rest = places.into_iter().filter(|&place| query.after.is_none_or(|after| behind(query.order, place, after)));
    let mut page: Vec<Place> = rest.take(query.count + 1).collect();
    let more = page.len() > query.count;
    page.truncate(query.count);

    let mut links = vec![json!({ "relation": "self", "url": link(house, kind, &query.used, None)? })];
    if let Some(&last) = page.last().filter(|_| more) {
        links.push(json!({ "relation": "next", "url": link(house, kind, &query.used, Some(last))? }));
    }
    let bundle = json!({
        "resourceType": "Bundle",
        "type": "searchset",
        "meta": { "lastUpdated": instant(house.now()) },
        "total": total,
        "link": links,
    });
    let records = page.iter().filter_map(|&(_, position)| store.at(kind.name, position));
    let entries: Vec<Value> = records.filter_map(|record| entry(house, kind, record)).collect();
    Ok(Answer::document(with(bundle, "entry", (!entries.is_empty()).then(|| entries.into()))))
}

/// The one record that the criteria of a conditional create find.
///
/// # Errors
/// 412 when they find several, or are not worth the name.
pub fn only_match<'a>(
    house: &House,
    store: &'a Store,
    kind: &ResourceType,
    criteria: &str,
) -> Result<Option<&'a Record>, Refusal> {
    // Some clients write the type in front, as if it were an address.
    let query = criteria.strip_prefix(kind.name).and_then(|rest| rest.strip_prefix('?')).unwrap_or(criteria);
    // Ignoring a criterion would match too much and swallow a resource, so here every one has to be understood.
    let strict = Prefer { strict: true, ..Prefer::default() };
    let query = Query::parse(&house.base, kind, &pairs(query)?, strict)?;
    if query.criteria.is_empty() {
        let diagnostics = "If-None-Exist holds no criteria";
        return Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "incomplete", diagnostics));
    }
    match hits(store, &house.base, kind, &query.criteria).as_slice() {
        [] => Ok(None),
        &[(_, record)] => Ok(Some(record)),
        several => {
            let diagnostics = format!("If-None-Exist matches {} {} resources", several.len(), kind.name);
            Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "multiple-matches", diagnostics))
        }
    }
}

fn hits<'a>(store: &'a Store, base: &str, kind: &ResourceType, criteria: &[Criterion]) -> Vec<(usize, &'a Record)> {
    let mut candidates: Vec<(usize, &Record)> = match criteria.iter().find_map(|it| indexed(store, kind, it)) {
        Some(positions) => positions.into_iter().filter_map(|at| Some((at, store.at(kind.name, at)?))).collect(),
        None => store.records(kind.name).collect(),
    };
    candidates.retain(|(_, record)| record.current().is_some() && criteria.iter().all(|it| fits(base, record, it)));
    candidates
}

/// The few positions that can fit a criterion, where an index knows them.
fn indexed(store: &Store, kind: &ResourceType, criterion: &Criterion) -> Option<Vec<usize>> {
    let of = |wanted: &Match| match wanted {
        Match::Id(id) => Some(store.position(kind.name, id).into_iter().collect()),
        Match::Token { code: Some(value), .. } if criterion.paths == ["identifier"] => {
            Some(store.with_identifier(kind.name, value).to_vec())
        }
        _ => None,
    };
    let mut positions = criterion.wanted.iter().map(of).collect::<Option<Vec<Vec<usize>>>>()?.concat();
    positions.sort_unstable();
    positions.dedup();
    Some(positions)
}

fn fits(base: &str, record: &Record, criterion: &Criterion) -> bool {
    let Some((version, resource)) = record.current() else { return false };
    let found: Vec<&Value> = criterion.paths.iter().flat_map(|path| nodes(resource, path)).collect();
    criterion.wanted.iter().any(|wanted| match wanted {
        Match::Id(id) => *id == record.id,
        Match::Updated(test) => test.passes(Stretch::millisecond(version.at)),
        Match::Token { system, code } => found.iter().any(|node| has_token(node, system.as_deref(), code.as_deref())),
        Match::Reference(wanted) => found.iter().any(|node| refers(base, node, wanted)),
        Match::Date(test) => found.iter().filter_map(|node| Stretch::of(node)).any(|stretch| test.passes(stretch)),
    })
}

/// Whether a code, Coding, `CodeableConcept` or Identifier is the wanted one.
fn has_token(node: &Value, system: Option<&str>, code: Option<&str>) -> bool {
    if let Some(plain) = node.as_str() {
        // The system of a plain code is implied by its element.
        return code.is_none_or(|code| code == plain);
    }
    if let Some(codings) = node.get("coding").and_then(Value::as_array) {
        return codings.iter().any(|coding| has_token(coding, system, code));
    }
    let system_fits = system.is_none_or(|system| text(node, "system").unwrap_or_default() == system);
    system_fits && code.is_none_or(|code| text(node, "code").or(text(node, "value")) == Some(code))
}

fn refers(base: &str, node: &Value, wanted: &str) -> bool {
    let Some(reference) = text(node, "reference") else { return false };
    let relative = relative(base, reference);
    relative == wanted || (!wanted.contains('/') && relative.rsplit('/').next() == Some(wanted))
}

fn place(order: Order, position: usize, record: &Record) -> Place {
    let changed = record.latest().map_or(0, |version| version.at.as_microsecond());
    (if order == Order::Created { 0 } else { changed }, position)
}

fn behind(order: Order, place: Place, after: Place) -> bool {
    if order == Order::MostRecent { place < after } else { place > after }
}

fn entry(house: &House, kind: &ResourceType, record: &Record) -> Option<Value> {
    let (_, resource) = record.current()?;
    let full_url = format!("{}/{}/{}", house.base, kind.name, record.id);
    Some(json!({ "fullUrl": full_url, "resource": resource, "search": { "mode": "match" } }))
}

fn link(house: &House, kind: &ResourceType, used: &[(String, String)], last: Option<Place>) -> Result<String, Refusal> {
    let address = format!("{}/{}", house.base, kind.name);
    let no_link =
        |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "exception", "the address of a page is no address");
    let mut url = Url::parse(&address).map_err(no_link)?;
    let kept = used.iter().filter(|(name, _)| last.is_none() || name != "_cursor");
    let cursor = last.map(|(micros, position)| ("_cursor", format!("{micros}.{position}")));
    if cursor.is_some() || !used.is_empty() {
        url.query_pairs_mut().extend_pairs(kept).extend_pairs(cursor);
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::types;
    use super::*;

    fn candidates(store: &Store, name: &str, value: &str) -> Option<Vec<usize>> {
        let kind = types::find("Observation").unwrap();
        let params = [(name.to_owned(), value.to_owned())];
        let query = Query::parse("http://x/fhir", kind, &params, Prefer::default()).unwrap();
        indexed(store, kind, &query.criteria[0])
    }

    #[test]
    fn a_search_by_identifier_looks_at_one_resource_of_a_hundred_thousand() {
        let mut store = Store::default();
        for number in 0..100_000 {
            let resource = json!({ "identifier": [{ "system": "s", "value": format!("r-{number}") }] });
            store.create("Observation", format!("o-{number}"), Timestamp::UNIX_EPOCH, resource);
        }
        assert_eq!(candidates(&store, "identifier", "s|r-70000"), Some(vec![70_000]));
        assert_eq!(candidates(&store, "identifier", "r-1,r-1,r-0"), Some(vec![0, 1]));
        assert_eq!(candidates(&store, "_id", "o-99999,o-x"), Some(vec![99_999]));
        assert_eq!(candidates(&store, "identifier", "s|"), None, "a system alone is not indexed");
        assert_eq!(candidates(&store, "status", "final"), None);
    }
}
