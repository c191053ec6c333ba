//! *Preview* in the portal: exactly what would have gone, and what would have stayed, with the reason.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{mood, note};
use crate::support::ehr::{Ehr, create_patient};
use crate::support::html::Element;
use crate::support::outbox::items;
use crate::support::own::at;
use crate::support::portal::Portal;

fn tags(id: &str, tags: &[&str]) -> Value {
    let mut event = mood(id, "sparrow", 1);
    event["type"] = json!("mostik.tags.v1");
    event["data"] = json!({"tags": tags});
    event
}

/// What stands under a heading, item by item.
fn items_of<'a>(page: &'a Element, heading: &str) -> Vec<&'a Element> {
    page.all(&|element| element.get("aria-labelledby") == heading)[0].of_class("sheet")
}

on_both_databases! {
    async fn what_it_shows_is_what_goes_to_the_letter(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/data/keep").await;
        browser.post("/data/keep", &[("keep", "everything")]).await;
        portal.bridge.share(&sparrow, json!({"mood": "every-entry"})).await;
        portal.bridge.send(&json!([mood("1", "sparrow", 4), note("2", "sparrow", "dear diary"),
            at(mood("3", "sparrow", 2), "2026-11-13T11:59:59Z")])).await;
        let overview = browser.get("/sharing").await.html();
        assert!(overview.links().contains(&"/preview/riverside"), "the way to it is on My sharing");
        let page = browser.get("/preview/riverside").await;
        assert_eq!(page.status, 200);
        let page = page.html();
        let goes = items_of(&page, "goes");
        assert_eq!(goes.len(), 1, "neither the note, nor what was eight days ago");
        assert!(goes[0].text().starts_with("Mood: 4 (1 is the worst, 5 the best) 20 November 2026, 11:00"), "{}", goes[0].text());
        let folded = goes[0].named("details")[0];
        assert!(folded.attributes.keys().all(|name| name != "open"), "behind a fold");
        let shown = folded.named("pre")[0].exactly();
        let sent = items(&portal.bridge, &sparrow).await;
        let sent = sent.iter().find(|item| item.value() == Some(4)).unwrap().body.clone().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), sent);
        let stays = items_of(&page, "stays");
        assert_eq!(stays.len(), 1);
        assert!(stays[0].text().contains("Note: dear diary") && stays[0].text().ends_with("Why: You do not share this."));
        assert_eq!(items(&portal.bridge, &sparrow).await.len(), 2, "looking at it sends nothing");
    }
}

on_both_databases! {
    async fn summaries_are_shown_for_the_days_that_they_are_of(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        portal.bridge.share(&sparrow, json!({"mood": "daily-summary", "tags": "weekly-summary"})).await;
        portal.bridge.send(&json!([at(mood("1", "sparrow", 4), "2026-11-18T08:00:00Z"),
            at(mood("2", "sparrow", 3), "2026-11-18T18:00:00Z"), at(tags("3", &["walk"]), "2026-11-15T18:00:00Z")])).await;
        let page = browser.get("/preview/riverside").await.html();
        let said: Vec<String> = items_of(&page, "goes").iter().map(|item| item.text()).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("Summary of a day, mood: entries: 2") && said[0].contains("mean 3.50"), "{}", said[0]);
        assert!(said[0].contains(") 18 November 2026 As"), "the day, and no hour of it: {}", said[0]);
        assert!(said[1].contains("1 × walk") && said[1].contains("The week up to 15 November 2026"), "{}", said[1]);
    }
}

on_both_databases! {
    async fn it_says_how_the_consent_stands(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let nothing = browser.get("/preview/riverside").await.html().named("main")[0].text();
        assert!(nothing.contains("You share nothing with this clinic, so nothing would have gone."), "{nothing}");
        let grant = portal.bridge.share(&sparrow, json!({"mood": "every-entry"})).await;
        portal.bridge.send(&mood("1", "sparrow", 4)).await;
        portal.bridge.change_grant(&sparrow, &grant, "pause").await;
        let paused = browser.get("/preview/riverside").await.html();
        assert!(paused.named("main")[0].text().contains("Your consent is paused: nothing is sent at present."));
        assert_eq!(items_of(&paused, "goes").len(), 1, "what would go if they went on");
        portal.bridge.change_grant(&sparrow, &grant, "resume").await;
        let soon = json!({"categories": {"mood": "every-entry"}, "valid_until": "2026-11-20T12:05:00Z"});
        portal.bridge.change_terms(&sparrow, &grant, soon).await;
        portal.bridge.clock.advance(SignedDuration::from_mins(10));
        let over = browser.get("/preview/riverside").await.html();
        assert!(over.named("main")[0].text().contains("The time you chose is over: nothing is sent any more."));
        assert!(items_of(&over, "stays")[0].text().contains("This consent has run out."));
    }
}

on_both_databases! {
    async fn it_speaks_the_members_language_and_shows_nobody_elses(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        let robin = portal.bridge.unlinked_person("robin").await;
        for person in [&sparrow, &wren] {
            portal.bridge.share(person, json!({"mood": "every-entry"})).await;
        }
        portal.bridge.send(&mood("1", "sparrow", 4)).await;
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/settings").await;
        browser.post("/settings", &[("language", "ru"), ("zone", "Asia/Tokyo")]).await;
        let page = browser.get("/preview/riverside").await.html();
        let goes = items_of(&page, "goes");
        assert!(goes[0].text().starts_with("Настроение: 4 (1 – хуже всего, 5 – лучше всего)"), "{}", goes[0].text());
        let mut other = portal.sign_in(&wren).await;
        assert_eq!(items_of(&other.get("/preview/riverside").await.html(), "goes")[0].text(), "Nothing.");
        let mut stranger = portal.sign_in(&robin).await;
        for clinic in ["riverside", "nowhere", "River%20side"] {
            assert_eq!(stranger.get(&format!("/preview/{clinic}")).await.status, 404, "{clinic}");
        }
    }
}

on_both_databases! {
    async fn what_a_member_wrote_is_only_ever_text(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        portal.bridge.share(&sparrow, json!({"note": "every-entry", "tags": "every-entry"})).await;
        let script = "</code></pre><script>alert(1)</script>";
        let image = "\"><img src=x onerror=alert(1)>";
        portal.bridge.send(&json!([note("1", "sparrow", script), tags("2", &[image])])).await;
        // `html` refuses scripts and handlers.
        let page = browser.get("/preview/riverside").await.html();
        let said = page.named("main")[0].text();
        assert!(said.contains(&format!("Note: {script}")) && said.contains(&format!("Tags: {image}")), "{said}");
        assert!(page.named("main")[0].named("img").is_empty());
    }
}

/// What the form carries on of what was filled in.
fn carried(page: &Element) -> Vec<(&str, &str)> {
    let form = page.named("main")[0].named("form")[0];
    assert_eq!(form.get("action"), "/sharing/riverside");
    let fields = form.all(&|field| field.get("type") == "hidden" && field.get("name") != "csrf");
    fields.iter().map(|field| (field.get("name"), field.get("value"))).collect()
}

on_both_databases! {
    async fn what_is_not_saved_yet_can_be_looked_at_first(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/data/keep").await;
        browser.post("/data/keep", &[("keep", "everything")]).await;
        portal.bridge.send(&json!([mood("1", "sparrow", 4), note("2", "sparrow", "dear diary")])).await;
        let filled_in = [("notice-version", "1"), ("notice-language", "en"), ("mood", "every-entry"), ("note", "off"),
            ("tags", "off"), ("for-treatment", "yes"), ("from", "everything"), ("until", "2027-05-20"), ("way-back", "none")];
        let form = browser.get("/sharing/riverside").await.html();
        let ways: Vec<&str> = form.named("button").iter().map(|button| button.get("formaction")).collect();
        assert!(ways.contains(&"/preview/riverside"));
        let wrong = browser.post("/preview/riverside", &filled_in[3..]).await;
        assert!(wrong.status == 422 && wrong.body.contains("Everything is switched off."), "{}", wrong.body);
        let page = browser.post("/preview/riverside", &filled_in).await;
        assert_eq!(page.status, 200);
        let page = page.html();
        assert!(page.named("main")[0].text().contains("It is not saved yet."));
        let (goes, stays) = (items_of(&page, "goes"), items_of(&page, "stays"));
        assert!(goes.len() == 1 && goes[0].text().starts_with("Mood: 4"));
        assert!(stays.len() == 1 && stays[0].text().starts_with("Note: dear diary"));
        assert_eq!(carried(&page), filled_in);
        let grants = async || portal.bridge.bridge.store.read().await.unwrap().living_grants(&[sparrow.id]).await.unwrap();
        assert!(grants().await.is_empty(), "nothing is decided yet");
        let change = [carried(&page), vec![("next", "change")]].concat();
        let again = browser.post("/sharing/riverside", &change).await;
        assert_eq!(again.status, 200);
        let again = again.html();
        let chosen = again.all(&|it| it.attributes.contains_key("checked") && it.get("name") == "mood");
        assert_eq!(chosen[0].get("value"), "every-entry", "as it was filled in");
        assert!(grants().await.is_empty());
        let saved = browser.post("/sharing/riverside", &carried(&page)).await;
        assert_eq!((saved.status, saved.location()), (303, "/sharing"), "{}", saved.body);
        assert_eq!(grants().await.len(), 1);
    }
}
