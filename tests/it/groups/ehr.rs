//! What stands in the EHR of a session: one Appointment that names no patient, whatever answers get lost; and what the clinic's
//! people do with it there reaches everybody.

use jiff::SignedDuration;
use mostik::domain::booking::{BookingState, Note};
use mostik::sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::on_both_databases;
use crate::support::booking::{appointments, finder};
use crate::support::bridge::riverside;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::groups::{Circle, EVENING};
use crate::support::recommendations::write;
use crate::support::validate::assert_valid;

async fn planned(database: Database, ehr: Ehr) {
    let circle = Circle::open_at(database, ehr, 8, "").await;
    let id = circle.plan("7").await;
    let session = circle.of_session(id).remove(0);
    assert_eq!(
        (&session["status"], &session["start"], &session["minutesDuration"]),
        (&json!("booked"), &json!(EVENING), &json!(90))
    );
    assert_eq!(session["extension"][0]["valuePositiveInt"], 7);
    assert_eq!(session["serviceType"][0]["text"], "A calm evening");
    let mut wren = circle.guest("wren").await;
    wren.joined(id).await;
    circle.settle().await;
    let session = circle.of_session(id);
    assert_eq!(session.len(), 1);
    let leaders: Vec<&str> = session[0]["participant"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["actor"]["reference"].as_str().unwrap())
        .collect();
    assert_eq!(leaders, ["Practitioner/dr-7"], "and no patient, whoever takes part");
    assert_valid(&session[0]).await;
}

on_both_databases! {
    async fn a_session_names_who_leads_it_and_no_patient(database) {
        Box::pin(planned(database, Ehr::sandbox().await)).await;
    }
}

on_both_databases! {
    async fn a_session_stands_once_although_the_answer_was_lost(database) {
        let circle = Circle::open_at(database, Ehr::without_conditional_create().await, 8, "").await;
        let faults = circle.ward.ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::once(FaultKind::LostReply).on("POST", "Appointment"));
        let id = circle.plan("8").await;
        assert_eq!(circle.session(id).await.told, 0, "nobody knows");
        let mut nurse = circle.ward.colleague("riverside").await;
        let page = nurse.get(&format!("/clinic/groups/{id}")).await;
        assert!(page.html().by_id("told").text().contains("Not yet"), "{}", page.body);
        circle.bridge().clock.advance(SignedDuration::from_mins(2));
        circle.settle().await;
        assert_eq!((circle.of_session(id).len(), circle.session(id).await.told), (1, 1));
    }
}

on_both_databases! {
    async fn of_two_replicas_one_tells_the_ehr(database) {
        let circle = Circle::open_at(database, Ehr::without_conditional_create().await, 8, "").await;
        let fields = [("kind", "calm-evening"), ("day", "2026-11-23"), ("time", "18:00"), ("places", "8")];
        let mut nurse = circle.ward.colleague("riverside").await;
        circle.ward.does(&mut nurse, "/clinic/groups", "/clinic/groups", &fields).await;
        let finders: Vec<_> = (0..4).map(|_| finder(circle.bridge())).collect();
        let clinic = riverside();
        let looked = futures_util::future::join_all(finders.iter().map(|finder| finder.look_after_sessions(&clinic))).await;
        assert!(looked.into_iter().all(|looked| looked.is_ok()));
        assert_eq!(circle.in_ehr("Appointment").len(), 1);
    }
}

on_both_databases! {
    async fn what_the_clinics_people_do_in_their_own_system_reaches_everybody(database) {
        let circle = Circle::open(database, 8, "").await;
        let id = circle.plan("8").await;
        let mut wren = circle.guest("wren").await;
        let booking = wren.joined(id).await;
        circle.settle().await;
        let mut moved = circle.of_session(id).remove(0);
        (moved["start"], moved["end"]) = (json!("2026-11-25T18:00:00+01:00"), json!("2026-11-25T19:30:00+01:00"));
        moved["participant"].as_array_mut().unwrap().push(json!({"actor": {"reference": "Practitioner/dr-8"}, "status": "accepted"}));
        write(&circle.ward.ehr.base, moved).await;
        circle.settle().await;
        assert_eq!(circle.stands(&wren, booking).await.note, None, "not looked yet");
        circle.bridge().clock.advance(SignedDuration::from_mins(15));
        circle.settle().await;
        let there = circle.stands(&wren, booking).await;
        assert_eq!((there.note, there.time.unwrap().start.to_string()), (Some(Note::ClinicMoved), "2026-11-25T17:00:00Z".to_owned()));
        assert_eq!(appointments(&circle.ward.ehr.base, &wren.patient).await[0]["start"], "2026-11-25T17:00:00Z");
        // What the staff view changes leaves what they added.
        circle.staff_do(id, "change", &[("day", "2026-11-25"), ("time", "19:00"), ("places", "8")]).await;
        circle.settle().await;
        let mut off = circle.of_session(id).remove(0);
        assert_eq!(off["participant"].as_array().unwrap().len(), 2, "{off:#}");
        off["status"] = json!("cancelled");
        write(&circle.ward.ehr.base, off).await;
        circle.bridge().clock.advance(SignedDuration::from_mins(15));
        circle.settle().await;
        let there = circle.stands(&wren, booking).await;
        assert_eq!((there.state, there.note), (BookingState::Cancelled, Some(Note::ClinicCancelled)));
    }
}

on_both_databases! {
    async fn a_session_is_planned_at_a_server_that_nobody_here_wrote(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let doctor = write(&ehr.base, json!({"resourceType": "Practitioner", "id": "dr-7"})).await;
        let more = format!("# {}", doctor["id"]);
        let circle = Circle::open_at(database, ehr, 8, &more).await;
        let id = circle.plan("7").await;
        let mut wren = circle.guest("wren").await;
        let booking = wren.joined(id).await;
        circle.settle().await;
        let base = &circle.ward.ehr.base;
        assert_eq!(appointments(base, &wren.patient).await[0]["status"], "booked");
        assert_eq!(circle.session(id).await.told, 1);
        circle.staff_do(id, "change", &[("day", "2026-11-24"), ("time", "20:00"), ("places", "2")]).await;
        circle.settle().await;
        assert_eq!(circle.session(id).await.told, 2);
        assert_eq!(appointments(base, &wren.patient).await[0]["start"], "2026-11-24T19:00:00Z");
        wren.leaves(booking).await;
        circle.settle().await;
        assert_eq!(appointments(base, &wren.patient).await[0]["status"], "cancelled");
    }
}
