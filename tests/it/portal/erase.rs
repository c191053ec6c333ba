//! *Erase* in the portal: asked for in calm, called off with one press, done at once by nobody who did not mean it.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use mostik::domain::audit::Event;
use mostik::domain::consented::Method as Through;
use mostik::erasure::{GRACE, verify};
use mostik::store::{AuditScope, Erasure, ErasureState};
use mostik::vault::signing::{SigningAlgorithm, SigningKey};
use reqwest::Method;
use serde_json::Value;

use crate::on_both_databases;
use crate::support::bridge::{NOON, Person, mood};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::portal::{Browser, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::vault::erasing::named_in;

/// A portal that can sign certificates.
async fn open(database: Database, ehr: &Ehr) -> Portal {
    let folder = database.folder.path().join("keys");
    SigningKey::create(&folder, SigningAlgorithm::Es384, NOON.parse().unwrap()).unwrap();
    let postbox = Postbox::open();
    let text = format!("{}[keys]\nfolder = \"{}\"\n", portal_config(&database, &ehr.base, &postbox), folder.display());
    Portal::open_with(database, &text, postbox).await
}

async fn erasure(portal: &Portal) -> Erasure {
    let mut tx = portal.bridge.bridge.store.read().await.unwrap();
    tx.erasures_since(NOON.parse().unwrap()).await.unwrap().remove(0)
}

/// Asks for the erasure on the page for it; returns the secret that is shown then.
async fn ask(browser: &mut Browser, fields: &[(&str, &str)]) -> String {
    assert!(browser.get("/erase").await.body.contains("What cannot be undone"));
    let waits = browser.post_and_follow("/erase", fields).await.body;
    assert!(waits.contains("Everything is erased on 27 November 2026"), "{waits}");
    secret(&waits)
}

fn secret(page: &str) -> String {
    page.split("<code id=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// Types a word on the page for doing it at once.
async fn at_once(browser: &mut Browser, word: &str) -> crate::support::portal::Page {
    assert!(browser.get("/erase/now").await.body.contains("Erase everything now?"));
    browser.post("/erase/now", &[("word", word)]).await
}

/// The steps of erasures in the audit log about a person, each with through what.
async fn steps(portal: &Portal, person: &Person) -> Vec<(&'static str, Option<String>, bool)> {
    let scope = AuditScope { member: Some(person.id), ..AuditScope::default() };
    let rows = portal.bridge.bridge.store.read().await.unwrap().audit_entries(&scope, None, 1000).await.unwrap();
    let step = |event: Event| match event {
        Event::ErasureRequested(ref step) | Event::ErasureCancelled(ref step) => {
            Some((event.kind(), step.method.clone(), step.ask_clinics))
        }
        _ => None,
    };
    rows.iter().filter_map(|row| step(Event::from_json(&row.body)?)).collect()
}

on_both_databases! {
    async fn whoever_asks_has_seven_days_to_think_better_of_it(database) {
        let ehr = Ehr::sandbox().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.grant(&sparrow, &["mood"]).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let shown = ask(&mut browser, &[]).await;
        assert_eq!(secret(&browser.get("/erase").await.body), shown, "the secret is shown again");
        let sharing = browser.get("/sharing").await.body;
        assert!(sharing.contains("You asked us to erase everything on 27 November 2026.") && sharing.contains("You are sharing."), "{sharing}");
        portal.bridge.clock.advance(GRACE - SignedDuration::from_micros(1));
        portal.bridge.chores().await;
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/erase").await;
        let stays = browser.post_and_follow("/erase/cancel", &[]).await.body;
        assert!(stays.contains("Everything stays.") && !stays.contains("You asked us to erase"), "{stays}");
        portal.bridge.clock.advance(GRACE);
        portal.bridge.chores().await;
        assert_eq!(erasure(&portal).await.state, ErasureState::Cancelled);
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(browser.get("/sharing").await.body.contains("You are sharing."));
        assert_eq!(browser.post("/erase/cancel", &[]).await.status, 409, "there is nothing to call off");
        let portal_said = Some("portal".to_owned());
        assert_eq!(steps(&portal, &sparrow).await, [("erasure-requested", portal_said.clone(), false), ("erasure-cancelled", portal_said, false)]);
    }
}

on_both_databases! {
    async fn when_the_time_is_over_everything_is_gone_and_the_certificate_is_had_by_its_secret(database) {
        let ehr = Ehr::sandbox().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.grant(&sparrow, &["mood"]).await;
        portal.bridge.send(&mood("1", "sparrow", 4)).await;
        portal.bridge.deliver().await;
        let mut browser = portal.sign_in(&sparrow).await;
        let secret = ask(&mut browser, &[("ask-clinics", "yes")]).await;
        let mut nobody = portal.browser();
        nobody.get("/erase/certificate").await;
        let early = nobody.post("/erase/certificate", &[("secret", &secret)]).await.body;
        assert!(early.contains("Nothing is erased yet"), "{early}");
        portal.bridge.clock.advance(GRACE);
        portal.bridge.chores().await;
        let begun = nobody.post("/erase/certificate", &[("secret", &secret)]).await.body;
        assert!(begun.contains("It has begun."), "the clinic is asked first: {begun}");
        portal.bridge.deliver_in_time().await;
        portal.bridge.clock.advance(SignedDuration::from_mins(1));
        portal.bridge.chores().await;
        assert_eq!(ehr.observations().await[0]["status"], "entered-in-error");
        assert_eq!(named_in(&portal.bridge.database, &sparrow).await, BTreeSet::new());
        let page = nobody.post("/erase/certificate", &[("secret", &secret)]).await;
        for said in ["Everything was erased.", "in the portal", "One entry stands in the record there.", "The clinic was asked to mark them.", "its signature fits"] {
            assert!(page.body.contains(said), "{said}: {}", page.body);
        }
        let file = nobody.post("/erase/certificate", &[("secret", &secret), ("as", "file")]).await;
        assert_eq!((file.header("content-type"), file.header("content-disposition")), ("application/jose", "attachment; filename=\"certificate.jws\""));
        let says = verify(&file.body, &portal.bridge.bridge.signing.published(portal.bridge.now())).unwrap();
        assert_eq!((says["member"].as_str(), says["requested_by"].as_str()), (Some(&*sparrow.id.to_string()), Some("portal")));
        assert_eq!(says["clinics"]["riverside"]["asked"], true);
        assert_eq!(steps(&portal, &sparrow).await[0], ("erasure-requested", Some("portal".to_owned()), true), "the wish is theirs, too");
    }
}

on_both_databases! {
    async fn nobody_erases_at_once_by_mistake(database) {
        let ehr = Ehr::sandbox().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        assert_eq!(browser.get("/erase/now").await.location(), "/erase", "not before it was asked for");
        assert!(!browser.get("/erase").await.body.contains("/erase/now"));
        let early = browser.post("/erase/now", &[("word", "erase")]).await;
        assert_eq!(early.status, 409, "{}", early.body);
        let waits = ask(&mut browser, &[]).await;
        for word in ["", "yes", "erased", "eras", "стереть"] {
            let page = at_once(&mut browser, word).await;
            assert!(page.status == 422 && page.body.contains("That was another word. Nothing was erased."), "{word}: {}", page.body);
        }
        assert_eq!((erasure(&portal).await.state, secret(&browser.get("/erase").await.body)), (ErasureState::Requested, waits));
        portal.bridge.clock.advance(SignedDuration::from_mins(15));
        let late = browser.get("/erase/now").await.body;
        assert!(late.contains("Please sign in once more first") && !late.contains("name=\"word\""), "{late}");
        let refused = browser.post("/erase/now", &[("word", "erase")]).await;
        assert_eq!((refused.status, refused.location()), (303, "/erase/now"));
        portal.bridge.chores().await;
        assert_eq!(erasure(&portal).await.state, ErasureState::Requested);
    }
}

on_both_databases! {
    async fn whoever_means_it_is_erased_at_once_and_has_the_last_page_in_their_hands(database) {
        let ehr = Ehr::sandbox().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.grant(&sparrow, &["mood"]).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let told = ask(&mut browser, &[]).await;
        browser.post("/language", &[("language", "ru"), ("back", "/erase")]).await;
        assert!(browser.get("/erase/now").await.body.contains("<em>стереть</em>"));
        let stale = browser.clone();
        let done = browser.post("/erase/now", &[("word", " «Стереть» ")]).await;
        assert!(done.status == 200 && done.body.contains("Всё стёрто") && secret(&done.body) == told, "{}", done.body);
        assert!(done.set_cookie("__Host-session").unwrap().contains("Max-Age=0"));
        assert_eq!(erasure(&portal).await.state, ErasureState::Erased);
        assert_eq!(named_in(&portal.bridge.database, &sparrow).await, BTreeSet::new());
        let certificate = browser.post("/erase/certificate", &[("secret", &told)]).await;
        assert!(certificate.status == 200 && certificate.body.contains("Всё было стёрто."), "the form of the last page works: {}", certificate.body);
        let mut stolen = stale;
        for path in ["/sharing", "/receipts", "/export", "/erase", "/erase/now"] {
            assert_eq!(stolen.get(path).await.location(), "/sign-in", "{path}");
        }
        for path in ["/export", "/erase", "/erase/cancel", "/erase/now"] {
            assert_eq!(stolen.post(path, &[("word", "erase")]).await.location(), "/sign-in", "{path}");
        }
    }
}

on_both_databases! {
    async fn a_link_that_was_asked_for_before_lets_nobody_in_who_is_erased(database) {
        let ehr = Ehr::sandbox().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let mut phone = portal.browser();
        let link = portal.link(&mut phone, "sparrow").await;
        assert_eq!(phone.get(&link).await.status, 200);
        ask(&mut browser, &[]).await;
        assert_eq!(at_once(&mut browser, "erase").await.status, 200);
        assert_eq!(phone.post(&link, &[]).await.status, 410);
        assert_eq!(phone.get("/sharing").await.location(), "/sign-in");
        phone.get("/sign-in").await;
        phone.post("/sign-in", &[("community", "forum"), ("handle", "sparrow")]).await;
        let letters = portal.postbox.letters().len();
        portal.send_links().await;
        assert_eq!(portal.postbox.letters().len(), letters, "there is nobody to send one to");
    }
}

on_both_databases! {
    async fn what_the_portal_asked_for_is_said_to_come_from_there_wherever_it_is_told(database) {
        let ehr = Ehr::without_conditional_create().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.grant(&sparrow, &["mood"]).await;
        portal.bridge.send(&mood("1", "sparrow", 4)).await;
        portal.bridge.deliver().await;
        let mut browser = portal.sign_in(&sparrow).await;
        ask(&mut browser, &[("ask-clinics", "yes")]).await;
        let page = at_once(&mut browser, "erase").await;
        assert!(page.body.contains("The erasure has begun") && page.set_cookie("__Host-session").is_some(), "{}", page.body);
        let standing = erasure(&portal).await;
        assert_eq!((standing.state, standing.method, standing.ask_clinics), (ErasureState::Upstream, Some(Through::Portal), true));
        let mut tx = portal.bridge.bridge.store.read().await.unwrap();
        let records = tx.consent_records(sparrow.id).await.unwrap();
        drop(tx);
        assert_eq!(records.last().unwrap().method, Through::Portal, "their consent ended on their own word");
        // They can still sign in, and need not wait for the clinic.
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(browser.get("/sharing").await.body.contains("Everything about you here is being erased."));
        let begun = browser.get("/erase").await.body;
        assert!(begun.contains("The erasure has begun") && !begun.contains("/erase/cancel"), "{begun}");
        assert_eq!(browser.post("/erase/cancel", &[]).await.status, 409, "it has begun");
        let anew = [("notice-version", "1"), ("notice-language", "en"), ("mood", "every-entry"), ("for-treatment", "yes"),
            ("from", "everything"), ("until", "2027-05-20")];
        assert_eq!(browser.post("/sharing/riverside", &anew).await.status, 409, "and nothing more comes in");
        assert!(at_once(&mut browser, "erase").await.body.contains("Everything is erased"));
    }
}

on_both_databases! {
    async fn nobody_gets_a_certificate_without_its_secret(database) {
        let ehr = Ehr::sandbox().await;
        let portal = open(database, &ehr).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let secret = ask(&mut browser, &[]).await;
        at_once(&mut browser, "erase").await;
        let mut other = portal.sign_in(&wren).await;
        other.get("/erase/certificate").await;
        for wrong in ["", "ec_", &secret[..secret.len() - 1], &secret.to_uppercase(), &format!("{secret}0")] {
            let page = other.post("/erase/certificate", &[("secret", wrong), ("as", "file")]).await;
            assert!(page.status == 404 && page.body.contains("We do not know this secret."), "{wrong}: {}", page.body);
        }
        let in_address = other.request(Method::GET, &format!("/erase/certificate?secret={secret}"), &[], None).await;
        assert!(!in_address.body.contains("Everything was erased"), "it never stands in an address");
        assert_eq!(other.get("/sharing").await.status, 200, "nobody else was erased");
    }
}

/// Where nothing can sign, it is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_nobody_signed_says_so() {
    let ehr = Ehr::sandbox().await;
    let portal = Portal::open(Database::sqlite(), &ehr.base).await;
    let sparrow = portal.bridge.unlinked_person("sparrow").await;
    let mut browser = portal.sign_in(&sparrow).await;
    let secret = ask(&mut browser, &[]).await;
    at_once(&mut browser, "erase").await;
    let page = browser.post("/erase/certificate", &[("secret", &secret)]).await.body;
    assert!(page.contains("Everything was erased.") && page.contains("The certificate is not signed"), "{page}");
    let file = browser.post("/erase/certificate", &[("secret", &secret), ("as", "file")]).await;
    assert_eq!(serde_json::from_str::<Value>(&file.body).unwrap()["requested_by"], "portal");
}
