//! Requests that a clinic's people were asked for: who sees them, and what becomes of them.

use futures_util::future::join;
use jiff::SignedDuration;
use mostik::domain::audit::Chain;
use mostik::domain::booking::{BookingState, Note};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::booking::{ASKED_FOR, Does, appointments, done, stands};
use crate::support::bridge::riverside;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::Page;
use crate::support::staff::{Ward, main_text};

async fn ward(database: Database) -> Ward {
    Ward::open(database, Ehr::sandbox().await, ASKED_FOR).await
}

/// The one Appointment of the patient.
async fn appointment(ward: &Ward) -> Value {
    let all = appointments(&ward.ehr.base, &ward.ehr.patient).await;
    assert_eq!(all.len(), 1, "{all:#?}");
    all.into_iter().next().unwrap()
}

/// What was noted of the clinic's staff and the patient, oldest first.
async fn noted(ward: &Ward) -> Vec<String> {
    let chain = Chain::between(&riverside(), ward.sparrow.id);
    let mut tx = ward.portal.bridge.bridge.store.read().await.unwrap();
    let rows = tx.audit_chain(&chain, 0, jiff::Timestamp::UNIX_EPOCH, 100).await.unwrap();
    let staff = rows.into_iter().filter(|row| row.kind.starts_with("staff-"));
    let what = |body: &str| serde_json::from_str::<Value>(body).unwrap()["what"].as_str().unwrap().to_owned();
    staff.map(|row| format!("{} {}", row.kind, what(&row.body))).collect()
}

/// Whom the member is to be told of.
async fn is_told(ward: &Ward, id: mostik::domain::ids::BookingId) -> bool {
    let mut tx = ward.portal.bridge.bridge.store.read().await.unwrap();
    let due = tx.tellings_due(ward.sparrow.id, ward.portal.bridge.now()).await.unwrap();
    due.iter().any(|row| row.recommendation == id.0)
}

const AT_TEN: [(&str, &str); 2] = [("day", "2026-11-30"), ("time", "10:00")];

fn how(how: &'static str) -> Vec<(&'static str, &'static str)> {
    AT_TEN.into_iter().chain([("how", how), ("hours", "48")]).collect()
}

on_both_databases! {
    async fn a_request_is_seen_by_the_clinics_staff_as_the_ehr_knows_the_patient_and_by_nobody_else(database) {
        let ward = ward(database).await;
        let id = ward.asked().await;
        let path = format!("/clinic/requests/{id}");
        let mut nurse = ward.colleague("riverside").await;
        let list = nurse.get("/clinic").await;
        let words = main_text(&list);
        for said in ["A first talk", ward.ehr.patient.as_str(), "20 November 2026, 13:00", "waits for a time"] {
            assert!(words.contains(said), "{said}: {words}");
        }
        assert!(!words.contains("The nights"), "why is said on its own page: {words}");
        let page = nurse.get(&path).await;
        assert!(main_text(&page).contains("The nights.") && main_text(&page).contains(&ward.ehr.patient), "{}", page.body);
        for page in [&list, &page] {
            assert!(!page.body.contains("canary-sparrow"), "who they are in their community is not for the clinic");
            assert!(!page.body.contains(&ward.sparrow.id.to_string()), "nor what they are called here");
        }
        assert_eq!(noted(&ward).await, ["staff-saw look", "staff-saw look"]);
        let mut lake = ward.colleague("lakeside").await;
        assert!(main_text(&lake.get("/clinic").await).contains("Nobody is waiting"));
        assert_eq!(lake.get(&path).await.status, 404);
        for (form, fields) in [("", how("give")), ("/decline", vec![("why", "call")])] {
            lake.get("/clinic").await;
            assert_eq!(lake.post(&format!("{path}{form}"), &fields).await.status, 404);
        }
        let mut member = ward.portal.sign_in(&ward.sparrow).await;
        let mut nobody = ward.portal.browser();
        for page in [member.get(&path).await, nobody.get(&path).await] {
            assert_eq!((page.status, page.location()), (303, "/clinic/sign-in"));
        }
        ward.portal.bridge.deliver().await;
        assert_eq!(appointment(&ward).await["status"], "proposed");
        assert_eq!(noted(&ward).await.len(), 2, "who saw nothing is not noted as having looked");
        let shared = main_text(&member.get("/shared").await);
        assert!(shared.contains("Staff of Riverside looked at your visit"), "{shared}");
    }
}

on_both_databases! {
    async fn what_the_member_does_not_share_is_not_shown(database) {
        let ward = ward(database).await;
        let id = ward.asked().await;
        let path = format!("/clinic/requests/{id}");
        let grants = ward.portal.bridge.as_member(&ward.sparrow, reqwest::Method::GET, "/v1/grants", None).await;
        let grant = grants.json["grants"][0]["id"].as_str().unwrap().to_owned();
        let mut nurse = ward.colleague("riverside").await;
        let terms = json!({"categories": {"mood": "every-entry"}, "way_back": "notice"});
        ward.portal.bridge.change_terms(&ward.sparrow, &grant, terms).await;
        let page = nurse.get(&path).await;
        assert!(page.status == 200 && !page.body.contains("The nights."), "why they come is shared no longer: {}", page.body);
        ward.portal.bridge.change_grant(&ward.sparrow, &grant, "pause").await;
        assert_eq!(nurse.get(&path).await.status, 404);
        let list = nurse.get("/clinic").await;
        assert!(!list.body.contains(&ward.ehr.patient), "{}", list.body);
        assert!(main_text(&list).contains("One more stands in your EHR only"), "{}", list.body);
        assert_eq!(nurse.post(&path, &how("give")).await.status, 404, "nor is anything decided");
        ward.portal.bridge.deliver().await;
        assert_eq!(appointment(&ward).await["status"], "proposed");
    }
}

on_both_databases! {
    async fn a_time_that_is_given_is_booked_in_the_ehr_and_the_member_told(database) {
        let ward = ward(database).await;
        let id = ward.asked().await;
        let path = format!("/clinic/requests/{id}");
        let mut nurse = ward.colleague("riverside").await;
        nurse.get(&path).await;
        for wrong in [("day", "2026-11-19"), ("day", "2028-01-01"), ("day", ""), ("time", "25:00")] {
            let fields: Vec<_> = how("give").into_iter().map(|field| if field.0 == wrong.0 { wrong } else { field }).collect();
            assert_eq!(nurse.post(&path, &fields).await.status, 422, "{wrong:?}");
        }
        let given = ward.does(&mut nurse, &path, &path, &how("give")).await;
        assert_eq!((given.status, given.location()), (303, path.as_str()), "{}", given.body);
        let there = appointment(&ward).await;
        assert_eq!((&there["status"], &there["start"]), (&json!("booked"), &json!("2026-11-30T09:00:00Z")), "{there:#}");
        assert_eq!(there["end"], "2026-11-30T09:50:00Z");
        let booked = stands(&ward.portal.bridge, &ward.sparrow, id).await;
        assert_eq!((booked.state, booked.wish), (BookingState::Booked, None));
        assert!(is_told(&ward, id).await);
        assert!(main_text(&nurse.get("/clinic").await).contains("Nobody is waiting"));
        assert!(noted(&ward).await.contains(&"staff-decided give".to_owned()));
        assert_eq!(ward.does(&mut nurse, &path, &path, &how("give")).await.status, 409, "it is decided");
    }
}

on_both_databases! {
    async fn a_time_that_is_offered_is_kept_until_the_member_confirms_it(database) {
        let ward = ward(database).await;
        let id = ward.asked().await;
        let path = format!("/clinic/requests/{id}");
        let mut nurse = ward.colleague("riverside").await;
        assert_eq!(ward.does(&mut nurse, &path, &path, &how("offer")).await.status, 303);
        assert_eq!(appointment(&ward).await["status"], "pending");
        let held = stands(&ward.portal.bridge, &ward.sparrow, id).await;
        assert_eq!((held.state, held.note), (BookingState::Held, Some(Note::ClinicOffers)));
        assert_eq!(held.hold_until.unwrap(), ward.portal.bridge.now() + SignedDuration::from_hours(48));
        assert!(is_told(&ward, id).await);
        let mut member = ward.portal.sign_in(&ward.sparrow).await;
        let page = main_text(&member.get(&format!("/visits/{id}")).await);
        assert!(page.contains("Riverside keeps a time for you") && page.contains("22 November 2026"), "{page}");
        let booked = done(&ward.portal.bridge, &ward.sparrow, id, Does::Confirm).await;
        assert_eq!((booked.state, booked.note), (BookingState::Booked, None));
        let there = appointment(&ward).await;
        assert_eq!((&there["status"], &there["start"]), (&json!("booked"), &json!("2026-11-30T09:00:00Z")));
    }
}

on_both_databases! {
    async fn an_offer_that_nobody_takes_up_ends_and_the_time_is_free_again(database) {
        let ward = ward(database).await;
        let id = ward.asked().await;
        let path = format!("/clinic/requests/{id}");
        let mut nurse = ward.colleague("riverside").await;
        ward.does(&mut nurse, &path, &path, &how("offer")).await;
        ward.portal.bridge.clock.advance(SignedDuration::from_hours(49));
        ward.portal.bridge.chores().await;
        ward.portal.bridge.deliver().await;
        assert_eq!(appointment(&ward).await["status"], "cancelled");
        let over = stands(&ward.portal.bridge, &ward.sparrow, id).await;
        assert_eq!((over.state, over.note), (BookingState::Offered, Some(Note::HoldEnded)));
    }
}

on_both_databases! {
    async fn a_request_that_is_declined_is_cancelled_with_a_word_for_the_member(database) {
        let ward = ward(database).await;
        let id = ward.asked().await;
        let path = format!("/clinic/requests/{id}");
        let mut nurse = ward.colleague("riverside").await;
        let form = format!("{path}/decline");
        assert_eq!(ward.does(&mut nurse, &path, &form, &[("why", "she was rude")]).await.status, 400, "in no words of their own");
        let no = ward.does(&mut nurse, &path, &form, &[("why", "call")]).await;
        assert_eq!((no.status, no.location()), (303, "/clinic"));
        let there = appointment(&ward).await;
        assert_eq!((&there["status"], &there["cancelationReason"]["coding"][0]["code"]), (&json!("cancelled"), &json!("prov")));
        let over = stands(&ward.portal.bridge, &ward.sparrow, id).await;
        assert_eq!((over.state, over.note), (BookingState::Cancelled, Some(Note::ClinicCall)));
        assert!(is_told(&ward, id).await);
        let mut member = ward.portal.sign_in(&ward.sparrow).await;
        let page = main_text(&member.get(&format!("/visits/{id}")).await);
        assert!(page.contains("Riverside asks you to call"), "{page}");
        let shared = main_text(&member.get("/shared").await);
        assert!(shared.contains("Staff of Riverside decided about your visit"), "{shared}");
    }
}

on_both_databases! {
    async fn of_two_who_decide_at_once_one_does_and_the_other_is_told(database) {
        let ward = ward(database).await;
        let id = ward.asked().await;
        let path = format!("/clinic/requests/{id}");
        let (mut one, mut other) = (ward.colleague("riverside").await, ward.colleague("riverside").await);
        one.get(&path).await;
        other.get(&path).await;
        let (give, no) = (how("give"), [("why", "no-time")]);
        let form = format!("{path}/decline");
        let (given, declined) = join(one.post(&path, &give), other.post(&form, &no)).await;
        let mut statuses = [given.status, declined.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409], "{} {}", given.body, declined.body);
        let second: &Page = if given.status == 409 { &given } else { &declined };
        assert!(second.body.contains("was a moment faster"), "{}", second.body);
        ward.portal.bridge.deliver().await;
        let (there, booking) = (appointment(&ward).await, stands(&ward.portal.bridge, &ward.sparrow, id).await);
        let expected = if given.status == 303 { ("booked", BookingState::Booked) } else { ("cancelled", BookingState::Cancelled) };
        assert_eq!((there["status"].as_str().unwrap(), booking.state), expected);
        let decided = noted(&ward).await.into_iter().filter(|said| said.starts_with("staff-decided")).count();
        assert_eq!(decided, 1);
    }
}
