//! The page at `/`, for a human who wants to see what has arrived.

use std::fmt::Write as _;

use actix_web::http::header::{self, ContentType};
use actix_web::{HttpResponse, web};

use super::House;
use super::faults::Fault;
use super::json::instant;
use super::store::{Store, Version};
use super::types::TYPES;

const NEWEST: usize = 50;
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .75rem;border-bottom:1px solid #ccc}";

/// Answers `GET /`.
pub async fn show(house: web::Data<House>) -> HttpResponse {
    let html = render(&house.store(), &house.faults.list());
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .body(html)
}

/// The whole page.
#[must_use]
pub fn render(store: &Store, faults: &[Fault]) -> String {
    let counts: String = TYPES.iter().filter_map(|kind| count_row(store, kind.name)).collect();
    let newest: String = newest(store).iter().map(|(kind, id, version)| resource_row(kind, id, version)).collect();
    let faults: String = faults.iter().map(fault_row).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sandbox EHR</title>\
<meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n<h1>Sandbox EHR</h1>\n\
<p>A stand-in for a clinic's EHR; nothing here is kept. \
It speaks FHIR R4: <a href=\"/fhir/metadata\">what it can do</a>.</p>\n\
<h2>Resources</h2>\n{}\n<h2>Newest</h2>\n{}\n<h2>Faults switched on</h2>\n{}\n</body></html>\n",
        table(&["Type", "Number"], &counts),
        table(&["Resource", "Version", "Updated"], &newest),
        table(&["Fault"], &faults),
    )
}

fn table(head: &[&str], rows: &str) -> String {
    if rows.is_empty() {
        return "<p>None.</p>".to_owned();
    }
    let head = head.join("</th><th scope=\"col\">");
    format!("<table><thead><tr><th scope=\"col\">{head}</th></tr></thead><tbody>\n{rows}</tbody></table>")
}

fn count_row(store: &Store, kind: &str) -> Option<String> {
    let count = store.records(kind).filter(|(_, record)| record.current().is_some()).count();
    (count > 0).then(|| format!("<tr><td><a href=\"/fhir/{kind}\">{kind}</a></td><td>{count}</td></tr>\n"))
}

/// The resources that changed last, the latest first.
fn newest(store: &Store) -> Vec<(&'static str, &str, &Version)> {
    let all = TYPES.iter().flat_map(|kind| store.records(kind.name).map(|(_, record)| (kind.name, record)));
    let mut current: Vec<_> =
        all.filter_map(|(kind, record)| Some((kind, record.id.as_str(), record.current()?.0))).collect();
    current.sort_by_key(|(_, _, version)| std::cmp::Reverse(version.at));
    current.truncate(NEWEST);
    current
}

fn resource_row(kind: &str, id: &str, version: &Version) -> String {
    let (id, at, number) = (escape(id), instant(version.at), version.number);
    format!("<tr><td><a href=\"/fhir/{kind}/{id}\">{kind}/{id}</a></td><td>{number}</td><td>{at}</td></tr>\n")
}

fn fault_row(fault: &Fault) -> String {
    // The JSON that `PUT /faults` takes says it as well as any prose, and can be copied.
    format!("<tr><td><code>{}</code></td></tr>\n", escape(&serde_json::to_string(fault).unwrap_or_default()))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' => {
                let _infallible = write!(escaped, "&#{};", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
