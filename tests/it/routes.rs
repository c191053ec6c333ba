//! Every route, asked as everybody there is. The table below has a row for each route of the bridge, and for none that is
//! not there; a row says what each caller is told.
//!
//! A new route is one more `row`: what to ask about the member of the row, and what comes of it, as a status, with `+` where
//! the answer shows the member's grant or Patient (nobody else may see that). `others` is everybody who is not named. Somebody new
//! who calls is one more `Who`, with a credential in `World::credential`: until a row says otherwise, they are `others`.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mostik::domain::ids::MemberId;
use mostik::enrolment::credentials::{EVENTS_WRITE, create_api_key};
use mostik::enrolment::session;
use mostik::web::{ROUTES, all_routes};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, forum, mood};
use crate::support::clinic::{ALL_SCOPES, PUBLIC_URL, System, entries, read, two_clinics};
use crate::support::database::Database;
use crate::support::http::client;
use mostik::vault::signing::SigningAlgorithm;

/// Who asks about the member of a row, in this order: what the member does may change what there is to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Who {
    /// Without any credential.
    Nobody,
    /// A community that the member is not in.
    OtherCommunity,
    /// Their community, with a key for something else.
    KeyWithoutScope,
    /// Their community.
    Community,
    /// Another member, of the same community, and with a grant to the same clinic.
    OtherMember,
    /// A clinic that the member is no patient of.
    OtherClinic,
    /// Their clinic.
    Clinic,
    /// Another member, signed in at the portal.
    OtherBrowser,
    /// The member, signed in at the portal.
    Browser,
    /// The member.
    Member,
}
use Who::{
    Browser, Clinic, Community, KeyWithoutScope, Member, Nobody, OtherBrowser, OtherClinic, OtherCommunity, OtherMember,
};

const EVERYBODY: [Who; 10] = [
    Nobody,
    OtherCommunity,
    KeyWithoutScope,
    Community,
    OtherMember,
    OtherClinic,
    Clinic,
    OtherBrowser,
    Browser,
    Member,
];

/// A route and what comes of asking for it.
struct Row {
    /// Method and pattern, as in `web::ROUTES`.
    route: &'static str,
    /// What to ask for about a member: the path, with the body if there is one.
    ask: fn(&Target) -> (String, Body),
    others: &'static str,
    but: &'static [(Who, &'static str)],
}

enum Body {
    Nothing,
    Json(serde_json::Value),
    Form(Vec<(&'static str, String)>),
}
use Body::{Form, Json, Nothing};

/// A member with a grant, who is a patient of riverside.
struct Target {
    handle: String,
    patient: String,
    grant: String,
    consent: String,
    receipt: String,
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
const SIGNED_IN: &[(Who, &str)] = &[(Browser, "200"), (OtherBrowser, "200")];
const THEIR_FORMS: &[(Who, &str)] = &[(Browser, "303"), (OtherBrowser, "303")];
const ITS_PATIENTS: &[(Who, &str)] = &[(Clinic, "200+"), (OtherClinic, "200")];

#[rustfmt::skip]
const TABLE: &[Row] = &[
    row("GET /livez", |_| ("/livez".into(), Nothing), "200", &[]),
    row("HEAD /livez", |_| ("/livez".into(), Nothing), "200", &[]),
    row("GET /readyz", |_| ("/readyz".into(), Nothing), "200", &[]),
    row("HEAD /readyz", |_| ("/readyz".into(), Nothing), "200", &[]),
    row("GET /openapi.json", |_| ("/openapi.json".into(), Nothing), "200", &[]),
    row("GET /.well-known/jwks.json", |_| ("/.well-known/jwks.json".into(), Nothing), "200", &[]),
    row("POST /v1/events", |it| ("/v1/events".into(), Json(mood(&it.handle, &it.handle, 4))),
        "401", &[(Community, "202"), (KeyWithoutScope, "403"), (OtherCommunity, "422")]),
    row("GET /v1/grants", |_| ("/v1/grants".into(), Nothing), "401", &[(Member, "200+"), (OtherMember, "200")]),
    row("POST /v1/grants", |_| ("/v1/grants".into(), Json(json!({"clinic": "riverside", "terms": terms()}))),
        "401", &[(Member, "409+"), (OtherMember, "409")]),
    row("PUT /v1/grants/{grant_id}", |it| (format!("/v1/grants/{}", it.grant), Json(terms())), "401", OWN),
    row("POST /v1/grants/{grant_id}/pause", |it| (format!("/v1/grants/{}/pause", it.grant), Nothing), "401", OWN),
    row("POST /v1/grants/{grant_id}/resume", |it| (format!("/v1/grants/{}/resume", it.grant), Nothing),
        "401", &[(Member, "409"), (OtherMember, "404")]),
    row("POST /v1/grants/{grant_id}/revoke", |it| (format!("/v1/grants/{}/revoke", it.grant), Nothing), "401", OWN),
    row("GET /fhir/metadata", |_| ("/fhir/metadata".into(), Nothing), "200", &[]),
    row("GET /fhir/.well-known/smart-configuration", |_| ("/fhir/.well-known/smart-configuration".into(), Nothing), "200", &[]),
    row("POST /fhir/token", |_| ("/fhir/token".into(), Form(vec![("grant_type", "client_credentials".into())])), "400", &[]),
    row("GET /fhir/Consent", |it| (format!("/fhir/Consent?patient={}", it.patient), Nothing), "401", ITS_PATIENTS),
    row("POST /fhir/Consent/_search", |it| ("/fhir/Consent/_search".into(), Form(vec![("patient", it.patient.clone())])),
        "401", ITS_PATIENTS),
    row("GET /fhir/Consent/{id}", |it| (format!("/fhir/Consent/{}", it.consent), Nothing),
        "401", &[(Clinic, "200+"), (OtherClinic, "404")]),
    row("GET /fhir/AuditEvent", |it| (format!("/fhir/AuditEvent?patient={}", it.patient), Nothing), "401", ITS_PATIENTS),
    row("POST /fhir/AuditEvent/_search", |it| ("/fhir/AuditEvent/_search".into(), Form(vec![("patient", it.patient.clone())])),
        "401", ITS_PATIENTS),
    row("GET /v1/receipts", |_| ("/v1/receipts".into(), Nothing), "401", &[(Member, "200+"), (OtherMember, "200")]),
    row("GET /v1/receipts/{receipt_id}", |it| (format!("/v1/receipts/{}", it.receipt), Nothing), "401", OWN),
    row("GET /v1/notices", |_| ("/v1/notices".into(), Nothing), "200", &[]),
    row("GET /", |_| ("/".into(), Nothing), "303", &[]),
    row("GET /sharing", |_| ("/sharing".into(), Nothing), "303", SIGNED_IN),
    row("GET /settings", |_| ("/settings".into(), Nothing), "303", SIGNED_IN),
    row("POST /settings", |_| ("/settings".into(), Form(vec![("language", "ru".into())])), "403", THEIR_FORMS),
    row("GET /sign-in", |_| ("/sign-in".into(), Nothing), "200", &[]),
    row("POST /sign-in", |_| ("/sign-in".into(), Form(vec![("community", "forum".into()), ("handle", "x".into())])),
        "403", THEIR_FORMS),
    row("GET /sign-in/sent", |_| ("/sign-in/sent".into(), Nothing), "200", &[]),
    row("GET /sign-in/link/{secret}", |_| ("/sign-in/link/x".into(), Nothing), "404", &[]),
    row("POST /sign-in/link/{secret}", |_| ("/sign-in/link/x".into(), Form(vec![])), "403", &[]),
    row("GET /sign-out", |_| ("/sign-out".into(), Nothing), "303", SIGNED_IN),
    row("POST /sign-out", |_| ("/sign-out".into(), Form(vec![])), "403", THEIR_FORMS),
    row("POST /language", |_| ("/language".into(), Form(vec![("language", "ru".into()), ("back", "/".into())])),
        "403", THEIR_FORMS),
    row("GET /assets/{version}/{name}", |_| ("/assets/x/y".into(), Nothing), "404", &[]),
    // The last: the other member's token ends here too.
    row("POST /sign-out/everywhere", |_| ("/sign-out/everywhere".into(), Form(vec![])), "403", THEIR_FORMS),
];

fn terms() -> serde_json::Value {
    json!({"categories": {"mood": "every-entry"}})
}

/// A bridge, and what everybody calls it with.
struct World {
    bridge: TestBridge,
    other_community: String,
    without_scope: String,
    other: Person,
    clinic: String,
    other_clinic: String,
}

impl World {
    async fn new(database: Database) -> Self {
        let river = System::new("riverside-ehr", SigningAlgorithm::Es384);
        let lake = System::new("lakeside-ehr", SigningAlgorithm::Es384);
        let access = river.registered("riverside") + &lake.registered("lakeside");
        let text = two_clinics(&database, &access) + "[communities.chat]\nname = \"The chat\"\n";
        let bridge = TestBridge::start_with(database, &text).await;
        let key = async |community: &str, scopes: &str| {
            let mut tx = bridge.bridge.store.begin().await.unwrap();
            let (keyring, community) = (&bridge.bridge.keyring, community.parse().unwrap());
            let key = create_api_key(&mut tx, keyring, &community, scopes, bridge.now()).await.unwrap();
            tx.commit().await.unwrap();
            key.secret
        };
        let other = bridge.person("wren", "patient-of-wren").await;
        bridge.grant(&other, &["mood"]).await;
        Self {
            other_community: key("chat", EVENTS_WRITE).await,
            without_scope: key("forum", "other:thing").await,
            other,
            clinic: river.token(&bridge, ALL_SCOPES).await,
            other_clinic: lake.token(&bridge, ALL_SCOPES).await,
            bridge,
        }
    }

    /// A member of their own for each row.
    async fn target(&self, number: usize) -> (Target, Person) {
        let (handle, patient) = (format!("sparrow-{number}"), format!("patient-{number}"));
        let member = self.bridge.person(&handle, &patient).await;
        let grant = self.bridge.grant(&member, &["mood"]).await;
        let found = read(&self.bridge, &self.clinic, &format!("/fhir/Consent?patient={patient}")).await;
        let consent = entries(&found.json)[0]["id"].as_str().unwrap().to_owned();
        let receipts = self.bridge.as_member(&member, Method::GET, "/v1/receipts", None).await;
        let receipt = receipts.json["receipts"][0]["id"].as_str().unwrap().to_owned();
        (Target { handle, patient, grant, consent, receipt }, member)
    }

    /// A session of a member at the portal: what its cookie holds, and the token that its forms carry.
    async fn session(&self, member: MemberId) -> (String, String) {
        let (keyring, now) = (&self.bridge.bridge.keyring, self.bridge.now());
        let mut tx = self.bridge.bridge.store.begin().await.unwrap();
        let secret = session::open(&mut tx, keyring, member, forum(), None, now).await.unwrap();
        tx.commit().await.unwrap();
        let csrf = URL_SAFE_NO_PAD.encode(keyring.index().index("csrf", &[secret.as_bytes()]));
        (secret, csrf)
    }

    /// What somebody calls a program's route with.
    fn credential<'a>(&'a self, who: Who, member: &'a Person) -> Option<&'a str> {
        match who {
            Nobody | OtherBrowser | Browser => None,
            OtherCommunity => Some(&self.other_community),
            KeyWithoutScope => Some(&self.without_scope),
            Community => Some(&self.bridge.api_key),
            OtherMember => Some(&self.other.token),
            OtherClinic => Some(&self.other_clinic),
            Clinic => Some(&self.clinic),
            Member => Some(&member.token),
        }
    }

    /// What somebody is told: the status, and `+` if the answer shows the member's grant.
    async fn told(&self, who: Who, row: &Row, (target, member): &(Target, Person)) -> String {
        let (path, mut body) = (row.ask)(target);
        let method: Method = row.route.split(' ').next().unwrap().parse().unwrap();
        let host = PUBLIC_URL.strip_prefix("https://").unwrap();
        let mut request = client().request(method, format!("{}{path}", self.bridge.api)).header("host", host);
        if let Some(credential) = self.credential(who, member) {
            request = request.bearer_auth(credential);
        }
        if [Browser, OtherBrowser].contains(&who) {
            let (secret, csrf) = self.session(if who == Browser { member.id } else { self.other.id }).await;
            request = request.header("cookie", format!("__Host-session={secret}")).header("accept", "text/html");
            if let Form(fields) = &mut body {
                fields.push(("csrf", csrf));
            }
        }
        let response = with_body(request, body).send().await.unwrap();
        let status = response.status().as_u16();
        let answer = response.text().await.unwrap().replace('-', "");
        let marks = [target.grant.replace('-', ""), format!("/Patient/{}\"", target.patient).replace('-', "")];
        let shown = marks.iter().any(|mark| answer.contains(mark));
        format!("{status}{}", if shown { "+" } else { "" })
    }
}

fn with_body(request: RequestBuilder, body: Body) -> RequestBuilder {
    match body {
        Nothing => request,
        Json(value) => request.header("content-type", "application/json").body(value.to_string()),
        Form(fields) => request.form(&fields),
    }
}

/// Method and pattern of every route there is.
fn served() -> Vec<String> {
    let methods =
        all_routes().flat_map(|route| route.methods.split(' ').map(|method| format!("{method} {}", route.path)));
    methods.collect()
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let (served, rows) = (served(), TABLE.iter().map(|row| row.route.to_owned()).collect::<Vec<_>>());
    let (unique, unique_rows): (BTreeSet<_>, BTreeSet<_>) = (served.iter().collect(), rows.iter().collect());
    assert_eq!((unique.len(), unique_rows.len()), (served.len(), rows.len()), "each once");
    let without: Vec<_> = unique.difference(&unique_rows).collect();
    assert!(without.is_empty(), "who may call these? Give each a row in tests/it/routes.rs: {without:?}");
    let vanished: Vec<_> = unique_rows.difference(&unique).collect();
    assert!(vanished.is_empty(), "these rows have no route: {vanished:?}");
}

on_both_databases! {
    async fn everybody_gets_what_the_table_says(database) {
        let world = World::new(database).await;
        let mut wrong = Vec::new();
        for (number, row) in TABLE.iter().enumerate() {
            let target = world.target(number).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_is_served_that_the_table_does_not_have() {
    let world = World::new(Database::sqlite()).await;
    let served: BTreeSet<String> = served().into_iter().collect();
    for route in ROUTES {
        let path = route.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let url = format!("{}{}", world.bridge.api, path.collect::<Vec<_>>().join("/"));
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
            if served.contains(&format!("{method} {}", route.path)) {
                continue;
            }
            // Where an id would stand: a read of something that no id can name.
            let read = method == "GET" && route.path.ends_with("/_search");
            let method: Method = method.parse().unwrap();
            let response = client().request(method.clone(), &url).bearer_auth(&world.clinic).send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            if read {
                assert_eq!(status, 404, "{method} {}", route.path);
                continue;
            }
            assert_eq!(status, 405, "{method} {}", route.path);
            let allowed = headers["allow"].to_str().unwrap();
            assert!(route.methods.split(' ').all(|served| allowed.contains(served)), "{method} {}", route.path);
            let expected =
                if route.path.starts_with("/fhir/") { "application/fhir+json" } else { "application/problem+json" };
            assert_eq!(headers["content-type"], expected, "{method} {}", route.path);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_only_looks_like_a_route_is_none() {
    let world = World::new(Database::sqlite()).await;
    for path in [
        "/v1",
        "/v1/",
        "/v1/grants/",
        "/V1/grants",
        "/v1//grants",
        "/v1/grants%2f1",
        "/fhir",
        "/fhir/",
        "/fhir/Consent/",
        "/fhir/consent",
        "/fhir/Consent/1/_history",
        "/fhir/Consent/1/_history/1",
        "/fhir/$export",
        "/fhir//metadata",
        "/fhir/Patient",
        "/fhir/.well-known",
    ] {
        let got = read(&world.bridge, &world.clinic, path).await;
        let expected = if path.starts_with("/fhir") { "application/fhir+json" } else { "application/problem+json" };
        assert_eq!((got.status, got.content_type.as_str()), (404, expected), "{path}");
    }
}
