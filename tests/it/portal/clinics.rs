//! Members connect their clinics in the portal, and disconnect them.

use jiff::SignedDuration;
use mostik::enrolment::code::{Order, issue};
use reqwest::Url;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::on_both_databases;
use crate::support::authority::{Authority, Desk};
use crate::support::bridge::{Person, riverside};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::linking::patient;
use crate::support::portal::{Browser, Portal, portal_config};
use crate::support::postbox::Postbox;

/// A portal whose clinic's server is under the test's control.
async fn open(database: Database) -> (Portal, Authority) {
    let (postbox, authority) = (Postbox::open(), Authority::start());
    let launch = "[clinics.riverside.launch]\nclient_id = \"mostik\"\nclient_authentication = \"none\"\n";
    let text = format!("{}{launch}", portal_config(&database, &authority.base, &postbox));
    let portal = Portal::open_with(database, &text, postbox).await;
    let now = portal.bridge.now().as_second();
    authority.id_token_says(json!({"iat": now, "exp": now + 3600}));
    (portal, authority)
}

/// Presses the button that leads to the clinic; where the page leads on.
async fn leave(browser: &mut Browser) -> Url {
    browser.get("/clinics/riverside/connect").await;
    let page = browser.post("/clinics/riverside/connect", &[("way", "sign-in")]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("127.0.0.1"), "it says where people type their password");
    let link = page.body.split("href=\"").find(|rest| rest.contains("/authorize?")).unwrap();
    Url::parse(&link.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&")).unwrap()
}

async fn code(portal: &Portal, patient: &str) -> String {
    let bridge = &portal.bridge;
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let validity = SignedDuration::from_hours(24);
    let order = Order { clinic: &riverside(), patient, validity, replaces: false };
    let issued = issue(&mut tx, &bridge.bridge.keyring, order, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    issued.code.expose_secret().to_owned()
}

async fn linked(portal: &Portal, person: &Person) -> Option<String> {
    patient(&portal.bridge, person).await
}

on_both_databases! {
    async fn a_member_connects_a_clinic_by_signing_in_there_and_disconnects_it(database) {
        let (portal, authority) = open(database).await;
        let sparrow = portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.sign_in(&sparrow).await;
        let before = browser.get("/clinics").await;
        assert!(before.body.contains("Not connected") && before.body.contains("Riverside"), "{}", before.body);
        let back = authority.sign_in(&leave(&mut browser).await);
        let session = browser.cookies["__Host-session"].clone();
        let came_back = browser.get(&format!("/launch/return?{back}")).await;
        assert_eq!((came_back.status, came_back.location()), (303, "/clinics"), "{}", came_back.body);
        assert_ne!(browser.cookies["__Host-session"], session, "the session may do more, and has another secret");
        let after = browser.get("/clinics").await;
        assert!(after.body.contains("Connected since 2026-11-20") && after.body.contains("Nothing is shared yet"));
        assert_eq!(linked(&portal, &sparrow).await.as_deref(), Some("a-patient"));
        let asked = browser.get("/clinics/riverside/unlink").await;
        assert!(asked.status == 200 && asked.body.contains("consent for this clinic ends"), "{}", asked.body);
        let ended = browser.post_and_follow("/clinics/riverside/unlink", &[]).await;
        assert!(ended.body.contains("Disconnected."), "{}", ended.body);
        assert_eq!(linked(&portal, &sparrow).await, None);
        assert_eq!(browser.get("/clinics/riverside/unlink").await.status, 404, "there is nothing to end");
    }
}

on_both_databases! {
    async fn a_member_connects_a_clinic_by_its_code(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.sign_in(&sparrow).await;
        let page = browser.get("/clinics/riverside/connect").await;
        assert!(!page.body.contains("value=\"sign-in\""), "nobody can sign in at this clinic");
        for (typed, status, says) in [
            ("", 422, "16 letters and digits"),
            ("0000-0000-0000-0000", 422, "We do not know this code"),
        ] {
            let refused = browser.post("/clinics/riverside/connect", &[("way", "code"), ("code", typed)]).await;
            assert_eq!(refused.status, status, "{}", refused.body);
            assert!(refused.body.contains(says), "{}", refused.body);
        }
        let code = code(&portal, &ehr.patient).await.to_lowercase();
        let done = browser.post_and_follow("/clinics/riverside/connect", &[("way", "code"), ("code", &code)]).await;
        assert!(done.body.contains("a code that the clinic gave you"), "{}", done.body);
        assert_eq!(linked(&portal, &sparrow).await, Some(ehr.patient));
        for _ in 0..9 {
            browser.get("/clinics/riverside/connect").await;
            browser.post("/clinics/riverside/connect", &[("way", "code"), ("code", "0000-0000-0000-0000")]).await;
        }
        let stopped = browser.post("/clinics/riverside/connect", &[("way", "code"), ("code", &code)]).await;
        assert_eq!(stopped.status, 429, "{}", stopped.body);
    }
}

on_both_databases! {
    async fn whoever_comes_second_is_told_whom_to_ask(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let wren = portal.bridge.unlinked_person("wren").await;
        let mut browser = portal.sign_in(&wren).await;
        browser.get("/clinics/riverside/connect").await;
        let code = code(&portal, &ehr.patient).await;
        let refused = browser.post("/clinics/riverside/connect", &[("way", "code"), ("code", &code)]).await;
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert!(refused.body.contains(&wren.id.to_string()), "the number that the clinic may need");
        assert!(!refused.body.contains(&sparrow.id.to_string()) && !refused.body.contains("sparrow"));
    }
}

on_both_databases! {
    async fn a_return_that_nobody_began_changes_nothing_and_leads_nowhere(database) {
        let (portal, authority) = open(database).await;
        let sparrow = portal.bridge.unlinked_person("sparrow").await;
        let wren = portal.bridge.unlinked_person("wren").await;
        let (mut browser, mut other) = (portal.sign_in(&sparrow).await, portal.sign_in(&wren).await);
        let back = authority.sign_in(&leave(&mut browser).await);
        let stranger = portal.browser().get(&format!("/launch/return?{back}")).await;
        assert_eq!((stranger.status, stranger.location()), (303, "/sign-in"));
        for query in [
            back.as_str(),
            "",
            "state=guessed&code=guessed",
            "redirect_uri=https://evil.example&next=https://evil.example&state=x",
        ] {
            let refused = other.get(&format!("/launch/return?{query}")).await;
            assert_eq!((refused.status, refused.location()), (422, ""), "{query}: {}", refused.body);
            assert!(refused.body.contains("begin again") && !refused.body.contains("evil.example"), "{query}");
        }
        let mut second = portal.sign_in(&sparrow).await;
        let refused = second.get(&format!("/launch/return?{back}")).await;
        assert_eq!(refused.status, 422, "another browser of the same member");
        assert_eq!((authority.asked(), linked(&portal, &sparrow).await, linked(&portal, &wren).await), (0, None, None));
        let done = browser.get(&format!("/launch/return?{back}")).await;
        assert_eq!(done.status, 303, "whose it is, they still end it");
        let again = browser.get(&format!("/launch/return?{back}")).await;
        assert_eq!(again.status, 422, "once");
    }
}

on_both_databases! {
    async fn a_clinic_that_is_in_trouble_is_not_the_members_fault(database) {
        let (portal, authority) = open(database).await;
        let sparrow = portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.sign_in(&sparrow).await;
        let back = authority.sign_in(&leave(&mut browser).await);
        authority.desk_is(Desk::Say(503, json!({})));
        let refused = browser.get(&format!("/launch/return?{back}")).await;
        assert!(refused.status == 502 && refused.body.contains("try again later"), "{}", refused.body);
        let url = leave(&mut browser).await;
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let said_no = format!("/launch/return?state={state}&error=access_denied&iss={}", authority.home);
        browser.cookies.insert("__Host-language".to_owned(), "ru".to_owned());
        let refused = browser.get(&said_no).await;
        assert!(refused.body.contains("Вы не дали согласия"), "{}", refused.body);
        browser.cookies.remove("__Host-language");
        assert_eq!(browser.get("/clinics/elsewhere/connect").await.status, 404);
    }
}
