//! One named practitioner: whom a member can choose in the portal, and where the name is shown.

use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, mood};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::{Browser, Page, Portal, portal_config};
use crate::support::postbox::Postbox;

const FORM: [(&str, &str); 8] = [
    ("notice-version", "1"),
    ("notice-language", "en"),
    ("mood", "every-entry"),
    ("for-treatment", "yes"),
    ("from", "everything"),
    ("since", ""),
    ("until", "2027-05-20"),
    ("way-back", "notice"),
];

async fn open(database: Database, ehr: &Ehr) -> Portal {
    let postbox = Postbox::open();
    let named = "[clinics.riverside.practitioners]\ndr-9 = \"Dr Zoe Example\"\ndr-7 = \"Dr Ada Example\"\n";
    let text = portal_config(&database, &ehr.base, &postbox) + named;
    Portal::open_with(database, &text, postbox).await
}

async fn share(browser: &mut Browser, who: Option<&str>) -> Page {
    assert_eq!(browser.get("/sharing/riverside").await.status, 200);
    let form: Vec<(&str, &str)> = FORM.into_iter().chain(who.map(|who| ("who", who))).collect();
    browser.post("/sharing/riverside", &form).await
}

async fn newest(portal: &Portal, person: &Person) -> Value {
    let got = portal.bridge.as_member(person, Method::GET, "/v1/grants", None).await;
    got.json["grants"].as_array().unwrap().last().unwrap().clone()
}

on_both_databases! {
    async fn whom_the_clinic_names_can_be_chosen_and_is_named_wherever_it_is_told(database) {
        let ehr = Ehr::sandbox().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let form = browser.get("/sharing/riverside").await.body;
        let (ada, zoe) = (form.find("Only Dr Ada Example").unwrap(), form.find("Only Dr Zoe Example").unwrap());
        assert!(ada < zoe && form.contains("value=\"clinic\" checked"), "{form}");
        assert_eq!(share(&mut browser, Some("only:dr-7")).await.status, 303);
        assert!(browser.get("/sharing").await.body.contains("Meant for Dr Ada Example."));
        assert!(browser.get("/sharing/riverside").await.body.contains("value=\"only:dr-7\" checked"));
        assert_eq!(newest(&portal, &sparrow).await["practitioner"], json!({"id": "dr-7", "display": "Dr Ada Example"}));
        let receipts = browser.get("/receipts").await.body;
        let receipt = receipts.split("href=\"/receipts/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(browser.get(&format!("/receipts/{receipt}")).await.body.contains("Dr Ada Example"));
        portal.bridge.send(&mood("1", "sparrow", 4)).await;
        portal.bridge.deliver().await;
        let arrived = ehr.observations().await;
        assert!(arrived[0]["contained"].to_string().contains("Practitioner/dr-7"), "{:#}", arrived[0]);
    }
}

on_both_databases! {
    async fn whom_nobody_named_cannot_be_chosen_and_what_is_not_said_stays_as_narrow_as_it_was(database) {
        let ehr = Ehr::sandbox().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let refused = share(&mut browser, Some("only:dr-666")).await;
        assert!(refused.status == 422 && refused.body.contains("no longer names that person"), "{}", refused.body);
        share(&mut browser, Some("only:dr-9")).await;
        assert_eq!(share(&mut browser, None).await.status, 303);
        assert_eq!(newest(&portal, &sparrow).await["practitioner"]["id"], "dr-9", "a form that does not ask changes nothing");
        assert_eq!(share(&mut browser, Some("clinic")).await.status, 303);
        assert!(newest(&portal, &sparrow).await["practitioner"].is_null());
        assert!(!browser.get("/sharing").await.body.contains("Meant for"));
    }
}

on_both_databases! {
    async fn one_whom_the_clinic_does_not_name_stays_chosen_until_the_member_says_otherwise(database) {
        let ehr = Ehr::sandbox().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let terms = json!({"categories": {"mood": "every-entry"}, "practitioner": {"id": "dr-1", "display": "Dr Gone"}});
        portal.bridge.share_by(&sparrow, terms).await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(browser.get("/sharing/riverside").await.body.contains("value=\"only:dr-1\" checked"));
        assert_eq!(share(&mut browser, Some("only:dr-1")).await.status, 303);
        assert_eq!(newest(&portal, &sparrow).await["practitioner"]["display"], "Dr Gone");
        share(&mut browser, Some("only:dr-7")).await;
        assert!(!browser.get("/sharing/riverside").await.body.contains("dr-1"), "then they are gone");
    }
}
