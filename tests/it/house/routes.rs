//! Every route, asked as everybody there is. The table below has a row for each route of the bridge, and for none that is
//! not there; a row says what each caller is told.
//!
//! A new route is one more `row` (the staff view's in `routes/staff.rs`): what to ask about the member of the row, and what comes of it, as a status, with `+` where
//! the answer shows the member's grant or Patient (nobody else may see that). `others` is everybody who is not named. Somebody new
//! who calls is one more `Who`, with what they call with in `routes/world.rs`: until a row says otherwise, they are `others`.

mod moderate;
mod shape;
mod staff;
mod who;
mod world;

use std::collections::BTreeSet;

use mostik::web::all_routes;
use serde_json::json;

use self::who::EVERYBODY;
pub use self::who::Who;
use self::who::Who::{
    Browser, Clinic, Community, Decider, Keeper, KeyWithoutScope, Member, OtherBrowser, OtherClinic, OtherCommunity,
    OtherKeeper, OtherMember,
};
use self::world::World;
use crate::on_both_databases;
use crate::support::bridge::mood;

/// A route and what comes of asking for it.
pub struct Row {
    /// Method and pattern, as in `web::ROUTES`.
    route: &'static str,
    /// What to ask for about a member: the path, with the body if there is one.
    ask: fn(&Target) -> (String, Body),
    others: &'static str,
    but: &'static [(Who, &'static str)],
}

impl Row {
    /// Whether it is a question that changes nothing (RFC 9110, section 9.2.1).
    fn is_safe(&self) -> bool {
        ["GET ", "HEAD "].iter().any(|method| self.route.starts_with(method))
    }
}

pub enum Body {
    Nothing,
    Json(serde_json::Value),
    Form(Vec<(&'static str, String)>),
}
use Body::{Form, Json, Nothing};

/// A member with a grant, who is a patient of riverside.
pub struct Target {
    handle: String,
    patient: String,
    grant: String,
    consent: String,
    receipt: String,
    concern: String,
    message: String,
    booking: String,
}

const fn row(
    route: &'static str,
    ask: fn(&Target) -> (String, Body),
    others: &'static str,
    but: &'static [(Who, &'static str)],
) -> Row {
    Row { route, ask, others, but }
}

const OWN: &[(Who, &str)] = &[(Member, "200+"), (OtherMember, "404")];
const EACH_THEIR_OWN: &[(Who, &str)] = &[(Member, "200"), (OtherMember, "200")];
const SIGNED_IN: &[(Who, &str)] = &[(Browser, "200"), (OtherBrowser, "200")];
const THEIR_VISIT: &[(Who, &str)] = &[(Browser, "200"), (OtherBrowser, "404")];
const BACK_TO_IT: &[(Who, &str)] = &[(Browser, "303 /visits/{booking}"), (OtherBrowser, "404")];
const NOT_NOW: &[(Who, &str)] = &[(Browser, "409"), (OtherBrowser, "404")];
const NONE_THERE: &[(Who, &str)] = &[(Browser, "404"), (OtherBrowser, "404")];
const NOT_THEIRS: &[(Who, &str)] = &[(Clinic, "403"), (OtherClinic, "403")];
const ITS_PATIENTS: &[(Who, &str)] = &[(Clinic, "200+"), (OtherClinic, "200")];

/// A page that is looked at.
macro_rules! page {
    ($path:literal) => {
        |_| ($path.to_owned(), Nothing)
    };
}

/// A form that is sent.
macro_rules! form {
    ($path:literal $(, $name:literal = $value:literal)*) => {
        |_| ($path.to_owned(), Form(vec![$(($name, $value.to_owned())),*]))
    };
}

/// A form about the member's visit.
fn visit(it: &Target, form: &str, fields: &[(&'static str, &str)]) -> (String, Body) {
    let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    (format!("/visits/{}/{form}", it.booking), Form(fields))
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    row("GET /livez", |_| ("/livez".into(), Nothing), "200", &[]),
    row("HEAD /livez", |_| ("/livez".into(), Nothing), "200", &[]),
    row("GET /readyz", |_| ("/readyz".into(), Nothing), "200", &[]),
    row("HEAD /readyz", |_| ("/readyz".into(), Nothing), "200", &[]),
    row("GET /calendar/{token}/visits.ics", |_| ("/calendar/0123/visits.ics".into(), Nothing), "404", &[]),
    row("HEAD /calendar/{token}/visits.ics", |_| ("/calendar/0123/visits.ics".into(), Nothing), "404", &[]),
    row("GET /openapi.json", |_| ("/openapi.json".into(), Nothing), "200", &[]),
    row("GET /.well-known/jwks.json", |_| ("/.well-known/jwks.json".into(), Nothing), "200", &[]),
    row("POST /v1/events", |it| ("/v1/events".into(), Json(mood(&it.handle, &it.handle, 4))),
        "401", &[(Community, "202"), (KeyWithoutScope, "403"), (OtherCommunity, "422"), (Keeper, "403"), (Decider, "403"), (OtherKeeper, "403")]),
    row("POST /v1/data-points", |_| ("/v1/data-points".into(), Json(json!({"data": {}}))),
        "401", &[(Community, "200"), (KeyWithoutScope, "403"), (OtherCommunity, "200"), (Keeper, "403"), (Decider, "403"), (OtherKeeper, "403"), (Member, "200"), (OtherMember, "200")]),
    row("POST /v1/talk", |it| ("/v1/talk".into(), Json(json!({"id": "1", "handle": it.handle, "said": "menu"}))),
        "401", &[(OtherCommunity, "200"), (Community, "403"), (KeyWithoutScope, "403"), (Keeper, "403"), (Decider, "403"), (OtherKeeper, "403")]),
    // No community of this world has a platform: tests/it/connectors asks those that do.
    row("GET /connectors/{community}/{path:.*}", |_| ("/connectors/forum/".into(), Nothing), "404", &[]),
    row("POST /connectors/{community}/{path:.*}", |_| ("/connectors/forum/".into(), Json(json!({}))), "404", &[]),
    row("PUT /connectors/{community}/{path:.*}", |_| ("/connectors/forum/".into(), Json(json!({}))), "404", &[]),
    row("GET /v1/announcements", |_| ("/v1/announcements".into(), Nothing),
        "401", &[(Community, "200"), (OtherCommunity, "200"), (KeyWithoutScope, "403"), (Keeper, "403"), (OtherKeeper, "403"), (Decider, "403")]),
    row("GET /v1/materials", |_| ("/v1/materials".into(), Nothing),
        "401", &[(Community, "200"), (OtherCommunity, "200"), (KeyWithoutScope, "403"), (Keeper, "403"), (OtherKeeper, "403"), (Decider, "403")]),
    row("GET /v1/concerns", |_| ("/v1/concerns".into(), Nothing),
        "401", &[(Keeper, "200"), (OtherKeeper, "200"), (Decider, "403"), (Community, "403"), (KeyWithoutScope, "403"), (OtherCommunity, "403")]),
    row("POST /v1/concerns/{concern_id}/acknowledge", |it| (format!("/v1/concerns/{}/acknowledge", it.concern), Json(json!({"by": "anna"}))),
        "401", &[(Keeper, "200"), (OtherKeeper, "404"), (Decider, "403"), (Community, "403"), (KeyWithoutScope, "403"), (OtherCommunity, "403")]),
    row("POST /v1/concerns/{concern_id}/close", |it| (format!("/v1/concerns/{}/close", it.concern), Json(json!({"by": "anna"}))),
        "401", &[(Keeper, "409"), (OtherKeeper, "404"), (Decider, "403"), (Community, "403"), (KeyWithoutScope, "403"), (OtherCommunity, "403")]),
    row("POST /v1/concerns/{concern_id}/disclose", |it| (format!("/v1/concerns/{}/disclose", it.concern), Json(json!({"by": "ada", "reason": "says goodbye"}))),
        "401", &[(Decider, "200"), (Keeper, "403"), (OtherKeeper, "403"), (Community, "403"), (KeyWithoutScope, "403"), (OtherCommunity, "403")]),
    row("POST /v1/screenings", |it| ("/v1/screenings".into(), Json(json!({"id": "1", "handle": it.handle, "instrument": "c-ssrs", "risk": "low"}))),
        "401", &[(Keeper, "200"), (OtherKeeper, "409"), (Decider, "403"), (Community, "403"), (KeyWithoutScope, "403"), (OtherCommunity, "403")]),
    row("GET /v1/grants", |_| ("/v1/grants".into(), Nothing), "401", &[(Member, "200+"), (OtherMember, "200")]),
    row("POST /v1/grants", |_| ("/v1/grants".into(), Json(json!({"clinic": "riverside", "terms": terms()}))),
        "401", &[(Member, "409+"), (OtherMember, "409")]),
    row("PUT /v1/grants/{grant_id}", |it| (format!("/v1/grants/{}", it.grant), Json(terms())), "401", OWN),
    row("POST /v1/grants/{grant_id}/pause", |it| (format!("/v1/grants/{}/pause", it.grant), Nothing), "401", OWN),
    row("POST /v1/grants/{grant_id}/resume", |it| (format!("/v1/grants/{}/resume", it.grant), Nothing),
        "401", &[(Member, "409"), (OtherMember, "404")]),
    row("POST /v1/grants/{grant_id}/mark", |it| (format!("/v1/grants/{}/mark", it.grant), Nothing),
        "401", &[(Member, "409"), (OtherMember, "404")]),
    row("GET /v1/grants/{grant_id}/mark", |it| (format!("/v1/grants/{}/mark", it.grant), Nothing),
        "401", &[(Member, "200"), (OtherMember, "404")]),
    row("POST /v1/grants/{grant_id}/revoke", |it| (format!("/v1/grants/{}/revoke", it.grant), Nothing), "401", OWN),
    row("GET /fhir/metadata", |_| ("/fhir/metadata".into(), Nothing), "200", &[]),
    row("GET /fhir/Questionnaire", |_| ("/fhir/Questionnaire".into(), Nothing), "200", &[]),
    row("GET /fhir/Questionnaire/{id}", |_| ("/fhir/Questionnaire/phq-9".into(), Nothing), "200", &[]),
    row("GET /fhir/.well-known/smart-configuration", |_| ("/fhir/.well-known/smart-configuration".into(), Nothing), "200", &[]),
    row("POST /fhir/token", |_| ("/fhir/token".into(), Form(vec![("grant_type", "client_credentials".into())])), "400", &[]),
    row("POST /fhir/notify/{token}", |_| ("/fhir/notify/0123".into(), Json(json!({}))), "404", &[]),
    row("GET /fhir/Consent", |it| (format!("/fhir/Consent?patient={}", it.patient), Nothing), "401", ITS_PATIENTS),
    row("POST /fhir/Consent/_search", |it| ("/fhir/Consent/_search".into(), Form(vec![("patient", it.patient.clone())])),
        "401", ITS_PATIENTS),
    row("GET /fhir/Consent/{id}", |it| (format!("/fhir/Consent/{}", it.consent), Nothing),
        "401", &[(Clinic, "200+"), (OtherClinic, "404")]),
    row("POST /fhir/Patient/{id}/$ask-summary", |it| (format!("/fhir/Patient/{}/$ask-summary", it.patient), Nothing), "401", NOT_THEIRS),
    row("POST /fhir/Appointment/{identifier}/$join", |_| ("/fhir/Appointment/nothing/$join".into(), Nothing), "401", NOT_THEIRS),
    row("GET /fhir/AuditEvent", |it| (format!("/fhir/AuditEvent?patient={}", it.patient), Nothing), "401", ITS_PATIENTS),
    row("POST /fhir/AuditEvent/_search", |it| ("/fhir/AuditEvent/_search".into(), Form(vec![("patient", it.patient.clone())])),
        "401", ITS_PATIENTS),
    row("GET /v1/receipts", |_| ("/v1/receipts".into(), Nothing), "401", &[(Member, "200+"), (OtherMember, "200")]),
    row("GET /v1/receipts/{receipt_id}", |it| (format!("/v1/receipts/{}", it.receipt), Nothing),
        "401", &[(Member, "200"), (OtherMember, "404")]),
    row("GET /v1/notices", |_| ("/v1/notices".into(), Nothing), "200", &[]),
    row("GET /v1/export", |_| ("/v1/export".into(), Nothing), "401", EACH_THEIR_OWN),
    row("GET /v1/erasure", |_| ("/v1/erasure".into(), Nothing), "401", &[(Member, "404"), (OtherMember, "404")]),
    row("POST /v1/erasure", |_| ("/v1/erasure".into(), Json(json!({"ask_clinics": true}))),
        "401", &[(Member, "201"), (OtherMember, "201")]),
    row("POST /v1/erasure/cancel", |_| ("/v1/erasure/cancel".into(), Nothing), "401", &[(Member, "404"), (OtherMember, "200")]),
    row("POST /v1/erasure/hurry", |_| ("/v1/erasure/hurry".into(), Nothing), "401", &[(Member, "404"), (OtherMember, "404")]),
    row("POST /v1/erasure/certificate", |_| ("/v1/erasure/certificate".into(), Json(json!({"secret": "ec_0"}))), "404", &[]),
    row("GET /", page!("/"), "303 /sign-in", &[(Browser, "303 /sharing"), (OtherBrowser, "303 /sharing")]),
    row("GET /sharing", page!("/sharing"), "303 /sign-in", SIGNED_IN),
    row("GET /clinics", page!("/clinics"), "303 /sign-in", SIGNED_IN),
    row("GET /clinics/{clinic}/connect", page!("/clinics/riverside/connect"), "303 /sign-in", SIGNED_IN),
    row("POST /clinics/{clinic}/connect", form!("/clinics/riverside/connect"), "303 /sign-in", &[(Browser, "400"), (OtherBrowser, "400")]),
    row("GET /clinics/{clinic}/unlink", page!("/clinics/riverside/unlink"), "303 /sign-in", SIGNED_IN),
    row("GET /launch/return", page!("/launch/return?state=x&code=x"), "303 /sign-in", &[(Browser, "422"), (OtherBrowser, "422")]),
    row("GET /sharing/{clinic}", page!("/sharing/riverside"), "303 /sign-in", SIGNED_IN),
    row("POST /sharing/{clinic}", form!("/sharing/riverside"), "303 /sign-in", &[(Browser, "422"), (OtherBrowser, "422")]),
    row("POST /sharing/{clinic}/pause", form!("/sharing/riverside/pause"), "303 /sign-in", &[(Browser, "303 /sharing"), (OtherBrowser, "303 /sharing")]),
    row("POST /sharing/{clinic}/resume", form!("/sharing/riverside/resume"), "303 /sign-in", &[(Browser, "409"), (OtherBrowser, "303 /sharing")]),
    row("GET /sharing/{clinic}/stop", page!("/sharing/riverside/stop"), "303 /sign-in", SIGNED_IN),
    row("GET /preview/{clinic}", page!("/preview/riverside"), "303 /sign-in", SIGNED_IN),
    row("POST /preview/{clinic}", form!("/preview/riverside"), "303 /sign-in", &[(Browser, "422"), (OtherBrowser, "422")]),
    row("GET /data", page!("/data"), "303 /sign-in", SIGNED_IN),
    row("GET /data/keep", page!("/data/keep"), "303 /sign-in", SIGNED_IN),
    row("POST /data/keep", form!("/data/keep", "keep" = "everything"), "303 /sign-in", &[(Browser, "303 /data"), (OtherBrowser, "303 /data")]),
    row("GET /data/note", page!("/data/note"), "303 /sign-in", SIGNED_IN),
    row("POST /data/note", form!("/data/note"), "303 /sign-in", &[(Browser, "422"), (OtherBrowser, "422")]),
    row("GET /data/summary", page!("/data/summary"), "303 /sign-in", SIGNED_IN),
    row("POST /data/summary", form!("/data/summary", "agenda" = "x"), "303 /sign-in", &[(Browser, "422"), (OtherBrowser, "303 /data/summary")]),
    row("POST /data/summary/{clinic}", form!("/data/summary/riverside"), "303 /sign-in", &[(Browser, "303 /data/summary"), (OtherBrowser, "303 /data/summary")]),
    row("GET /data/import", page!("/data/import"), "303 /sign-in", SIGNED_IN),
    // Only a form that can carry a file has its token looked at.
    row("POST /data/import", form!("/data/import"), "303 /sign-in", &[(Browser, "403"), (OtherBrowser, "403")]),
    row("GET /shared", page!("/shared"), "303 /sign-in", SIGNED_IN),
    row("GET /questionnaires", page!("/questionnaires"), "303 /sign-in", SIGNED_IN),
    row("GET /questionnaires/{instrument}", page!("/questionnaires/phq-9"), "303 /sign-in",
        &[(Browser, "303 /questionnaires/phq-9/1"), (OtherBrowser, "303 /questionnaires/phq-9/1")]),
    row("GET /questionnaires/{instrument}/{question}", page!("/questionnaires/phq-9/1"), "303 /sign-in", SIGNED_IN),
    row("POST /questionnaires/{instrument}/{question}", form!("/questionnaires/phq-9/1"), "303 /sign-in",
        &[(Browser, "422"), (OtherBrowser, "422")]),
    row("GET /questionnaires/{instrument}/review", page!("/questionnaires/phq-9/review"), "303 /sign-in", SIGNED_IN),
    row("POST /questionnaires/{instrument}/review", form!("/questionnaires/phq-9/review"), "303 /sign-in",
        &[(Browser, "303 /questionnaires"), (OtherBrowser, "303 /questionnaires")]),
    row("POST /questionnaires/{instrument}/leave-out", form!("/questionnaires/phq-9/leave-out"), "303 /sign-in",
        &[(Browser, "303 /questionnaires"), (OtherBrowser, "303 /questionnaires")]),
    row("POST /questionnaires/{instrument}/discard", form!("/questionnaires/phq-9/discard"), "303 /sign-in",
        &[(Browser, "303 /questionnaires"), (OtherBrowser, "303 /questionnaires")]),
    row("GET /receipts", page!("/receipts"), "303 /sign-in", SIGNED_IN),
    row("GET /receipts/{receipt}", |it| (format!("/receipts/{}", it.receipt), Nothing),
        "303 /sign-in", &[(Browser, "200+"), (OtherBrowser, "404")]),
    row("GET /receipts/{receipt}/file", |it| (format!("/receipts/{}/file", it.receipt), Nothing),
        "303 /sign-in", &[(Browser, "200"), (OtherBrowser, "404")]),
    row("GET /export", page!("/export"), "303 /sign-in", SIGNED_IN),
    row("POST /export", form!("/export"), "303 /sign-in", SIGNED_IN),
    row("GET /erase", page!("/erase"), "303 /sign-in", SIGNED_IN),
    row("POST /erase", form!("/erase"), "303 /sign-in", &[(Browser, "303 /erase"), (OtherBrowser, "303 /erase")]),
    row("GET /erase/now", page!("/erase/now"), "303 /sign-in", &[(Browser, "303 /erase"), (OtherBrowser, "200")]),
    row("POST /erase/now", form!("/erase/now"), "303 /sign-in", &[(Browser, "422"), (OtherBrowser, "422")]),
    row("POST /erase/cancel", form!("/erase/cancel"), "303 /sign-in", &[(Browser, "409"), (OtherBrowser, "303 /sharing")]),
    row("GET /erase/certificate", page!("/erase/certificate"), "200", &[]),
    row("POST /erase/certificate", form!("/erase/certificate", "secret" = "ec_0"), "403", &[(Browser, "404"), (OtherBrowser, "404")]),
    row("GET /messages", page!("/messages"), "303 /sign-in", SIGNED_IN),
    row("GET /messages/{message}", |it| (format!("/messages/{}", it.message), Nothing),
        "303 /sign-in", &[(Browser, "200"), (OtherBrowser, "404")]),
    row("POST /messages/{message}", |it| (format!("/messages/{}", it.message), Form(vec![("answer", "accept".to_owned())])),
        "303 /sign-in", &[(Browser, "303 /messages/{message}"), (OtherBrowser, "404")]),
    row("GET /connect", page!("/connect"), "200", &[]),
    row("GET /communities", page!("/communities"), "303 /sign-in", SIGNED_IN),
    row("POST /communities", form!("/communities"), "303 /sign-in", SIGNED_IN),
    row("GET /talk", page!("/talk"), "303 /sign-in", SIGNED_IN),
    row("POST /talk", form!("/talk", "key" = "01234567-89ab-cdef-0123-456789abcdef", "say" = "menu"), "303 /sign-in", SIGNED_IN),
    row("GET /visits", page!("/visits"), "303 /sign-in", SIGNED_IN),
    // Whoever lets nothing come back from a clinic books nothing there.
    row("GET /visits/ask/{clinic}/{visit}", page!("/visits/ask/riverside/first-talk"), "303 /sign-in", THEIR_VISIT),
    row("POST /visits/ask/{clinic}/{visit}", form!("/visits/ask/riverside/never-heard-of", "reason" = ""), "303 /sign-in", NONE_THERE),
    row("GET /visits/{booking}", |it| (format!("/visits/{}", it.booking), Nothing), "303 /sign-in", THEIR_VISIT),
    row("GET /visits/{booking}/join", |it| (format!("/visits/{}/join", it.booking), Nothing), "303 /sign-in", BACK_TO_IT),
    row("GET /visits/{booking}/calendar.ics", |it| (format!("/visits/{}/calendar.ics", it.booking), Nothing), "303 /sign-in", NONE_THERE),
    row("POST /visits/groups/{clinic}/{group}", form!("/visits/groups/riverside/00000000-0000-0000-0000-000000000000"), "303 /sign-in", NONE_THERE),
    row("GET /announcements", page!("/announcements"), "200", &[]),
    row("GET /materials", page!("/materials"), "200", &[]),
    row("GET /materials/{material}", page!("/materials/00000000-0000-0000-0000-000000000000"), "404", &[]),
    row("GET /materials/{material}/{version}", page!("/materials/00000000-0000-0000-0000-000000000000/1"), "404", &[]),
    row("GET /visits/camera", page!("/visits/camera"), "200", &[]),
    row("POST /visits/{booking}/here", |it| visit(it, "here", &[]), "303 /sign-in", NOT_NOW),
    row("POST /visits/{booking}/rate", |it| visit(it, "rate", &[("rating", "5")]), "303 /sign-in", NOT_NOW),
    row("POST /visits/{booking}/look", |it| visit(it, "look", &[]), "303 /sign-in", BACK_TO_IT),
    row("POST /visits/{booking}/wait", |it| visit(it, "wait", &[("wait", "yes")]), "303 /sign-in", BACK_TO_IT),
    row("POST /visits/{booking}/choose", |it| visit(it, "choose", &[("place", "slot:x")]), "303 /sign-in", NOT_NOW),
    row("POST /visits/{booking}/confirm", |it| visit(it, "confirm", &[]), "303 /sign-in", NOT_NOW),
    row("POST /visits/{booking}/release", |it| visit(it, "release", &[]), "303 /sign-in", NOT_NOW),
    row("POST /visits/{booking}/change", |it| visit(it, "change", &[]), "303 /sign-in", NOT_NOW),
    row("GET /visits/{booking}/cancel", |it| (format!("/visits/{}/cancel", it.booking), Nothing), "303 /sign-in", THEIR_VISIT),
    row("POST /visits/{booking}/cancel", |it| visit(it, "cancel", &[]), "303 /sign-in", BACK_TO_IT),
    row("GET /rules/{community}", page!("/rules/forum"), "200", &[]),
    row("POST /rules/{community}", form!("/rules/forum", "version" = "2026-11-26"), "303 /sign-in",
        &[(Browser, "303 /rules/forum"), (OtherBrowser, "303 /rules/forum")]),
    row("GET /settings/messages", page!("/settings/messages"), "303 /sign-in", SIGNED_IN),
    row("POST /settings/messages", form!("/settings/messages", "grade" = "notice", "when" = "now"), "303 /sign-in",
        &[(Browser, "303 /settings/messages"), (OtherBrowser, "303 /settings/messages")]),
    row("GET /settings/calendar", page!("/settings/calendar"), "303 /sign-in", SIGNED_IN),
    row("POST /settings/calendar", form!("/settings/calendar"), "303 /sign-in", SIGNED_IN),
    row("POST /settings/calendar/off", form!("/settings/calendar/off"), "303 /sign-in",
        &[(Browser, "303 /settings/calendar"), (OtherBrowser, "303 /settings/calendar")]),
    row("GET /settings/push", page!("/settings/push"), "303 /sign-in", SIGNED_IN),
    row("POST /settings/push", form!("/settings/push", "endpoint" = "https://evil.example/"), "303 /sign-in",
        &[(Browser, "422"), (OtherBrowser, "422")]),
    row("POST /settings/push/off", form!("/settings/push/off", "browser" = "01234567-89ab-cdef-0123-456789abcdef"),
        "303 /sign-in", &[(Browser, "303 /settings/push"), (OtherBrowser, "303 /settings/push")]),
    row("GET /push-worker.js", page!("/push-worker.js"), "200", &[]),
    row("GET /settings", page!("/settings"), "303 /sign-in", SIGNED_IN),
    row("POST /settings", form!("/settings", "language" = "ru"), "303 /sign-in", &[(Browser, "303 /settings"), (OtherBrowser, "303 /settings")]),
    row("GET /sign-in", page!("/sign-in"), "200", &[(Browser, "303 /sharing"), (OtherBrowser, "303 /sharing")]),
    row("POST /sign-in", form!("/sign-in", "community" = "forum", "handle" = "x"), "403", &[(Browser, "422"), (OtherBrowser, "422")]),
    row("GET /sign-in/sent", page!("/sign-in/sent"), "200", &[]),
    row("GET /sign-in/link/{secret}", page!("/sign-in/link/x"), "410", &[]),
    row("POST /sign-in/link/{secret}", form!("/sign-in/link/x"), "403", &[(Browser, "410"), (OtherBrowser, "410")]),
    row("POST /sign-in/provider", form!("/sign-in/provider", "community" = "forum"), "403", &[(Browser, "502"), (OtherBrowser, "502")]),
    row("GET /sign-in/return", page!("/sign-in/return?state=x&code=x"), "422", &[]),
    row("POST /settings/identity", form!("/settings/identity"), "303 /sign-in", &[(Browser, "502"), (OtherBrowser, "502")]),
    row("POST /settings/identity/remove", form!("/settings/identity/remove"), "303 /sign-in", &[(Browser, "303 /settings"), (OtherBrowser, "303 /settings")]),
    row("GET /sign-out", page!("/sign-out"), "303 /sign-in", SIGNED_IN),
    row("POST /sign-out", form!("/sign-out"), "303 /sign-in", &[(Browser, "303 /sign-in"), (OtherBrowser, "303 /sign-in")]),
    row("POST /language", form!("/language", "language" = "ru", "back" = "/"), "403", &[(Browser, "303 /"), (OtherBrowser, "303 /")]),
    row("GET /assets/{version}/{name}", page!("/assets/x/y"), "404", &[]),
    // The last: what the other member had ends here too.
    row("POST /sharing/{clinic}/stop", form!("/sharing/riverside/stop"), "303 /sign-in", &[(Browser, "303 /sharing"), (OtherBrowser, "303 /sharing")]),
    row("POST /clinics/{clinic}/unlink", form!("/clinics/riverside/unlink"), "303 /sign-in", &[(Browser, "303 /clinics"), (OtherBrowser, "303 /clinics")]),
    row("POST /sign-out/everywhere", form!("/sign-out/everywhere"), "303 /sign-in", &[(Browser, "303 /sign-in"), (OtherBrowser, "303 /sign-in")]),
];

/// Every row: the staff view and the review queue have tables of their own.
fn rows() -> impl Iterator<Item = &'static Row> {
    staff::TABLE.iter().chain(moderate::TABLE).chain(TABLE)
}

fn terms() -> serde_json::Value {
    json!({"categories": {"mood": "every-entry"}})
}

/// Method and pattern of every route there is.
fn served() -> Vec<String> {
    let methods =
        all_routes().flat_map(|route| route.methods.split(' ').map(|method| format!("{method} {}", route.path)));
    methods.collect()
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let (served, rows) = (served(), rows().map(|row| row.route.to_owned()).collect::<Vec<_>>());
    let (unique, unique_rows): (BTreeSet<_>, BTreeSet<_>) = (served.iter().collect(), rows.iter().collect());
    assert_eq!((unique.len(), unique_rows.len()), (served.len(), rows.len()), "each once");
    let without: Vec<_> = unique.difference(&unique_rows).collect();
    assert!(without.is_empty(), "who may call these? Give each a row in tests/it/house/routes.rs: {without:?}");
    let vanished: Vec<_> = unique_rows.difference(&unique).collect();
    assert!(vanished.is_empty(), "these rows have no route: {vanished:?}");
}

on_both_databases! {
    async fn everybody_gets_what_the_table_says(database) {
        let world = World::new(database).await;
        let (mut wrong, mut target) = (Vec::new(), world.target(0).await);
        let mut is_as_it_was = true;
        for (number, row) in rows().enumerate() {
            // Who only looked has changed nothing, so the next row asks about the same member.
            if !is_as_it_was {
                target = world.target(number).await;
            }
            is_as_it_was = row.is_safe();
            for who in EVERYBODY {
                let expected = row.but.iter().find(|(named, _)| *named == who).map_or(row.others, |(_, told)| told);
                let told = world.told(who, row, &target).await;
                if told != expected {
                    wrong.push(format!("{} as {who:?}: {told}, expected {expected}", row.route));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
