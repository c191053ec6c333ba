//! The answer to a search: a page of what was found, and where the next one is (FHIR R4, http, paging).

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use super::parameters::{Applied, Page};
use super::{Door, Outcome};
use crate::web::Problem;

/// A resource that was found, and its place in the order.
#[derive(Debug)]
pub struct Found {
    /// When it came to be.
    pub at: Timestamp,
    /// Its id.
    pub id: String,
    /// What it says.
    pub resource: Value,
}

/// Which page of what was found.
#[derive(Debug)]
pub struct Hits {
    /// The page, in its order.
    pub page: Vec<Found>,
    /// How many were found on all pages, of those that the caller may know of; if that is counted.
    pub total: Option<usize>,
    /// Behind which place another page follows.
    pub next: Option<String>,
}

impl Hits {
    /// The page that is asked for of all that was found, the newest first.
    #[must_use]
    pub fn of(mut found: Vec<Found>, page: &Page) -> Self {
        let total = found.len();
        found.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
        // The page begins behind a place in the order, not at a count: what is added meanwhile makes nobody miss anything.
        let behind = |found: &Found| page.after.as_ref().is_none_or(|after| cursor(found) < *after);
        found.retain(behind);
        let more = found.len() > page.count;
        found.truncate(page.count);
        let next = found.last().filter(|_| more).map(cursor);
        Self { page: found, total: Some(total), next }
    }
}

/// A place in the order, such that a later place is a smaller text.
fn cursor(found: &Found) -> String {
    format!("{:020}.{}", found.at.as_microsecond().max(0), found.id)
}

/// The page as a Bundle.
///
/// # Errors
/// [`Outcome`] with 500 when an address is no address: a defect.
pub fn searchset(
    door: &Door,
    resource_type: &str,
    hits: Hits,
    applied: &Applied,
    now: Timestamp,
) -> Result<Value, Outcome> {
    let address = format!("{}/{resource_type}", door.base);
    let mut links = vec![json!({ "relation": "self", "url": link(&address, applied, None)? })];
    if let Some(next) = &hits.next {
        links.push(json!({ "relation": "next", "url": link(&address, applied, Some(next))? }));
    }
    let entry = |found: Found| {
        let full_url = format!("{address}/{}", found.id);
        json!({ "fullUrl": full_url, "resource": found.resource, "search": { "mode": "match" } })
    };
    let entries: Vec<Value> = hits.page.into_iter().map(entry).collect();
    let mut bundle = Map::new();
    bundle.insert("resourceType".to_owned(), "Bundle".into());
    bundle.insert("meta".to_owned(), json!({ "lastUpdated": instant(now) }));
    bundle.insert("type".to_owned(), "searchset".into());
    if let Some(total) = hits.total {
        bundle.insert("total".to_owned(), total.into());
    }
    bundle.insert("link".to_owned(), links.into());
    if !entries.is_empty() {
        bundle.insert("entry".to_owned(), entries.into());
    }
    Ok(bundle.into())
}

/// An instant as FHIR writes it, to the second.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn link(address: &str, applied: &Applied, cursor: Option<&str>) -> Result<String, Outcome> {
    let mut url = Url::parse(address).map_err(|error| Problem::internal(&error))?;
    let kept = applied.0.iter().filter(|(name, _)| cursor.is_none() || name != "_cursor").cloned();
    let parameters: Vec<(String, String)> =
        kept.chain(cursor.map(|cursor| ("_cursor".to_owned(), cursor.to_owned()))).collect();
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    Ok(url.into())
}
