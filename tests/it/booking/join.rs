//! Remote visits: the member enters from their page, the clinician from the clinic's own system, each by an address made for them;
//! and the member keeps the visit in their own calendar.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use jiff::SignedDuration;
use mostik::vault::signing::SigningAlgorithm;
use reqwest::Method;

use url::Url;

use crate::on_both_databases;
use crate::support::booking::{Does, asks, done, first_talk, free_slot, schedule, stands};
use crate::support::clinic::{System, entries, read};
use crate::support::concerns::secret_file;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http::{self, Got};
use crate::support::portal::{Page, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::recommendations::open_person;
use crate::support::validate::assert_valid;

const JOIN: &str = "system/Appointment.r";

/// A member who has booked a visit that begins in three hours, at a clinic with this video service.
struct Stage {
    portal: Portal,
    sparrow: crate::support::bridge::Person,
    system: System,
    ehr: Ehr,
    /// The page of the visit.
    path: String,
    identifier: String,
}

async fn booked(database: Database, video: &str) -> Stage {
    let ehr = Ehr::sandbox().await;
    let schedule = schedule(&ehr.base).await;
    let system = System::new("riverside-ehr", SigningAlgorithm::Es384);
    let postbox = Postbox::open();
    let secret = secret_file(&database);
    let text = portal_config(&database, &ehr.base, &postbox)
        + &first_talk(&schedule, "")
        + &system.registered("riverside")
        + &format!("scopes = \"system/Consent.rs system/AuditEvent.rs {JOIN}\"\n")
        + &format!("[clinics.riverside.video]\n{video}secret_file = {secret:?}\n");
    let portal = Portal::open_with(database, &text, postbox).await;
    free_slot(&ehr.base, &schedule, portal.bridge.now() + SignedDuration::from_hours(3)).await;
    let (sparrow, _) = open_person(&portal.bridge, "sparrow", &ehr.patient).await;
    let id = asks(&portal.bridge, &sparrow, "").await.unwrap().id;
    for what in [Does::Choose(0), Does::Confirm] {
        done(&portal.bridge, &sparrow, id, what).await;
    }
    let path = format!("/visits/{id}");
    let appointments = crate::support::booking::appointments(&ehr.base, &ehr.patient).await;
    let identifier = appointments[0]["identifier"][0]["value"].as_str().unwrap().to_owned();
    assert_eq!(stands(&portal.bridge, &sparrow, id).await.state.as_str(), "booked");
    Stage { portal, sparrow, system, ehr, path, identifier }
}

const JITSI: &str = "method = \"jitsi\"\nurl = \"https://meet.example/\"\napp_id = \"mostik\"\n";

fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}

fn way(page: &Page) -> Url {
    assert_eq!(page.status, 303, "{}", page.body);
    page.location().parse().unwrap()
}

/// The clinician asks for the way in.
async fn clinician(stage: &Stage, identifier: &str) -> Got {
    let token = stage.system.token(&stage.portal.bridge, JOIN).await;
    let url = format!("{}/fhir/Appointment/{identifier}/$join", stage.portal.bridge.api);
    http::call(Method::POST, &url, Some(&token), None).await
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

on_both_databases! {
    async fn both_sides_enter_the_same_room_from_a_quarter_of_an_hour_before_until_half_an_hour_after(database) {
        let stage = booked(database, JITSI).await;
        let mut browser = stage.portal.sign_in(&stage.sparrow).await;
        let early = browser.get(&stage.path).await;
        assert!(main_text(&early).contains("You can enter from 20 November 2026, 14:45 on"), "{}", main_text(&early));
        assert_eq!(browser.get(&format!("{}/join", stage.path)).await.location(), stage.path, "not yet");
        let shared = main_text(&browser.get("/shared").await);
        assert!(shared.contains("A visit that you arranged"), "{shared}");
        assert_eq!(clinician(&stage, &stage.identifier).await.status, 404, "nor the clinician");

        stage.portal.bridge.clock.advance(minutes(165));
        let mut browser = stage.portal.sign_in(&stage.sparrow).await;
        let page = browser.get(&stage.path).await;
        assert!(page.html().links().contains(&format!("{}/join", stage.path).as_str()), "{}", page.body);
        let member = way(&browser.get(&format!("{}/join", stage.path)).await);
        assert_eq!(member.host_str(), Some("meet.example"));
        let got = clinician(&stage, &stage.identifier).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        assert_valid(&got.json).await;
        let clinician_way: Url = got.json["parameter"][0]["valueUrl"].as_str().unwrap().parse().unwrap();
        assert_eq!(clinician_way.path(), member.path(), "they meet");
        assert_ne!(clinician_way.query(), member.query(), "each by their own token");
        assert_eq!(got.json["parameter"][1]["valueInstant"], "2026-11-20T14:55:00Z");

        stage.portal.bridge.clock.advance(minutes(15 + 50 + 30));
        let mut browser = stage.portal.sign_in(&stage.sparrow).await;
        assert_eq!(browser.get(&format!("{}/join", stage.path)).await.location(), stage.path, "over");
        assert!(!browser.get(&stage.path).await.body.contains("id=\"join\""));
        let token = stage.system.token(&stage.portal.bridge, "system/AuditEvent.s").await;
        let read = read(&stage.portal.bridge, &token, &format!("/fhir/AuditEvent?patient={}", stage.ehr.patient)).await;
        let asked = entries(&read.json).into_iter().filter(|it| it["subtype"][0]["code"] == "operation").count();
        assert_eq!(asked, 2, "each time that it asked is written down");
    }
}

on_both_databases! {
    async fn nobody_else_enters_and_nobody_who_has_cancelled(database) {
        let stage = booked(database, JITSI).await;
        stage.portal.bridge.clock.advance(minutes(170));
        assert_eq!(clinician(&stage, "00000000-0000-0000-0000-000000000001").await.status, 404);
        let url = format!("{}/fhir/Appointment/{}/$join", stage.portal.bridge.api, stage.identifier);
        let reads = stage.system.token(&stage.portal.bridge, "system/Consent.rs").await;
        assert_eq!(http::call(Method::POST, &url, Some(&reads), None).await.status, 403, "who may read may not enter");
        let wren = stage.portal.bridge.person("wren", &crate::support::ehr::create_patient(&stage.ehr.base).await).await;
        let mut other = stage.portal.sign_in(&wren).await;
        assert_eq!(other.get(&format!("{}/join", stage.path)).await.status, 404);
        assert_eq!(other.get(&format!("{}/calendar.ics", stage.path)).await.status, 404);
        let id = stage.path.rsplit('/').next().unwrap().parse().unwrap();
        done(&stage.portal.bridge, &stage.sparrow, id, Does::Cancel).await;
        let mut browser = stage.portal.sign_in(&stage.sparrow).await;
        assert_eq!(browser.get(&format!("{}/join", stage.path)).await.location(), stage.path);
        assert_eq!(clinician(&stage, &stage.identifier).await.status, 404);
    }
}

/// A BigBlueButton that opens rooms, or not, and knows what it was asked.
fn big_blue_button(returncode: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let base = format!("http://{}/bigbluebutton/api", listener.local_addr().unwrap());
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&asked);
    let answer = move |request: HttpRequest| {
        seen.lock().unwrap().push(request.uri().to_string());
        // The shape of the API's own documentation.
        let xml =
            format!("<response><returncode>{returncode}</returncode><messageKey>checksumError</messageKey></response>");
        async move { HttpResponse::Ok().content_type("text/xml").body(xml) }
    };
    let server = HttpServer::new(move || App::new().default_service(web::to(answer.clone())));
    tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
    (base, asked)
}

on_both_databases! {
    async fn a_room_that_does_not_open_itself_is_opened_first_and_where_it_stays_shut_nobody_is_sent_there(database) {
        let (base, asked) = big_blue_button("SUCCESS");
        let stage = booked(database, &format!("method = \"big-blue-button\"\nurl = {base:?}\n")).await;
        stage.portal.bridge.clock.advance(minutes(170));
        let mut browser = stage.portal.sign_in(&stage.sparrow).await;
        let way = way(&browser.get(&format!("{}/join", stage.path)).await);
        assert!(way.path().ends_with("/api/join"), "{way}");
        let opened = asked.lock().unwrap().clone();
        assert_eq!(opened.len(), 1);
        assert!(opened[0].contains("/create?") && opened[0].contains("record=false"), "{opened:?}");
        assert!(!opened[0].contains("sparrow") && !way.as_str().contains("sparrow"), "it learns no name of the member");
    }
}

on_both_databases! {
    async fn a_service_that_refuses_is_said_to_be_busy(database) {
        let (base, _asked) = big_blue_button("FAILED");
        let stage = booked(database, &format!("method = \"big-blue-button\"\nurl = {base:?}\n")).await;
        stage.portal.bridge.clock.advance(minutes(170));
        let mut browser = stage.portal.sign_in(&stage.sparrow).await;
        assert_eq!(browser.get(&format!("{}/join", stage.path)).await.status, 503);
        let got = clinician(&stage, &stage.identifier).await;
        assert_eq!((got.status, got.json["resourceType"].as_str()), (503, Some("OperationOutcome")), "{:?}", got.json);
    }
}

on_both_databases! {
    async fn the_member_keeps_the_visit_in_their_own_calendar_which_says_when_and_nothing_else(database) {
        let stage = booked(database, JITSI).await;
        let mut browser = stage.portal.sign_in(&stage.sparrow).await;
        let page = browser.get(&stage.path).await;
        let file = format!("{}/calendar.ics", stage.path);
        assert!(page.html().links().contains(&file.as_str()), "{}", page.body);
        let got = browser.get(&file).await;
        assert_eq!((got.status, got.header("content-type")), (200, "text/calendar; charset=utf-8"));
        let text = got.body.replace("\r\n ", "");
        assert!(text.contains("DTSTART:20261120T150000Z") && text.contains("SUMMARY:Appointment"), "{text}");
        assert!(text.contains(&format!("URL:https://mostik.example{}", stage.path)), "{text}");
        for said in ["Riverside", "talk", "meet.example", "Guest", "jwt"] {
            assert!(!text.contains(said), "{said}: {text}");
        }
    }
}
