//! Both halves of the bridge together, before a FHIR server that nobody here wrote: what a clinician writes is notified, by a
//! topic and by criteria, read and answered by the member in the portal, and the answer stands in the EHR. Once for each kind.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http;
use crate::support::notices::{notified, notified_portal, told_by, until_active};
use crate::support::portal::{Browser, Page, Portal};
use crate::support::recommendations::{look, message, open_person, task, write};
use crate::support::validate::assert_valid;

/// A member who has signed in, and whose EHR says when something changed.
struct Story {
    ehr: Ehr,
    portal: Portal,
    browser: Browser,
}

impl Story {
    async fn begin(database: Database, (kind, resource_type): (&str, &str), by_topic: bool) -> Option<Self> {
        let ehr = Ehr::sekmet().await?;
        // Looking alone would find nothing before tomorrow.
        let told_by = told_by(&ehr, by_topic, &[resource_type]).await;
        let settings = format!("{told_by}kinds = [{kind:?}]\npoll_minutes = 1440\n");
        let portal = notified_portal(database, &ehr.base, &settings).await;
        let (sparrow, _) = open_person(&portal.bridge, "sparrow", &ehr.patient).await;
        look(&portal.bridge).await;
        until_active(&ehr).await;
        let browser = portal.sign_in(&sparrow).await;
        Some(Self { ehr, portal, browser })
    }

    fn patient(&self) -> Value {
        json!({"reference": format!("Patient/{}", self.ehr.patient)})
    }

    /// The clinic writes something; the page on which the member finds it, and what the EHR made of it.
    async fn comes(&mut self, resource: Value) -> (String, Page, Value) {
        let bridge = &self.portal.bridge;
        let written = notified(bridge, write(&self.ehr.base, resource)).await;
        bridge.clock.advance(SignedDuration::from_secs(6));
        look(bridge).await;
        let list = self.browser.get("/messages").await;
        let path = list.html().by_id("messages").links()[0].to_owned();
        let page = self.browser.get(&path).await;
        (path, page, written)
    }

    /// The member answers, and the clinic's EHR is told.
    async fn answers(&mut self, path: &str, answer: &str, text: &str) -> Page {
        let fields = [("answer", answer), ("question", text), ("reason", text)];
        let answered = self.browser.post_and_follow(path, &fields).await;
        assert!(answered.html().by_id("answers").text().contains("On its way to your clinic."));
        self.portal.bridge.deliver().await;
        let told = self.browser.get(path).await;
        assert!(told.html().by_id("answers").text().contains("Your clinic’s system has it."), "{}", told.body);
        told
    }

    async fn read(&self, resource: &Value) -> Value {
        let (kind, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        http::call(Method::GET, &format!("{}/{kind}/{id}", self.ehr.base), None, None).await.json
    }

    /// The messages of the member that relate to a resource so.
    async fn replies(&self, relation: &str, to: &Value) -> Vec<String> {
        let url = format!("{}/Communication?patient={}", self.ehr.base, self.ehr.patient);
        let got = http::call(Method::GET, &url, None, None).await;
        let about = format!("{}/{}", to["resourceType"].as_str().unwrap(), to["id"].as_str().unwrap());
        let found = got.json["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]);
        let own: Vec<&Value> = found.filter(|found| found[relation][0]["reference"] == about.as_str()).collect();
        for reply in &own {
            assert_valid(reply).await;
        }
        own.into_iter().map(|reply| reply["payload"][0]["contentString"].as_str().unwrap().to_owned()).collect()
    }

    async fn end(self) {
        assert_eq!(audit::wrong(&self.portal.bridge).await, [""; 0]);
    }
}

/// Stamps a story in both ways in which an EHR says that it has something, on both databases.
macro_rules! in_both_ways {
    (async fn $name:ident($story:ident: $kind:literal in $type:literal) $body:block) => {
        mod $name {
            use super::*;

            async fn story($story: &mut Story) $body

            on_both_databases! {
                async fn told_by_a_topic(database) {
                    let Some(mut begun) = Story::begin(database, ($kind, $type), true).await else { return };
                    story(&mut begun).await;
                    begun.end().await;
                }
            }

            on_both_databases! {
                async fn told_by_criteria(database) {
                    let Some(mut begun) = Story::begin(database, ($kind, $type), false).await else { return };
                    story(&mut begun).await;
                    begun.end().await;
                }
            }
        }
    };
}

fn words(page: &Page) -> String {
    page.html().named("main")[0].text()
}

in_both_ways! {
    async fn a_task_with_what_it_asks_to_do_is_accepted_and_done(story: "task" in "Task") {
        let subject = story.patient();
        let doctor = write(&story.ehr.base, json!({"resourceType": "Practitioner",
            "name": [{"prefix": ["Dr."], "given": ["Ada"], "family": "Lovelace"}]})).await;
        let order = write(&story.ehr.base, json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": subject, "code": {"text": "Sleep diary for two weeks"}})).await;
        let mut asked = task(&story.ehr.patient, "Please begin on Monday");
        asked["focus"] = json!({"reference": format!("ServiceRequest/{}", order["id"].as_str().unwrap())});
        asked["requester"] = json!({"reference": format!("Practitioner/{}", doctor["id"].as_str().unwrap())});
        let (path, page, written) = story.comes(asked).await;
        assert_eq!(page.html().by_id("said").exactly(), "Please begin on Monday\n\nSleep diary for two weeks");
        assert!(words(&page).contains("Who recommends it Dr. Ada Lovelace"), "{}", words(&page));
        story.answers(&path, "accept", "").await;
        assert_eq!(story.read(&written).await["status"], "accepted");
        story.answers(&path, "done", "").await;
        let there = story.read(&written).await;
        assert_eq!((&there["status"], there["output"].as_array().map(Vec::len)), (&json!("completed"), Some(1)));
        assert_valid(&there).await;
    }
}

in_both_ways! {
    async fn what_is_to_be_said_is_asked_about(story: "communication-request" in "CommunicationRequest") {
        let subject = story.patient();
        let (path, page, written) = story.comes(json!({"resourceType": "CommunicationRequest", "status": "active",
            "subject": subject, "recipient": [subject], "payload": [{"contentString": "Bring your diary"}]})).await;
        assert!(words(&page).contains("Bring your diary") && !words(&page).contains("I will do it"));
        story.answers(&path, "question", "The paper one?").await;
        assert_eq!(story.replies("basedOn", &written).await, ["The paper one?"]);
    }
}

in_both_ways! {
    async fn what_was_said_is_replied_to(story: "communication" in "Communication") {
        let (path, page, written) = story.comes(message(&story.ehr.patient, "See you on Monday")).await;
        assert!(words(&page).contains("See you on Monday"));
        story.answers(&path, "question", "At nine?").await;
        assert_eq!(story.replies("inResponseTo", &written).await, ["At nine?"]);
    }
}

in_both_ways! {
    async fn a_part_of_a_plan_is_accepted(story: "care-plan-activity" in "CarePlan") {
        let subject = story.patient();
        let (path, page, written) = story.comes(json!({"resourceType": "CarePlan", "status": "active", "intent": "plan",
            "subject": subject, "activity": [
                {"detail": {"status": "scheduled", "description": "Group on Tuesdays", "performer": [subject]}},
                {"detail": {"status": "cancelled", "description": "Group on Fridays", "performer": [subject]}}]})).await;
        assert!(words(&page).contains("Group on Tuesdays"), "{}", words(&page));
        let list = story.browser.get("/messages").await;
        assert!(!list.body.contains("Fridays"), "what is cancelled is no part of it");
        story.answers(&path, "accept", "").await;
        assert_eq!(story.replies("basedOn", &written).await, ["Accepted by the patient"]);
    }
}

in_both_ways! {
    async fn an_order_is_declined_with_a_reason(story: "service-request" in "ServiceRequest") {
        let subject = story.patient();
        let (path, page, written) = story.comes(json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": subject, "performer": [subject], "code": {"text": "Blood test"},
            "patientInstruction": "Come with an empty stomach"})).await;
        assert_eq!(page.html().by_id("said").exactly(), "Blood test\n\nCome with an empty stomach");
        story.answers(&path, "decline", "I was there last week").await;
        assert_eq!(story.replies("basedOn", &written).await, ["Declined by the patient. I was there last week"]);
    }
}

in_both_ways! {
    async fn an_appointment_is_told_again_when_it_changes_and_when_it_is_cancelled(story: "appointment" in "Appointment") {
        let (_, page, mut written) = story.comes(json!({"resourceType": "Appointment", "status": "booked",
            "description": "First talk", "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T09:50:00Z",
            "participant": [{"actor": story.patient(), "status": "accepted"}]})).await;
        assert!(words(&page).contains("First talk") && words(&page).contains("1 December 2026"), "{}", words(&page));
        written["start"] = json!("2026-12-03T09:00:00Z");
        written["end"] = json!("2026-12-03T09:50:00Z");
        let (path, page, mut written) = story.comes(written).await;
        assert!(words(&page).contains("3 December 2026"), "{}", words(&page));
        story.answers(&path, "question", "Is that by video?").await;
        assert_eq!(story.replies("basedOn", &written).await, ["Is that by video?"]);
        written["status"] = json!("cancelled");
        let before = written["meta"].take();
        written["meta"] = json!({"versionId": before["versionId"]});
        let (_, page, _) = story.comes(written).await;
        assert!(words(&page).to_lowercase().contains("cancelled"), "{}", words(&page));
    }
}

in_both_ways! {
    async fn a_questionnaire_that_is_assigned_is_found_filled_in_and_done(story: "questionnaire" in "Task") {
        let mut asked = task(&story.ehr.patient, "Please fill in the PHQ-2");
        asked["input"] = json!([{"type": {"text": "questionnaire"},
            "valueCanonical": "https://w3id.org/mostik/fhir/Questionnaire/phq-2"}]);
        let (path, page, written) = story.comes(asked).await;
        assert!(page.html().links().contains(&"/questionnaires/phq-2"), "{}", page.body);
        assert_eq!(story.browser.get("/questionnaires/phq-2").await.status, 303, "it begins");
        story.answers(&path, "done", "").await;
        assert_eq!(story.read(&written).await["status"], "completed");
    }
}
