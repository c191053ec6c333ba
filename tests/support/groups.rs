//! Group sessions of a clinic, planned by its staff, and members who take part.

use jiff::Timestamp;
use mostik::domain::booking::Booking;
use mostik::domain::group::GroupSession;
use mostik::domain::ids::{BookingId, GroupSessionId};
use serde_json::{Value, json};

use super::booking::{finder, stands};
use super::bridge::{Person, TestBridge, riverside};
use super::concerns::secret_file;
use super::database::Database;
use super::ehr::{Ehr, create_patient};
use super::portal::{Browser, Page};
use super::staff::Ward;

/// When the sessions of the tests begin: at six in the evening in Berlin.
pub const EVENING: &str = "2026-11-23T17:00:00Z";

/// How long they take.
pub const MINUTES: i64 = 90;

/// The settings of a clinic that offers evenings for a group with so many places, with these more.
pub fn calm_evening(places: u16, more: &str) -> String {
    format!(
        "[[clinics.riverside.visits]]\nid = \"calm-evening\"\ntitle = {{ en = \"A calm evening\", ru = \"Спокойный вечер\" }}\n\
         minutes = {MINUTES}\nservice_type = \"305\"\n[clinics.riverside.visits.group]\ncapacity = {places}\n\
         with = [\"Practitioner/dr-7\"]\n{more}\n"
    )
}

/// A clinic whose staff plan such evenings, which it holds by video.
pub struct Circle {
    pub ward: Ward,
}

/// Somebody who may take part.
pub struct Guest {
    pub person: Person,
    pub patient: String,
    pub grant: String,
    pub browser: Browser,
}

impl Circle {
    pub async fn open(database: Database, places: u16, more: &str) -> Self {
        Self::open_at(database, Ehr::sandbox().await, places, more).await
    }

    pub async fn open_at(database: Database, ehr: Ehr, places: u16, more: &str) -> Self {
        let secret = secret_file(&database);
        let video = format!(
            "[clinics.riverside.video]\nmethod = \"jitsi\"\nurl = \"https://meet.example/\"\napp_id = \"mostik\"\n\
             secret_file = {secret:?}\n"
        );
        Self { ward: Ward::open(database, ehr, &(calm_evening(places, more) + &video)).await }
    }

    pub fn bridge(&self) -> &TestBridge {
        &self.ward.portal.bridge
    }

    /// Somebody whom the clinic knows, and who lets something come back from it.
    pub async fn guest(&self, handle: &str) -> Guest {
        let patient = create_patient(&self.ward.ehr.base).await;
        let person = self.bridge().person(handle, &patient).await;
        let terms = json!({"categories": {"mood": "every-entry"}, "way_back": "notice"});
        let grant = self.bridge().share_by(&person, terms).await;
        let browser = self.ward.portal.sign_in(&person).await;
        Guest { person, patient, grant, browser }
    }

    /// Somebody whom no clinic knows.
    pub async fn stranger(&self, handle: &str) -> Guest {
        let person = self.bridge().unlinked_person(handle).await;
        let browser = self.ward.portal.sign_in(&person).await;
        Guest { person, patient: String::new(), grant: String::new(), browser }
    }

    /// The clinic's staff plan an evening with so many places; the EHR has it.
    pub async fn plan(&self, places: &str) -> GroupSessionId {
        let fields = [("kind", "calm-evening"), ("day", "2026-11-23"), ("time", "18:00"), ("places", places)];
        let mut nurse = self.ward.colleague("riverside").await;
        let planned = self.ward.does(&mut nurse, "/clinic/groups", "/clinic/groups", &fields).await;
        assert_eq!(planned.status, 303, "{}", planned.body);
        self.settle().await;
        planned.location().rsplit('/').next().unwrap().parse().unwrap()
    }

    /// The staff send a form of the session's page.
    pub async fn staff_do(&self, id: GroupSessionId, form: &str, fields: &[(&str, &str)]) -> Page {
        let mut nurse = self.ward.colleague("riverside").await;
        let page = format!("/clinic/groups/{id}");
        self.ward.does(&mut nurse, &page, &format!("{page}/{form}"), fields).await
    }

    /// Whatever is to be done is done, here and at the EHR.
    pub async fn settle(&self) {
        let bridge = self.bridge();
        while finder(bridge).look_after_sessions(&riverside()).await.unwrap() {}
        bridge.chores().await;
        bridge.deliver().await;
        bridge.chores().await;
        bridge.deliver().await;
    }

    /// A session as it stands.
    pub async fn session(&self, id: GroupSessionId) -> GroupSession {
        self.bridge().bridge.store.read().await.unwrap().group_session(&riverside(), id).await.unwrap().unwrap()
    }

    /// Everything of this type that stands in the EHR.
    pub fn in_ehr(&self, kind: &str) -> Vec<Value> {
        self.ward.ehr.sandbox.as_ref().unwrap().resources(kind)
    }

    /// The Appointments of the session itself.
    pub fn of_session(&self, id: GroupSessionId) -> Vec<Value> {
        let is_it = |it: &Value| it["identifier"][0]["value"] == id.to_string();
        self.in_ehr("Appointment").into_iter().filter(is_it).collect()
    }

    /// A booking as it stands.
    pub async fn stands(&self, guest: &Guest, id: BookingId) -> Booking {
        stands(self.bridge(), &guest.person, id).await
    }

    /// Where everybody meets, shortly before the evening begins.
    pub fn go_to_the_evening(&self) {
        let start: Timestamp = EVENING.parse().unwrap();
        let wait = start.duration_since(self.bridge().now()) - jiff::SignedDuration::from_mins(5);
        self.bridge().clock.advance(wait);
    }
}

impl Guest {
    /// Presses the one button.
    pub async fn joins(&mut self, id: GroupSessionId) -> Page {
        self.browser.get("/visits").await;
        self.browser.post(&format!("/visits/groups/riverside/{id}"), &[]).await
    }

    /// The same; returns the booking that it became.
    pub async fn joined(&mut self, id: GroupSessionId) -> BookingId {
        let joined = self.joins(id).await;
        assert_eq!(joined.status, 303, "{}", joined.body);
        joined.location().rsplit('/').next().unwrap().parse().unwrap()
    }

    /// Gives the place back.
    pub async fn leaves(&mut self, id: BookingId) -> Page {
        let page = format!("/visits/{id}/cancel");
        self.browser.get(&page).await;
        self.browser.post(&page, &[]).await
    }
}
