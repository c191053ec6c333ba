//! Visits → FHIR: a snapshot of each as it stands at its clinic, judged by both validators.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mostik::consent::decide::{Request, decide};
use mostik::domain::booking::{Asking, Place, Time, Wish};
use mostik::domain::category::{Category, Detail};
use mostik::domain::grant::{Addressee, Grant, GrantState, Purpose, Terms, WayBack};
use mostik::domain::group::{GroupRules, GroupSession, GroupState};
use mostik::domain::helpline::Words;
use mostik::domain::ids::{GrantId, GroupSessionId, MemberId};
use mostik::domain::language::Language;
use mostik::domain::visit_type::{VisitType, usual_reminders};
use mostik::mapping::to_fhir::{GroupTold, Recipient, Told, appointment, group_session};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::support::profiles::profile_of;
use crate::support::validate::assert_valid;

/// A kind of visit.
fn first_talk() -> VisitType {
    VisitType {
        id: "first-talk".parse().unwrap(),
        title: Words { en: "A first talk".to_owned(), ru: "Первый разговор".to_owned() },
        minutes: 50,
        service_type: Some("490".to_owned()),
        service_category: Some("22".to_owned()),
        schedules: vec!["s".to_owned()],
        way: None,
        is_offered: true,
        hold_minutes: 10,
        ahead_days: 28,
        notice_hours: 2,
        remind_minutes: usual_reminders(),
        group: None,
    }
}

/// A group session as its clinic is told of it.
pub fn session(state: GroupState) -> Value {
    let start: Timestamp = "2026-11-30T09:00:00Z".parse().unwrap();
    let session = GroupSession {
        clinic: "riverside".parse().unwrap(),
        id: GroupSessionId(Uuid::from_u128(9)),
        visit: "calm-group".parse().unwrap(),
        state,
        time: Time { start, end: start + jiff::SignedDuration::from_mins(60) },
        capacity: 8,
        sequence: 1,
        told: 0,
        look_at: None,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    let with = vec!["Practitioner/dr-7".to_owned(), "HealthcareService/groups".to_owned()];
    let visit = VisitType {
        id: session.visit.clone(),
        title: Words { en: "A calm evening".to_owned(), ru: "Спокойный вечер".to_owned() },
        minutes: 60,
        schedules: Vec::new(),
        group: Some(GroupRules { capacity: 8, with, open: false }),
        ..first_talk()
    };
    let told = GroupTold {
        visit: Some(&visit),
        language: Language::En,
        source: "urn:mostik:test",
        room: None,
        recorded: Timestamp::UNIX_EPOCH,
    };
    group_session(&session, told)
}

/// What the clinic is told of a visit at one of its free times.
pub fn told(wish: Wish, reason: Option<&str>) -> Value {
    told_of(wish, reason, (Some(&Place::Slot("slot-1".to_owned())), None))
}

/// The same of a time elsewhere; the clinic may always hold its visits in one room.
fn told_of(wish: Wish, reason: Option<&str>, (place, room): (Option<&Place>, Option<&Url>)) -> Value {
    told_in(wish, reason, (place, room), None)
}

/// The same of a place in a group session, if it is one.
fn told_in(
    wish: Wish,
    reason: Option<&str>,
    (place, room): (Option<&Place>, Option<&Url>),
    session: Option<GroupSessionId>,
) -> Value {
    let member = MemberId(Uuid::from_u128(1));
    let terms = Terms {
        categories: [(Category::Agenda, Detail::EveryEntry)].into(),
        purposes: BTreeSet::from([Purpose::Treatment]),
        valid_from: Timestamp::MIN,
        valid_until: Timestamp::MAX,
        data_from: None,
        recipient: Addressee::Clinic,
        way_back: WayBack::Notice,
        withheld: BTreeSet::new(),
    };
    let (id, clinic) = (GrantId(Uuid::from_u128(3)), "riverside".parse().unwrap());
    let (state, created_at) = (GrantState::Active, Timestamp::UNIX_EPOCH);
    let grants = [Grant { id, version: 1, member, clinic, state, terms, created_at, ended_at: None }];
    let start: Timestamp = "2026-11-30T09:00:00Z".parse().unwrap();
    let time = Time { start, end: start + jiff::SignedDuration::from_mins(50) };
    let is_request = wish == Wish::Request;
    let (time, place) = ((!is_request).then_some(time), place.filter(|_| !is_request));
    let asking = Asking { member, wish, time, place, reason, session };
    let clinic = grants[0].clinic.clone();
    let permit = decide(&grants, Request::to_record(&asking, &clinic, Timestamp::UNIX_EPOCH)).unwrap();
    let recipient = Recipient {
        patient: "pat-1",
        identifier: Uuid::from_u128(4),
        source: "urn:mostik:test",
        recorded: Timestamp::UNIX_EPOCH,
        practitioner: None,
    };
    let until = "1970-01-29T00:00:00Z".parse().unwrap();
    let told = Told { visit: Some(&first_talk()), language: Language::En, until, room };
    serde_json::from_slice(&appointment(&permit, recipient, told).unwrap().body).unwrap()
}

#[tokio::test]
async fn each_step_of_a_visit() {
    for (name, wish, reason) in [
        ("held", Wish::Hold, Some("It is about the nights.")),
        ("booked", Wish::Book, None),
        ("asked", Wish::Request, Some("It is about the nights.")),
        ("arrived", Wish::Arrive, None),
        ("cancelled", Wish::Cancel, None),
        ("given", Wish::Give, None),
        ("offered", Wish::Offer, None),
        ("declined", Wish::Decline, None),
    ] {
        let told = told(wish, reason);
        assert_eq!(profile_of(&told), Some("mostik-appointment"));
        assert_valid(&told).await;
        insta::assert_json_snapshot!(format!("visit_{name}"), told);
    }
}

#[tokio::test]
async fn a_place_in_a_group_session_refers_to_it_and_names_one_patient() {
    let session = Some(GroupSessionId(Uuid::from_u128(9)));
    for (name, wish) in [("place", Wish::Book), ("place_given_back", Wish::Cancel)] {
        let told = told_in(wish, None, (None, None), session);
        assert_eq!(profile_of(&told), Some("mostik-appointment"));
        assert_valid(&told).await;
        insta::assert_json_snapshot!(format!("visit_{name}"), told);
    }
}

#[tokio::test]
async fn a_group_session_names_who_leads_it_and_how_many_places_it_has_and_no_patient() {
    for (name, state) in [("planned", GroupState::Planned), ("cancelled", GroupState::Cancelled)] {
        let told = session(state);
        assert_eq!(profile_of(&told), Some("mostik-group-session"));
        assert_valid(&told).await;
        insta::assert_json_snapshot!(format!("group_session_{name}"), told);
    }
}

#[tokio::test]
async fn a_room_that_is_always_the_same_is_said_where_it_is_asked_for() {
    let room: Url = "https://meet.example/dr-lane".parse().unwrap();
    let slot = Place::Slot("slot-1".to_owned());
    let booked = told_of(Wish::Book, None, (Some(&slot), Some(&room)));
    assert_valid(&booked).await;
    insta::assert_json_snapshot!("visit_virtual_service", booked["extension"]);
    assert!(told_of(Wish::Cancel, None, (Some(&slot), Some(&room)))["extension"].is_null());
}

#[tokio::test]
async fn each_step_of_a_visit_that_the_clinic_proposed_itself() {
    let place = Place::Proposed("proposed-1".to_owned());
    for (name, wish, reason) in
        [("proposed_held", Wish::Hold, None), ("proposed_booked", Wish::Book, Some("The nights."))]
    {
        let told = told_of(wish, reason, (Some(&place), None));
        assert_valid(&told).await;
        insta::assert_json_snapshot!(format!("visit_{name}"), told);
    }
}
