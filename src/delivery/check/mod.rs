//! Walks the way to a clinic's EHR step by step: what is good, what is not, and what to do about it. Stores nothing.
//! [`launch`] walks the way of members who sign in at the clinic; [`forms`] says what the clinic gets beside single entries.

mod forms;
mod launch;

pub use forms::{Wanted, check_forms};
pub use launch::check_launch;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::egress::EgressError;
use super::ehr::{Access, EhrClient, Found};
use super::smart_auth::{AuthorizationServer, Discovery, SmartAuth, TokenError, scopes};
use crate::domain::delivery::Rung;
use crate::domain::ids::MemberId;
use crate::vault::signing::SigningKeys;

/// What the bridge creates.
const CREATED_TYPE: &str = "Observation";

/// An Observation as the bridge writes them, about nobody.
const SPECIMEN: &str = r#"{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"survey"}]}],"code":{"text":"Mood, self-rated (a test of the connection)"},"subject":{"display":"nobody"},"effectiveDateTime":"2000-01-01T00:00:00Z","valueQuantity":{"value":3,"unit":"{score}","system":"http://unitsofmeasure.org","code":"{score}"}}"#;

/// The checks are about no member.
const NOBODY: MemberId = MemberId(Uuid::nil());

/// One step of the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Which.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
}

/// How a step went, in words for an operator. None of them is secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// As it should.
    Good(String),
    /// Not as it should, and what to do about it.
    Wrong(String),
    /// There was nothing to do.
    Skipped(&'static str),
}

impl Outcome {
    fn of(good: bool, when_good: impl Into<String>, when_wrong: impl Into<String>) -> Self {
        if good { Self::Good(when_good.into()) } else { Self::Wrong(when_wrong.into()) }
    }
}

/// Walks until a step fails on which the next ones stand.
pub async fn check(ehr: &EhrClient) -> Vec<Step> {
    let mut walk = Walk { ehr, lent: None, steps: Vec::new() };
    if walk.connect().await && walk.authorize().await {
        walk.capabilities().await;
        walk.search().await;
    }
    walk.steps
}

/// The same for a clinic whose members lend the bridge their access. Only they have tokens: what takes one is left out.
pub async fn check_lent(
    ehr: &EhrClient,
    discovery: &Discovery,
    scopes: &str,
    keys: &SigningKeys,
    now: Timestamp,
) -> Vec<Step> {
    let mut walk = Walk { ehr, lent: Some(scopes), steps: Vec::new() };
    if walk.connect().await && walk.find_server(discovery, scopes, keys, now).await {
        walk.capabilities().await;
        walk.note("search by identifier", Outcome::Skipped("takes a member's token"));
    }
    walk.steps
}

struct Walk<'a> {
    ehr: &'a EhrClient,
    /// What members are asked to lend, where they lend something.
    lent: Option<&'a str>,
    steps: Vec<Step>,
}

impl Walk<'_> {
    /// Notes a step; returns whether the way goes on.
    fn note(&mut self, name: &'static str, outcome: Outcome) -> bool {
        let goes_on = !matches!(outcome, Outcome::Wrong(_));
        self.steps.push(Step { name, outcome });
        goes_on
    }

    async fn connect(&mut self) -> bool {
        let base = self.ehr.base();
        let (host, encrypted) = (base.host_str().unwrap_or_default().to_owned(), base.scheme() == "https");
        let knocked = self.ehr.knock().await;
        let wrong = match &knocked {
            Ok(_) | Err(EgressError::Tls | EgressError::AnswerTooLong) => None,
            Err(EgressError::Refused | EgressError::TooLate) => Some(
                "it stands in a private network: if that is right, set delivery.private_networks = true".to_owned(),
            ),
            Err(EgressError::NoConnection) => Some(format!(
                "no connection to {host}, port {}: check fhir_base, the name service and the firewall; a name that leads \
                 into a private network is refused",
                base.port_or_known_default().unwrap_or_default()
            )),
            Err(EgressError::NoAnswer | EgressError::Timeout) => {
                Some(format!("{host} takes the connection and does not answer: check fhir_base"))
            }
        };
        let connected = self.note("connection", Outcome::of(wrong.is_none(), host.clone(), wrong.unwrap_or_default()));
        connected && self.tls(&host, encrypted, knocked.err() != Some(EgressError::Tls))
    }

    fn tls(&mut self, host: &str, encrypted: bool, good: bool) -> bool {
        if !encrypted {
            return self.note("TLS", Outcome::Skipped("fhir_base is http: for tests and private networks only"));
        }
        let wrong = TokenError::Tls { host: host.to_owned() }.to_string();
        self.note("TLS", Outcome::of(good, "the certificate is good", wrong))
    }

    async fn authorize(&mut self) -> bool {
        let Access::Own(auth) = self.ehr.access() else {
            return self.note("discovery", Outcome::Skipped("auth.method is none: no token is asked for"));
        };
        match auth.discover().await {
            Ok(server) => self.note_server(&server),
            Err(error) => return self.note("discovery", Outcome::Wrong(error.to_string())),
        }
        self.token(auth).await
    }

    fn note_server(&mut self, server: &AuthorizationServer) {
        let gaps = match server.gaps.as_slice() {
            [] => String::new(),
            gaps => format!("; not there, and not needed here: {}", gaps.join(", ")),
        };
        self.note("discovery", Outcome::Good(format!("tokens are at {}{gaps}", server.token_endpoint)));
    }

    /// What the SMART configuration says to one who has no token yet.
    async fn find_server(&mut self, discovery: &Discovery, asked: &str, keys: &SigningKeys, now: Timestamp) -> bool {
        let server = match discovery.find(now).await {
            Ok(server) => server,
            Err(error) => return self.note("discovery", Outcome::Wrong(error.to_string())),
        };
        self.note_server(&server);
        let unsaid = Outcome::Skipped("it does not say refresh_token; SMART does not ask for that");
        self.note(
            "grant types",
            if server.renews() { Outcome::Good("access can be renewed".to_owned()) } else { unsaid },
        );
        self.note("scopes", scopes_supported(&server, asked));
        if discovery.flow().signed() {
            let key = keys.active(now, |algorithm| server.accepts(algorithm));
            let kid = key.as_ref().map(|key| key.kid().to_owned());
            let signs = Outcome::of(kid.is_some(), kid.unwrap_or_default(), TokenError::NoKey.to_string());
            self.note("signing key", signs);
        }
        self.note("token", Outcome::Skipped("tokens come from members, each by a launch of their own"));
        true
    }

    async fn token(&mut self, auth: &SmartAuth) -> bool {
        if let Err(error) = auth.token().await {
            return self.note("token", Outcome::Wrong(error.to_string()));
        }
        let state = auth.state();
        let (kid, until) =
            (state.kid.unwrap_or_default(), state.expires_at.map(|at| at.strftime("%F %T UTC").to_string()));
        self.note("token", Outcome::Good(format!("signed with {kid}, good until {}", until.unwrap_or_default())));
        let granted = state.granted.unwrap_or_default();
        let wrong = format!(
            "not granted: {}; ask the clinic to grant it, or change auth.scopes (granted: {granted})",
            state.missing.join(" ")
        );
        self.note("scopes", Outcome::of(state.missing.is_empty(), granted.clone(), wrong));
        // Without all scopes a part of the way may still be open: worth looking.
        true
    }

    async fn capabilities(&mut self) {
        let answer = self.ehr.capability_statement(NOBODY).await.ok().filter(|answer| answer.status == 200);
        let statement = answer.and_then(|answer| {
            let capabilities = self.ehr.capabilities(&answer.body);
            Some((serde_json::from_slice::<Value>(&answer.body).ok()?, capabilities))
        });
        let Some((statement, capabilities)) = statement else {
            let wrong = "/metadata gives no CapabilityStatement: check that fhir_base is a FHIR R4 endpoint";
            self.note("FHIR version", Outcome::Wrong(wrong.to_owned()));
            return;
        };
        let version = statement.get("fhirVersion").and_then(Value::as_str).unwrap_or("none");
        let wrong = format!("it says {version}, and the bridge speaks R4 (4.0.1): ask the clinic for its R4 endpoint");
        self.note("FHIR version", Outcome::of(capabilities.is_some(), version, wrong));
        let Some(capabilities) = capabilities else { return };
        let rung = match capabilities.rung(CREATED_TYPE) {
            Rung::Discrete => Outcome::Good("discrete: each entry as an Observation".to_owned()),
            Rung::Document => Outcome::Good("document: each entry as a readable note (DocumentReference)".to_owned()),
            Rung::None => Outcome::Wrong(
                "the EHR says that it takes neither new Observations nor new DocumentReferences, and everything will be \
                 held: ask the clinic what it takes, or set takes.form if it takes more than it says"
                    .to_owned(),
            ),
        };
        self.note("takes data as", rung);
        let updates = capabilities.has_update(CREATED_TYPE);
        let without = Outcome::Skipped("not taken: corrections and retractions will be held");
        self.note("update", if updates { Outcome::Good("taken".to_owned()) } else { without });
        let conditional = capabilities.has_conditional_create(CREATED_TYPE);
        let without = Outcome::Skipped("not there; the bridge searches before it sends again");
        self.note("conditional create", if conditional { Outcome::Good("taken".to_owned()) } else { without });
        let without = Outcome::Skipped("not taken; each entry goes in a request of its own");
        self.note("batch", if capabilities.has_batch() { Outcome::Good("taken".to_owned()) } else { without });
        let consent = self.consent(capabilities.keeps_consents()).await;
        self.note("consent", consent);
        self.dry_write(&statement).await;
    }

    /// Whether the EHR hears how members' consents stand.
    async fn consent(&self, is_kept: bool) -> Outcome {
        if !is_kept {
            return Outcome::Skipped("not taken; the EHR is not told how members' consents stand");
        }
        let (may, without) = match (self.lent, self.ehr.prepare(NOBODY).await) {
            (Some(asked), _) => (
                scopes::missing("patient/Consent.crus", asked).is_empty(),
                "no scope for it: add patient/Consent.crus to auth.scopes; members who are connected connect anew",
            ),
            (None, Ok(ticket)) => (
                ticket.takes_consent(),
                "no scope for it: ask the clinic for system/Consent.crus, and add it to auth.scopes",
            ),
            (None, Err(_)) => (false, "nobody knows without a token"),
        };
        if may { Outcome::Good("taken".to_owned()) } else { Outcome::Skipped(without) }
    }

    /// Has the EHR look at a resource without storing it, where it can (R4, resource-operation-validate.html).
    async fn dry_write(&mut self, statement: &Value) {
        if !validates(statement) {
            return self.skip("dry write", "the EHR has no $validate: the first real write will tell");
        }
        let Ok(ticket) = self.ehr.prepare(NOBODY).await else {
            return self.skip("dry write", "takes a member's token");
        };
        let outcome = match self.ehr.validate(CREATED_TYPE, SPECIMEN, &ticket).await {
            Ok(answer) if answer.status == 200 => match complaints(&answer.body).as_slice() {
                [] => Outcome::Good("the EHR finds nothing wrong with an Observation; nothing was stored".to_owned()),
                complaints => Outcome::Wrong(format!(
                    "the EHR would not take an Observation as the bridge writes it: {}; a rule in the configuration may help",
                    complaints.join("; ")
                )),
            },
            Ok(answer) => Outcome::Wrong(format!("$validate answers {}: ask the clinic", answer.status)),
            Err(error) => Outcome::Wrong(format!("$validate gives no answer ({error})")),
        };
        self.note("dry write", outcome);
    }

    fn skip(&mut self, name: &'static str, why: &'static str) {
        self.note(name, Outcome::Skipped(why));
    }

    /// A search for an identifier that nobody has: what the bridge does when an answer is lost.
    async fn search(&mut self) {
        let nobody = Uuid::nil().to_string();
        let found = match self.ehr.prepare(NOBODY).await {
            Ok(ticket) => self.ehr.find(CREATED_TYPE, &nobody, &ticket, Timestamp::MAX).await,
            Err(error) => Found::Undecided { reason: error.code().to_owned(), retry_after: None },
        };
        let outcome = match found {
            Found::Absent => Outcome::Good("works".to_owned()),
            Found::Stored(_) => Outcome::Wrong("it finds what is not there: ask the clinic".to_owned()),
            Found::NotBegun => Outcome::Skipped("the EHR is in trouble; try again"),
            Found::Undecided { reason, .. } | Found::NoSearch { reason } => Outcome::Wrong(format!(
                "it does not work ({reason}), and without it a lost answer stays unknown: ask the clinic to let this \
                 client search Observations by identifier"
            )),
        };
        self.note("search by identifier", outcome);
    }
}

/// Of what it does not name, nothing follows: a server may know more (SMART App Launch 2.2.0, conformance).
fn scopes_supported(server: &AuthorizationServer, asked: &str) -> Outcome {
    match server.unnamed(asked).as_deref() {
        None => Outcome::Skipped("it does not say scopes_supported"),
        Some([]) => Outcome::Good("it names all of them".to_owned()),
        Some(unnamed) => {
            Outcome::Good(format!("it does not name {}, and may know them nevertheless", unnamed.join(" ")))
        }
    }
}

/// Whether a `CapabilityStatement` names `$validate`, for everything or for what the bridge creates.
fn validates(statement: &Value) -> bool {
    let named = |part: &Value| {
        let operations = part.get("operation").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        operations.iter().any(|operation| operation.get("name").and_then(Value::as_str) == Some("validate"))
    };
    let Some(rest) = statement.pointer("/rest/0") else { return false };
    let resources = rest.get("resource").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let of_type = |resource: &&Value| resource.get("type").and_then(Value::as_str) == Some(CREATED_TYPE);
    named(rest) || resources.iter().filter(of_type).any(named)
}

/// What an `OperationOutcome` calls an error, in the EHR's words. The specimen is about nobody: nothing here is personal.
fn complaints(body: &[u8]) -> Vec<String> {
    let outcome: Value = serde_json::from_slice(body).unwrap_or_default();
    let issues = outcome.get("issue").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let text = |issue: &Value| {
        let said = ["/diagnostics", "/details/text", "/code"].iter().find_map(|path| issue.pointer(path)?.as_str());
        said.unwrap_or("no reason given").to_owned()
    };
    let is_error = |issue: &&Value| matches!(issue.get("severity").and_then(Value::as_str), Some("error" | "fatal"));
    issues.iter().filter(is_error).map(text).collect()
}
