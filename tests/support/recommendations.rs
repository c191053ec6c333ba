//! What clinics have for members: put into the store as if it had come from an EHR, or written into one and looked for.

use jiff::SignedDuration;
use mostik::app;
use mostik::config::Config;
use mostik::domain::ids::RecommendationId;
use mostik::domain::recommendation::{
    Answer, AnswerFate, Recommendation, RecommendationKind, RecommendationState, Said, Source,
};
use mostik::pipeline::Bridge;
use mostik::pipeline::answers::{self, AnswerError};
use mostik::recommendations;
use mostik::store::{EhrVersion, ResourceIndexes, SealedRecommendation};
use mostik::vault::MemberKey;

use reqwest::Method;
use serde_json::{Value, json};

use super::bridge::{Person, TestBridge, config_text, riverside};
use super::database::Database;
use super::http;
use super::synapse::free_port;

/// Something to do, in these words.
pub fn said(text: &str) -> Said {
    Said {
        text: text.to_owned(),
        by: Some("Dr. Ada Example".to_owned()),
        authored: None,
        from: None,
        until: None,
        is_urgent: false,
        is_not_to_be_done: false,
        is_unclear: false,
        is_actionable: true,
        is_answerable: true,
        appointment: None,
        questionnaire: None,
        source: Source { resource_type: "Task".to_owned(), id: format!("task-{}", text.len()), part: None },
    }
}

/// The member's own key.
pub async fn key(bridge: &Bridge, person: &Person) -> MemberKey {
    let wrapped = bridge.store.read().await.unwrap().member_key(person.id).await.unwrap().unwrap();
    bridge.keyring.unwrap_member_key(person.id, &wrapped).unwrap()
}

/// Puts something there for a member, as received now; returns its id.
pub async fn put(bridge: &TestBridge, person: &Person, says: &Said) -> RecommendationId {
    put_with_focus(bridge, person, says, None).await
}

/// The same, about another resource.
pub async fn put_with_focus(
    bridge: &TestBridge,
    person: &Person,
    says: &Said,
    focus: Option<&Source>,
) -> RecommendationId {
    let keys = bridge.bridge.keyring.index();
    let index = |source: &Source| keys.index("test", &[source.resource_type.as_bytes(), source.id.as_bytes()]);
    let indexes = ResourceIndexes { own: index(&says.source), focus: focus.map(index) };
    let id = RecommendationId(keys.uuid("test", &[person.id.0.as_bytes(), &indexes.own]));
    let row = SealedRecommendation {
        member: person.id,
        id,
        clinic: riverside(),
        kind: RecommendationKind::Task,
        state: RecommendationState::Received,
        sealed: Some(recommendations::seal(&key(&bridge.bridge, person).await, id, says).unwrap()),
        version: EhrVersion { id: Some("1".to_owned()), updated_at: Some(bridge.now()) },
        received_at: bridge.now(),
        updated_at: bridge.now(),
    };
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    tx.put_recommendation(&row, indexes).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Everything that clinics have for a member, the newest first.
pub async fn all(bridge: &TestBridge, person: &Person) -> Vec<Recommendation> {
    let key = key(&bridge.bridge, person).await;
    let mut tx = bridge.bridge.store.read().await.unwrap();
    recommendations::page(&mut tx, &key, None, 100).await.unwrap().recommendations
}

/// A bridge that looks for what the clinic has for its members, with these more settings of `[clinics.riverside.way_back]`.
pub async fn looking_bridge(database: Database, ehr: &str, settings: &str) -> TestBridge {
    let text = config_text(&database, ehr, "127.0.0.1:0");
    TestBridge::start_with(database, &format!("{text}[clinics.riverside.way_back]\n{settings}")).await
}

/// An address on this machine that is free now, and that nobody here asks for by its number.
pub fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}

/// The same, where the EHR reaches the bridge and is asked to say when something changed.
pub async fn notified_bridge(database: Database, ehr: &str, settings: &str) -> TestBridge {
    let listen = free_address();
    let text = config_text(&database, ehr, &listen);
    let text = text.replacen("[server]\n", &format!("[server]\npublic_url = \"http://{listen}/\"\n"), 1);
    TestBridge::start_with(database, &format!("{text}[clinics.riverside.way_back]\n{settings}")).await
}

/// A member who is this Patient at the clinic, and lets everything come back from there; and their consent.
pub async fn open_person(bridge: &TestBridge, handle: &str, patient: &str) -> (Person, String) {
    let person = bridge.person(handle, patient).await;
    let terms = json!({"categories": {"mood": "every-entry"}, "way_back": "full"});
    let grant = bridge.share_by(&person, terms).await;
    (person, grant)
}

/// Looks wherever a look is due.
pub async fn look(bridge: &TestBridge) {
    let config = Config::from_toml(&bridge.config).unwrap();
    app::way_back(&config, &bridge.bridge, &bridge.desks).drain().await.unwrap();
}

/// The same a while later, when every look is due again.
pub async fn look_later(bridge: &TestBridge) {
    bridge.clock.advance(SignedDuration::from_mins(20));
    look(bridge).await;
}

/// Writes a resource into an EHR as the clinic does; returns it as it stands there.
pub async fn write(ehr: &str, resource: Value) -> Value {
    let (kind, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str());
    let (method, url) = match id {
        Some(id) => (Method::PUT, format!("{ehr}/{kind}/{id}")),
        None => (Method::POST, format!("{ehr}/{kind}")),
    };
    let request = http::client().request(method, url).header("content-type", "application/fhir+json");
    let mut request = request.header("prefer", "return=representation").body(resource.to_string());
    if let Some(version) = resource["meta"]["versionId"].as_str().filter(|_| id.is_some()) {
        request = request.header("if-match", format!("W/\"{version}\""));
    }
    let got = http::Got::read(request.send().await.unwrap()).await;
    assert!((200..300).contains(&got.status), "{:?}", got.json);
    got.json
}

/// A Task for a patient to do.
pub fn task(patient: &str, text: &str) -> Value {
    json!({
        "resourceType": "Task", "status": "requested", "intent": "order", "description": text,
        "for": {"reference": format!("Patient/{patient}")}, "owner": {"reference": format!("Patient/{patient}")},
        "requester": {"display": "Dr. Ada Example"}, "authoredOn": "2026-11-20T09:00:00Z",
    })
}

/// A message to a patient.
pub fn message(patient: &str, text: &str) -> Value {
    json!({
        "resourceType": "Communication", "status": "completed", "subject": {"reference": format!("Patient/{patient}")},
        "recipient": [{"reference": format!("Patient/{patient}")}], "payload": [{"contentString": text}],
        "sent": "2026-11-20T09:00:00Z",
    })
}

/// What is told to a member, each with its state.
pub async fn told(bridge: &TestBridge, person: &Person) -> Vec<(String, RecommendationState)> {
    let all = all(bridge, person).await.into_iter();
    all.map(|found| (found.says.map(|says| says.text).unwrap_or_default(), found.state)).collect()
}

/// A member answers.
pub async fn answer(
    bridge: &TestBridge,
    person: &Person,
    id: RecommendationId,
    answer: Answer,
) -> Result<Recommendation, AnswerError> {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let answered = answers::answer(&bridge.bridge, &mut tx, person.id, id, answer, bridge.now()).await?;
    tx.commit().await.unwrap();
    Ok(answered)
}

/// Whether the clinic knows what a member answered, the oldest answer first.
pub async fn fates(bridge: &TestBridge, person: &Person, id: RecommendationId) -> Vec<AnswerFate> {
    let key = key(&bridge.bridge, person).await;
    let mut tx = bridge.bridge.store.read().await.unwrap();
    let answered = recommendations::answers(&mut tx, &key, Some(id)).await.unwrap();
    answered.into_iter().map(|(_, answered)| answered.fate).collect()
}
