//! A page of search results (R4, bundle.html).

use jiff::Timestamp;
use serde_json::Value;

use super::field::{instant, items, text_at};

/// What an EHR found.
pub struct Bundle {
    /// The resources that match.
    pub resources: Vec<Value>,
    /// Where the next page is, as the EHR says.
    pub next: Option<String>,
    /// When it was put together, by the EHR's clock.
    pub at: Option<Timestamp>,
}

/// It is no page of search results.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected a Bundle")]
pub struct NoBundle;

impl Bundle {
    /// Reads a page. What was only included, and what the EHR says about the search itself, is left out.
    ///
    /// # Errors
    /// [`NoBundle`].
    pub fn read(body: &[u8]) -> Result<Self, NoBundle> {
        let bundle: Value = serde_json::from_slice(body).map_err(|_| NoBundle)?;
        if text_at(&bundle, "/resourceType") != Some("Bundle") {
            return Err(NoBundle);
        }
        let is_match = |entry: &&Value| matches!(text_at(entry, "/search/mode"), None | Some("match"));
        let found = items(&bundle, "/entry").iter().filter(is_match).filter_map(|entry| entry.get("resource"));
        let next = items(&bundle, "/link").iter().find(|link| text_at(link, "/relation") == Some("next"));
        Ok(Self {
            resources: found.cloned().collect(),
            next: next.and_then(|link| text_at(link, "/url")).map(str::to_owned),
            at: text_at(&bundle, "/meta/lastUpdated").and_then(instant),
        })
    }
}
