//! "I'm here": said from a quarter of an hour before a visit until half an hour after it, the clinic's own system knows it; and what
//! to do if nobody comes.

use jiff::Timestamp;
use mostik::domain::booking::BookingState;
use mostik::domain::delivery::DeliveryState;
use mostik::domain::ids::BookingId;
use mostik::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::booking::{Does, appointments, asks, done, first_talk, free_slot, schedule, stands, status_of};
use crate::support::bridge::Person;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::{Browser, Page, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::recommendations::{look_later, open_person, write};

const START: &str = "2026-11-23T09:00:00Z";

struct Stage {
    ehr: Ehr,
    portal: Portal,
    sparrow: Person,
    grant: String,
    id: BookingId,
    slot: String,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A member whose first talk is booked.
async fn booked(database: Database, ehr: Ehr) -> Stage {
    let schedule = schedule(&ehr.base).await;
    let slot = free_slot(&ehr.base, &schedule, at(START)).await;
    let postbox = Postbox::open();
    let text = portal_config(&database, &ehr.base, &postbox);
    let text = text.replace("[clinics.riverside]\n", "[clinics.riverside]\nphone = \"+49 (30) 123-45\"\n");
    let back = "[clinics.riverside.way_back]\nkinds = [\"appointment\"]\n";
    let portal = Portal::open_with(database, &(text + &first_talk(&schedule, "") + back), postbox).await;
    let (sparrow, grant) = open_person(&portal.bridge, "sparrow", &ehr.patient).await;
    let id = asks(&portal.bridge, &sparrow, "").await.unwrap().id;
    for what in [Does::Choose(0), Does::Confirm] {
        done(&portal.bridge, &sparrow, id, what).await;
    }
    Stage { ehr, portal, sparrow, grant, id, slot }
}

impl Stage {
    /// The member's browser at this time.
    async fn at(&self, time: &str) -> Browser {
        self.portal.bridge.clock.advance(at(time).duration_since(self.portal.bridge.now()));
        self.portal.sign_in(&self.sparrow).await
    }

    async fn page(&self, browser: &mut Browser) -> Page {
        browser.get(&format!("/visits/{}", self.id)).await
    }

    async fn says_here(&self, browser: &mut Browser) -> u16 {
        self.page(browser).await;
        browser.post(&format!("/visits/{}/here", self.id), &[]).await.status
    }

    async fn appointment(&self) -> Value {
        appointments(&self.ehr.base, &self.ehr.patient).await.remove(0)
    }
}

fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}

on_both_databases! {
    async fn whoever_is_there_says_so_and_the_clinic_sees_it(database) {
        let stage = booked(database, Ehr::sandbox().await).await;
        let mut browser = stage.at("2026-11-23T08:44:59Z").await;
        assert!(!stage.page(&mut browser).await.body.contains("id=\"here\""));
        assert_eq!(stage.says_here(&mut browser).await, 409, "not yet");
        let mut browser = stage.at("2026-11-23T08:45:00Z").await;
        let page = stage.page(&mut browser).await;
        assert!(main_text(&page).contains("Riverside sees in its own system that you are there. I’m here"), "{}", main_text(&page));
        assert!(main_text(&page).contains("Please wait ten minutes"), "{}", main_text(&page));
        assert!(page.html().links().contains(&"tel:+493012345"), "{}", page.body);
        assert_eq!(stage.says_here(&mut browser).await, 303);
        let page = stage.page(&mut browser).await;
        assert_eq!(page.html().by_id("since").text(), "You said at 08:45 that you are here. Your clinic is told.");
        assert!(!page.body.contains("/cancel"), "whoever is there calls it off no more");
        stage.portal.bridge.deliver().await;
        let there = stage.appointment().await;
        assert_eq!((&there["status"], &there["participant"][0]["status"]), (&json!("arrived"), &json!("accepted")));
        assert_eq!(status_of(&stage.ehr.base, &stage.slot).await, "busy");
        let version = there["meta"]["versionId"].clone();
        assert_eq!(stage.says_here(&mut browser).await, 303, "twice");
        stage.portal.bridge.deliver().await;
        assert_eq!(stage.appointment().await["meta"]["versionId"], version, "is once");
        look_later(&stage.portal.bridge).await;
        let booking = stands(&stage.portal.bridge, &stage.sparrow, stage.id).await;
        assert_eq!((booking.state, booking.note, booking.wish), (BookingState::Booked, None, None), "and is no news here");
        let mut browser = stage.at("2026-11-23T10:20:00Z").await;
        assert_eq!(stage.says_here(&mut browser).await, 409, "over");
        assert!(!stage.page(&mut browser).await.body.contains("id=\"here\""));
    }
}

on_both_databases! {
    async fn a_clinic_whose_system_takes_no_such_word_is_not_troubled_with_it(database) {
        let stage = booked(database, Ehr::sandbox().await).await;
        let mut browser = stage.at("2026-11-23T08:50:00Z").await;
        assert_eq!(stage.says_here(&mut browser).await, 303);
        let faults = stage.ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::always(FaultKind::Status { code: 422, retry_after: None }).on("PUT", "Appointment"));
        stage.portal.bridge.deliver().await;
        faults.clear();
        assert_eq!(stage.portal.bridge.count(DeliveryState::Rejected).await, 0, "nobody need see to it");
        assert_eq!(stage.appointment().await["status"], "booked");
        assert_eq!(stands(&stage.portal.bridge, &stage.sparrow, stage.id).await.state, BookingState::Booked);
    }
}

on_both_databases! {
    async fn what_the_clinic_did_meanwhile_counts(database) {
        let stage = booked(database, Ehr::sandbox().await).await;
        let mut browser = stage.at("2026-11-23T08:50:00Z").await;
        assert_eq!(stage.says_here(&mut browser).await, 303);
        let mut there = stage.appointment().await;
        there["status"] = json!("cancelled");
        write(&stage.ehr.base, there).await;
        stage.portal.bridge.deliver().await;
        assert_eq!(stage.appointment().await["status"], "cancelled", "nobody arrives at what was called off");
        look_later(&stage.portal.bridge).await;
        assert_eq!(stands(&stage.portal.bridge, &stage.sparrow, stage.id).await.state, BookingState::Cancelled);
    }
}

on_both_databases! {
    async fn a_visit_that_was_moved_has_nobody_there_yet_and_a_consent_that_ended_says_nothing(database) {
        let stage = booked(database, Ehr::sandbox().await).await;
        let mut browser = stage.at("2026-11-23T08:50:00Z").await;
        assert_eq!(stage.says_here(&mut browser).await, 303);
        stage.portal.bridge.deliver().await;
        let mut there = stage.appointment().await;
        (there["status"], there["start"], there["end"]) = (json!("booked"), json!("2026-11-23T12:00:00Z"), json!("2026-11-23T12:50:00Z"));
        write(&stage.ehr.base, there).await;
        look_later(&stage.portal.bridge).await;
        let mut browser = stage.at("2026-11-23T11:50:00Z").await;
        let page = stage.page(&mut browser).await;
        assert!(page.body.contains("I’m here") && !page.body.contains("id=\"since\""), "{}", main_text(&page));
        stage.portal.bridge.change_grant(&stage.sparrow, &stage.grant, "revoke").await;
        let page = stage.page(&mut browser).await;
        assert!(!page.body.contains("I’m here") && page.body.contains("Nobody comes?"), "{}", main_text(&page));
        assert_eq!(stage.says_here(&mut browser).await, 409);
        stage.portal.bridge.deliver().await;
        assert_eq!(stage.appointment().await["status"], "booked");
    }
}

on_both_databases! {
    async fn an_ehr_that_nobody_here_wrote_takes_it(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let stage = booked(database, ehr).await;
        let mut browser = stage.at("2026-11-23T08:50:00Z").await;
        assert_eq!(stage.says_here(&mut browser).await, 303);
        stage.portal.bridge.deliver().await;
        assert_eq!(stage.appointment().await["status"], "arrived");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_to_try_out_a_camera_is_for_everybody() {
    let database = Database::sqlite();
    let postbox = Postbox::open();
    let text = portal_config(&database, "http://127.0.0.1:9/fhir", &postbox);
    let portal = Portal::open_with(database, &text, postbox).await;
    let mut browser = portal.browser();
    let page = browser.get("/visits/camera").await;
    assert_eq!(page.status, 200);
    let text = main_text(&page);
    assert!(
        text.contains("Try out camera and microphone") && text.contains("You can come without a camera, too"),
        "{text}"
    );
    assert!(!page.body.contains("<script"));
    browser.post("/language", &[("language", "ru"), ("back", "/visits/camera")]).await;
    let text = main_text(&browser.get("/visits/camera").await);
    assert!(text.contains("Как проверить камеру и микрофон"), "{text}");
}
