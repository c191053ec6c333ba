//! What clinics publish for everybody: whose it is, that it stays as it is, and that communities are told of it in their rooms.

mod altered;
mod publishing;
mod rooms;

use mostik::domain::ids::MaterialId;
use mostik::domain::language::Language;
use mostik::domain::material::Content;
use mostik::enrolment::staff::Colleague;
use mostik::materials;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::support::bridge::{TestBridge, riverside};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http;
use crate::support::portal::{Browser, Page};
use crate::support::staff::Ward;

/// Where a clinic's staff publish.
const LIST: &str = "/clinic/materials";

async fn ward(database: Database) -> Ward {
    Ward::open(database, Ehr::sandbox().await, "").await
}

/// What a form says, in English.
fn form<'a>(title: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("language", "en"), ("title", title), ("text", text), ("link", "")]
}

/// Sends the form with which a text is published.
async fn sends(nurse: &mut Browser, fields: &[(&str, &str)]) -> Page {
    let form = nurse.get(LIST).await.html().field("form").get("value").to_owned();
    let fields: Vec<_> = fields.iter().copied().chain([("form", form.as_str())]).collect();
    nurse.post(LIST, &fields).await
}

/// The same, and it is done; returns its id.
async fn publishes(nurse: &mut Browser, fields: &[(&str, &str)]) -> String {
    let sent = sends(nurse, fields).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    sent.location().strip_prefix("/clinic/materials/").unwrap().to_owned()
}

/// Sends the form for another version, as the page has it now.
async fn renews(nurse: &mut Browser, id: &str, fields: &[(&str, &str)]) -> Page {
    let path = format!("{LIST}/{id}");
    let version = nurse.get(&path).await.html().field("version").get("value").to_owned();
    let fields: Vec<_> = fields.iter().copied().chain([("version", version.as_str())]).collect();
    nurse.post(&path, &fields).await
}

/// What a community's program is told.
async fn told(bridge: &TestBridge) -> Value {
    let got = http::call(Method::GET, &format!("{}/v1/materials", bridge.api), Some(&bridge.api_key), None).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    got.json
}

/// Somebody of the clinic's staff, without a browser.
fn nurse() -> Colleague {
    Colleague { clinic: riverside(), id: Uuid::from_u128(77) }
}

/// Publishes a text without a browser: the first version of what this number stands for.
pub async fn published(bridge: &TestBridge, number: u128, language: Language, title: &str) -> MaterialId {
    let content = Content::read(language, title, "Breathe.", "").unwrap();
    let id = materials::id_of(&bridge.bridge.keyring, &nurse(), Uuid::from_u128(number));
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    materials::publish(&mut tx, &bridge.bridge.keyring, &nurse(), (id, content), bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    id
}
