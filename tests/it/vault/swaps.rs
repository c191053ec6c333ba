//! Two sealed values that change places: neither opens, whichever they are.

use std::collections::HashMap;

use mostik::vault::{ContentKey, Keyring, MemberKey};
use serde_json::json;
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, mood, note, riverside};
use crate::support::cells::Column;
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::vault::erasing::{known_in_every_room, request, signing_bridge};

/// Which key seals a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Master,
    Member,
    Lane,
    /// Something of its own; a test beside its code tries that. Here it is only put in the place of others.
    Other,
}

/// Every sealed column: which key seals it, and the columns that tell its rows of one member apart, if any do.
const SEALED: &[(&str, &str, By, Option<&str>)] = &[
    ("data_keys", "sealed_key", By::Master, Some("name")),
    ("members", "sealed_key", By::Master, None),
    ("handles", "sealed_handle", By::Member, Some("community_id")),
    ("links", "sealed_patient", By::Member, Some("clinic_id")),
    ("lanes", "sealed_key", By::Member, Some("clinic_id")),
    ("outbox", "sealed_payload", By::Lane, Some("delivery_id")),
    ("outbox", "sealed_answer", By::Lane, Some("delivery_id")),
    ("patient_tokens", "sealed_tokens", By::Member, Some("clinic_id")),
    ("member_settings", "sealed_settings", By::Member, None),
    ("questionnaire_drafts", "sealed_draft", By::Member, Some("instrument")),
    ("chat_drafts", "sealed_draft", By::Member, Some("instrument community_id")),
    ("talks", "sealed_talk", By::Member, None),
    ("bookings", "sealed_booking", By::Member, Some("booking_id")),
    ("concerns", "sealed_concern", By::Member, Some("concern_id")),
    ("warnings", "sealed_warning", By::Member, Some("identifier")),
    ("push_subscriptions", "sealed_subscription", By::Member, Some("subscription_id")),
    ("recommendations", "sealed_recommendation", By::Member, Some("recommendation_id")),
    ("subscriptions", "sealed_secret", By::Member, Some("subscription_id")),
    ("readings", "sealed_reading", By::Member, Some("reading_id")),
    ("erasures", "sealed_secret", By::Member, Some("erasure_id")),
    ("consent_records", "sealed_receipt", By::Member, Some("receipt_id")),
    ("consent_records", "sealed_practitioner", By::Member, Some("receipt_id")),
    ("recommendation_answers", "sealed_answer", By::Other, None),
    ("links", "sealed_proof", By::Other, None),
    ("former_links", "sealed_proof", By::Other, None),
    ("launches", "sealed_launch", By::Other, None),
    ("link_codes", "sealed_patient", By::Other, None),
    ("audit_entries", "sealed_body", By::Other, None),
];

/// A sealed value, and what opens what stands in its place.
struct Place {
    name: &'static str,
    by: By,
    row: Vec<u8>,
    member: Uuid,
    value: Vec<u8>,
}

/// The keys of everybody.
struct Keys {
    keyring: Keyring,
    members: HashMap<Uuid, MemberKey>,
    lanes: HashMap<Uuid, ContentKey>,
}

impl Place {
    /// What the bridge would read there.
    fn opens(&self, keys: &Keys, value: &[u8]) -> bool {
        match self.by {
            By::Master if self.name == "data_keys.sealed_key" => {
                keys.keyring.unwrap_data_key(std::str::from_utf8(&self.row).unwrap(), value).is_ok()
            }
            By::Master => keys.keyring.unwrap_member_key(mostik::domain::ids::MemberId(self.member), value).is_ok(),
            By::Member => keys.members[&self.member].open(self.name, &self.row, value).is_ok(),
            By::Other => false,
            By::Lane => keys.lanes[&self.member].open(self.name, &self.row, value).is_ok(),
        }
    }
}

/// A UUID as it stands in either database.
fn uuid(value: &[u8]) -> Uuid {
    Uuid::from_slice(value).unwrap_or_else(|_| std::str::from_utf8(value).unwrap().parse().unwrap())
}

/// Every sealed value of a database that is not empty.
async fn places(database: &Database) -> Vec<Place> {
    let columns = database.columns().await;
    let mut places = Vec::new();
    for (table, name, by, row) in SEALED {
        let column = |name: &str| columns.iter().find(|column| column.table == *table && column.name == name).cloned();
        let rows: Vec<&str> = row.iter().flat_map(|row| row.split(' ')).collect();
        let wanted: Vec<Column> =
            [&[*name][..], &rows[..], &["member_id"][..]].concat().into_iter().filter_map(column).collect();
        for values in database.rows(table, &wanted).await {
            let value = |name: &str| wanted.iter().position(|column| column.name == name).map(|at| values[at].clone());
            let sealed = value(name).unwrap();
            if sealed.is_empty() {
                continue;
            }
            let row = rows.iter().map(|row| {
                let is_word = ["name", "community_id", "clinic_id", "instrument"].contains(row);
                let value = value(row).unwrap();
                if is_word { value } else { uuid(&value).as_bytes().to_vec() }
            });
            places.push(Place {
                name: format!("{table}.{name}").leak(),
                by: *by,
                row: row.collect::<Vec<_>>().join(&b' '),
                member: value("member_id").map_or(Uuid::nil(), |member| uuid(&member)),
                value: sealed,
            });
        }
    }
    places
}

fn keys(bridge: &TestBridge, places: &[Place]) -> Keys {
    let keyring = bridge.bridge.keyring.clone();
    let mut keys = Keys { keyring, members: HashMap::new(), lanes: HashMap::new() };
    for place in places.iter().filter(|place| place.name == "members.sealed_key") {
        let key = keys.keyring.unwrap_member_key(mostik::domain::ids::MemberId(place.member), &place.value).unwrap();
        keys.members.insert(place.member, key);
    }
    for place in places.iter().filter(|place| place.name == "lanes.sealed_key") {
        let key = keys.members[&place.member].content_key(&riverside(), Some(&place.value)).unwrap();
        keys.lanes.insert(place.member, key);
    }
    keys
}

on_both_databases! {
    async fn no_sealed_value_opens_in_the_place_of_another(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = known_in_every_room(&bridge, &ehr).await;
        for of in 0..6 {
            let name = format!("bird-{of}");
            let bird = bridge.person(&name, &create_patient(&ehr.base).await).await;
            bridge.grant(&bird, &["mood", "note"]).await;
            bridge.send(&json!([mood(&name, &name, 3), note(&format!("n-{of}"), &name, "the same for all")])).await;
        }
        request(&bridge, &sparrow, crate::vault::erasing::IN_TIME).await;
        let places = places(&bridge.database).await;
        let keys = keys(&bridge, &places);
        let (mut own, mut tried) = (0, 0);
        for (at, place) in places.iter().enumerate() {
            assert!(place.by == By::Other || place.opens(&keys, &place.value), "{} opens where it is", place.name);
            own += 1;
            for (other, moved) in places.iter().enumerate().filter(|(other, _)| *other != at) {
                assert!(!place.opens(&keys, &moved.value), "{other} {} opens as {}", moved.name, place.name);
                tried += 1;
            }
        }
        assert!(own > 30 && tried > 1000, "{own} values, {tried} moves");
    }
}

on_both_databases! {
    async fn every_sealed_column_is_tried(database) {
        drop(mostik::store::Store::open(&database.url).await.unwrap());
        for column in database.columns().await.iter().filter(|column| column.name.starts_with("sealed_")) {
            let is_tried = SEALED.iter().any(|(table, name, ..)| *table == column.table && *name == column.name);
            assert!(is_tried, "{}.{} is not tried in other places", column.table, column.name);
        }
    }
}

on_both_databases! {
    async fn payloads_that_changed_places_in_the_database_reach_nobody(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
        for person in [&sparrow, &wren] {
            bridge.grant(person, &["mood"]).await;
            let name = &person.handle;
            bridge.send(&json!([mood(&format!("{name}-1"), name, 1), mood(&format!("{name}-2"), name, 5)])).await;
        }
        // Each gets the next one's: of the same member, and of another.
        bridge.database.run(
            "UPDATE outbox SET sealed_payload = moved.payload FROM (SELECT delivery_id AS id, \
             COALESCE(LEAD(sealed_payload) OVER (ORDER BY delivery_id), FIRST_VALUE(sealed_payload) OVER (ORDER BY delivery_id)) \
             AS payload FROM outbox) AS moved WHERE outbox.delivery_id = moved.id",
        ).await;
        bridge.deliver_in_time().await;
        assert_eq!(bridge.count(mostik::domain::delivery::DeliveryState::Rejected).await, 4);
        assert_eq!(ehr.observations().await.len(), 0, "nothing goes that does not open where it stands");
    }
}
