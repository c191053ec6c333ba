//! A clinic's staff, and the staff view as they see it.

use mostik::app;
use mostik::config::Config;
use mostik::domain::booking::Way;
use mostik::domain::concern::Level;
use mostik::domain::ids::{BookingId, ClinicId};
use mostik::enrolment::staff::{Colleague, Moderator, Somebody, StaffDoors};
use serde_json::json;

use super::booking::asks_as;
use super::bridge::{Person, TestBridge};
use super::database::Database;
use super::ehr::Ehr;
use super::portal::{Browser, Page, Portal, portal_config};
use super::postbox::Postbox;

/// The cookie that staff are known by.
pub const COOKIE: &str = "__Host-staff";

/// Settings of a clinic that lets in whoever is in its group for telemedicine, and whose clock stands in Berlin.
pub fn staff_setting(clinic: &str, issuer: &str, client_id: &str) -> String {
    format!(
        "[clinics.{clinic}.staff]\nclaim = \"groups\"\nvalues = [\"on-call\", \"telemedicine\"]\nzone = \"Europe/Berlin\"\n\
         [clinics.{clinic}.staff.sign_in]\nissuer = {issuer:?}\nclient_id = {client_id:?}\n"
    )
}

/// The cookie that a community's people are known by.
pub const MODERATOR_COOKIE: &str = "__Host-moderator";

/// Settings of a community that lets in its moderators, and whoever is on duty as one of the second level.
pub fn moderators_setting(community: &str, issuer: &str, client_id: &str) -> String {
    format!(
        "[communities.{community}.staff]\nclaim = \"groups\"\nvalues = [\"moderators\"]\nsecond = [\"on-duty\"]\n\
         zone = \"Europe/Berlin\"\n[communities.{community}.staff.sign_in]\nissuer = {issuer:?}\nclient_id = {client_id:?}\n"
    )
}

/// What the cookie holds of somebody of a community's people who has come in by these doors.
pub async fn moderates(test: &TestBridge, doors: &StaffDoors, community: &str, level: Level) -> String {
    let id = test.bridge.keyring.entropy().uuid(test.now()).unwrap();
    let who = Moderator { community: community.parse().unwrap(), level, id };
    has_come(test, doors, &Somebody::from(&who)).await
}

/// Somebody of a community's people, signed in.
pub async fn moderator(portal: &Portal, community: &str, level: Level) -> Browser {
    let mut browser = portal.browser();
    let secret = moderates(&portal.bridge, &doors(&portal.bridge), community, level).await;
    browser.cookies.insert(MODERATOR_COOKIE.to_owned(), secret);
    browser
}

/// Another clinic, whose staff can sign in, too.
pub fn lakeside(issuer: &str) -> String {
    let clinic = "[clinics.lakeside]\nname = \"Lakeside\"\nfhir_base = \"http://127.0.0.1:9/lake\"\n";
    clinic.to_owned() + &staff_setting("lakeside", issuer, "mostik-lake")
}

/// A clinic that offers visits, its EHR, and a patient of it.
pub struct Ward {
    pub portal: Portal,
    pub ehr: Ehr,
    pub sparrow: Person,
}

impl Ward {
    /// A clinic with these settings of its visits; the patient lets something come back, and says what they want to talk about.
    pub async fn open(database: Database, ehr: Ehr, visits: &str) -> Self {
        let postbox = Postbox::open();
        let nobody = "http://127.0.0.1:9";
        let text = portal_config(&database, &ehr.base, &postbox)
            + visits
            + &staff_setting("riverside", nobody, "mostik")
            + &lakeside(nobody);
        let portal = Portal::open_with(database, &text, postbox).await;
        let sparrow = portal.bridge.person("canary-sparrow", &ehr.patient).await;
        let terms = json!({"categories": {"agenda": "every-entry"}, "way_back": "notice"});
        portal.bridge.share_by(&sparrow, terms).await;
        Self { portal, ehr, sparrow }
    }

    /// The patient asks for a visit, and the EHR has it.
    pub async fn asked(&self) -> BookingId {
        let booking = asks_as(&self.portal.bridge, &self.sparrow, "The nights.", Way::Request).await.unwrap();
        self.portal.bridge.deliver().await;
        booking.id
    }

    /// Somebody of a clinic's staff, signed in.
    pub async fn colleague(&self, clinic: &str) -> Browser {
        colleague(&self.portal, clinic).await
    }

    /// Sends a form of a page that is opened before, and has the EHR answer.
    pub async fn does(&self, browser: &mut Browser, page: &str, form: &str, fields: &[(&str, &str)]) -> Page {
        browser.get(page).await;
        let answer = browser.post(form, fields).await;
        self.portal.bridge.deliver().await;
        answer
    }
}

/// Somebody of a clinic's staff, signed in.
pub async fn colleague(portal: &Portal, clinic: &str) -> Browser {
    let mut browser = portal.browser();
    let secret = signed_in(&portal.bridge, &doors(&portal.bridge), clinic).await;
    browser.cookies.insert(COOKIE.to_owned(), secret);
    browser
}

/// The doors of a bridge's clinics.
pub fn doors(test: &TestBridge) -> StaffDoors {
    app::staff_doors(&Config::from_toml(&test.config).unwrap(), &test.bridge).unwrap()
}

/// What the cookie holds of somebody of a clinic's staff who has come in by these doors.
pub async fn signed_in(test: &TestBridge, doors: &StaffDoors, clinic: &str) -> String {
    let clinic: ClinicId = clinic.parse().unwrap();
    let id = test.bridge.keyring.entropy().uuid(test.now()).unwrap();
    has_come(test, doors, &Somebody::from(&Colleague { clinic, id })).await
}

/// What the cookie holds of somebody who has come in by these doors.
pub async fn has_come(test: &TestBridge, doors: &StaffDoors, who: &Somebody) -> String {
    let bridge = &test.bridge;
    let mut tx = bridge.store.begin().await.unwrap();
    let secret = doors.open(&mut tx, who, None).await.unwrap();
    tx.commit().await.unwrap();
    secret
}

/// The words of a page, without what stands around it.
pub fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}
