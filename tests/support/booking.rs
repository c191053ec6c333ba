//! Clinics that offer visits: their schedules, as they stand in an EHR, and members who book there.

use jiff::{SignedDuration, Timestamp};
use mostik::app;
use mostik::booking::{self, Ask, BookingError, Finder};
use mostik::config::Config;
use mostik::domain::booking::{Booking, BookingState, Details, Time, Way};
use mostik::domain::ids::{BookingId, VisitTypeId};
use mostik::pipeline::Bridge;
use mostik::store::SealedBooking;
use reqwest::Method;
use serde_json::{Value, json};

use super::bridge::{Person, TestBridge, config_text, riverside};
use super::database::Database;
use super::http;
use super::recommendations::{key, write};

/// How long a visit takes.
pub const MINUTES: i64 = 50;

/// A Schedule of the test's own in an EHR; returns its id.
pub async fn schedule(ehr: &str) -> String {
    let doctor = write(ehr, json!({"resourceType": "Practitioner", "name": [{"family": "Example"}]})).await;
    let actor = json!([{"reference": format!("Practitioner/{}", doctor["id"].as_str().unwrap())}]);
    let made = write(ehr, json!({"resourceType": "Schedule", "actor": actor})).await;
    made["id"].as_str().unwrap().to_owned()
}

/// A free Slot from this instant on; returns its id.
pub async fn free_slot(ehr: &str, schedule: &str, start: Timestamp) -> String {
    let end = start + SignedDuration::from_mins(MINUTES);
    let slot = json!({
        "resourceType": "Slot", "schedule": {"reference": format!("Schedule/{schedule}")}, "status": "free",
        "start": start.to_string(), "end": end.to_string(), "comment": "Room 4",
    });
    write(ehr, slot).await["id"].as_str().unwrap().to_owned()
}

/// A resource as it stands in an EHR.
pub async fn read(ehr: &str, path: &str) -> Value {
    let got = http::call(Method::GET, &format!("{ehr}/{path}"), None, None).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    got.json
}

/// Everything that a search finds in an EHR.
pub async fn get_all(ehr: &str, query: &str) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), Some(format!("{ehr}/{query}")));
    while let Some(url) = next.take() {
        let got = http::call(Method::GET, &url, None, None).await;
        assert_eq!(got.status, 200, "{url}: {:?}", got.json);
        let entries = got.json["entry"].as_array().cloned().unwrap_or_default();
        all.extend(entries.into_iter().map(|entry| entry["resource"].clone()));
        let links = got.json["link"].as_array().cloned().unwrap_or_default();
        next =
            links.iter().find(|link| link["relation"] == "next").map(|link| link["url"].as_str().unwrap().to_owned());
    }
    all
}

/// How a Slot stands.
pub async fn status_of(ehr: &str, slot: &str) -> String {
    read(ehr, &format!("Slot/{slot}")).await["status"].as_str().unwrap().to_owned()
}

/// The Appointments of a patient.
pub async fn appointments(ehr: &str, patient: &str) -> Vec<Value> {
    let found = read(ehr, &format!("Appointment?patient={patient}&_count=100")).await;
    let entries = found["entry"].as_array().cloned().unwrap_or_default();
    entries.into_iter().map(|entry| entry["resource"].clone()).collect()
}

/// The settings of a clinic that offers a first talk in this schedule, with these more.
pub fn first_talk(schedule: &str, more: &str) -> String {
    format!(
        "[[clinics.riverside.visits]]\nid = \"first-talk\"\ntitle = {{ en = \"A first talk\", ru = \"Первый разговор\" }}\n\
         minutes = {MINUTES}\nservice_type = \"490\"\nservice_category = \"22\"\nschedules = [{schedule:?}]\n{more}\n"
    )
}

/// A bridge whose clinic offers a first talk in this schedule.
pub async fn booking_bridge(database: Database, ehr: &str, schedule: &str) -> TestBridge {
    let text = config_text(&database, ehr, "127.0.0.1:0") + &first_talk(schedule, "");
    TestBridge::start_with(database, &text).await
}

/// What reads free times for this bridge.
pub fn finder(bridge: &TestBridge) -> Finder {
    app::finder(&Config::from_toml(&bridge.config).unwrap(), &bridge.bridge, &bridge.desks)
}

pub fn visit() -> VisitTypeId {
    "first-talk".parse().unwrap()
}

/// The settings of a clinic that is asked for a first talk, and whose people propose when it is.
pub const ASKED_FOR: &str = "[[clinics.riverside.visits]]\nid = \"first-talk\"\n\
     title = { en = \"A first talk\", ru = \"Первый разговор\" }\nminutes = 50\nway = \"request\"\n";

/// The settings of a clinic that offers a first talk at the times that its system proposes, with these more.
pub fn proposed_by_the_clinic(more: &str) -> String {
    format!(
        "[[clinics.riverside.visits]]\nid = \"first-talk\"\ntitle = {{ en = \"A first talk\", ru = \"Первый разговор\" }}\n\
         minutes = {MINUTES}\nservice_type = \"490\"\nservice_category = \"22\"\n{more}\n"
    )
}

/// A booking as it stands when somebody has asked for a visit, put in its place without anybody being told.
pub async fn put(bridge: &TestBridge, person: &Person, reason: &str) -> BookingId {
    let keys = bridge.bridge.keyring.index();
    let id = BookingId(keys.uuid("test", &[person.id.0.as_bytes(), reason.as_bytes()]));
    let details = Details { reason: Some(reason.to_owned()), ..Details::default() };
    let plain = serde_json::to_vec(&details).unwrap();
    let key = key(&bridge.bridge, person).await;
    let row = SealedBooking {
        member: person.id,
        id,
        clinic: riverside(),
        visit: visit(),
        state: BookingState::Requested,
        wish: None,
        note: None,
        attempt: 0,
        identifier: None,
        time: None,
        hold_until: None,
        look_at: None,
        replaces: None,
        session: None,
        sequence: 0,
        sealed: key.seal("bookings.sealed_booking", id.0.as_bytes(), &plain).unwrap(),
        created_at: bridge.now(),
        updated_at: bridge.now(),
    };
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    tx.put_booking(&row).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Changes how a booking stands, without anybody being told.
pub async fn set(bridge: &TestBridge, person: &Person, id: BookingId, change: impl FnOnce(&mut SealedBooking)) {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let mut row = tx.booking((person.id, id)).await.unwrap().unwrap();
    change(&mut row);
    row.updated_at = bridge.now();
    tx.put_booking(&row).await.unwrap();
    tx.commit().await.unwrap();
}

/// A visit that is booked and begins then, put in its place without anybody being told.
pub async fn put_booked(bridge: &TestBridge, person: &Person, start: Timestamp) -> BookingId {
    let id = put(bridge, person, &start.to_string()).await;
    let time = Time { start, end: start + SignedDuration::from_mins(MINUTES) };
    set(bridge, person, id, |row| (row.state, row.time) = (BookingState::Booked, Some(time))).await;
    id
}

/// A member asks for a first talk.
pub async fn asks_as(bridge: &TestBridge, person: &Person, reason: &str, way: Way) -> Result<Booking, BookingError> {
    let (clinic, visit) = (riverside(), visit());
    let asked = Ask { clinic: &clinic, visit: &visit, reason, way };
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let booking = booking::ask(&bridge.bridge, &mut tx, person.id, asked, bridge.now()).await?;
    tx.commit().await.unwrap();
    Ok(booking)
}

/// A member asks for a first talk, and gets offers.
pub async fn asks(bridge: &TestBridge, person: &Person, reason: &str) -> Result<Booking, BookingError> {
    let booking = asks_as(bridge, person, reason, Way::Slots).await?;
    Ok(finder(bridge).find(person.id, booking.id).await.unwrap())
}

/// A booking as it stands.
pub async fn stands(bridge: &TestBridge, person: &Person, id: BookingId) -> Booking {
    let key = key(&bridge.bridge, person).await;
    let mut tx = bridge.bridge.store.read().await.unwrap();
    booking::one(&mut tx, &key, id).await.unwrap().unwrap()
}

/// What a member does with a booking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Does {
    /// Chooses the offer at this place.
    Choose(usize),
    Confirm,
    Release,
    Cancel,
    Change,
}

/// A member does something with a booking; the clinic does not know of it yet.
pub async fn does(bridge: &Bridge, person: &Person, id: BookingId, what: Does) -> Result<Booking, BookingError> {
    let key = key(bridge, person).await;
    let (now, member) = (bridge.clock.now(), person.id);
    let mut tx = bridge.store.begin().await.unwrap();
    let done = match what {
        Does::Choose(at) => {
            let place = booking::one(&mut tx, &key, id).await?.unwrap().details.offers[at].place.clone();
            booking::choose(bridge, &mut tx, member, id, &place, now).await?
        }
        Does::Confirm => booking::confirm(bridge, &mut tx, member, id, now).await?,
        Does::Release => booking::release(bridge, &mut tx, member, id, now).await?,
        Does::Cancel => booking::cancel(bridge, &mut tx, member, id, now).await?,
        Does::Change => booking::change(bridge, &mut tx, member, id, now).await?,
    };
    tx.commit().await.unwrap();
    Ok(done)
}

/// The same, and the clinic's system answers.
pub async fn done(bridge: &TestBridge, person: &Person, id: BookingId, what: Does) -> Booking {
    let id = does(&bridge.bridge, person, id, what).await.unwrap().id;
    bridge.deliver().await;
    stands(bridge, person, id).await
}
