//! A clinic publishes a text; everybody reads it as the clinic's, in each version, until the clinic takes it back.

use jiff::{SignedDuration, Timestamp};
use mostik::domain::audit::Chain;
use reqwest::Method;
use serde_json::{Value, json};

use super::{LIST, form, publishes, renews, sends, told, ward};
use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::riverside;
use crate::support::staff::{Ward, main_text};

/// SHA-256 of "First.\n\nSecond <b>.", by `sha256sum`.
const FIRST: &str = "03e75f33c9fdb980fb50ca2bdfa27b40c88e9441e3d11c91b585decaaa14528e";

/// What was noted of materials, oldest first, without who did it.
async fn noted(ward: &Ward) -> Vec<Value> {
    let mut tx = ward.portal.bridge.bridge.store.read().await.unwrap();
    let rows = tx.audit_chain(&Chain::of_clinic(&riverside()), 0, Timestamp::UNIX_EPOCH, 100).await.unwrap();
    let of_materials = rows.into_iter().filter(|row| row.kind.starts_with("material-"));
    let body = |text: &str| {
        let mut body: Value = serde_json::from_str(text).unwrap();
        assert!(
            body.as_object_mut().unwrap().remove("staff").unwrap().is_string(),
            "it is known who, by no name: {body}"
        );
        body
    };
    of_materials.map(|row| body(&row.body)).collect()
}

on_both_databases! {
    async fn a_text_is_read_as_the_clinics_in_each_version_until_it_is_taken_back(database) {
        let ward = ward(database).await;
        let mut anybody = ward.portal.browser();
        assert_eq!(anybody.get("/materials").await.html().by_id("none").text(), "No clinic has published anything yet.");
        let mut nurse = ward.colleague("riverside").await;
        let first = [("link", "https://clinic.example/sleep"), ("language", "en"), ("title", "Sleep"), ("text", "First.\r\n\r\nSecond <b>.\r\n")];
        let id = publishes(&mut nurse, &first).await;
        let path = format!("/materials/{id}");
        assert!(nurse.get(LIST).await.html().by_id("materials").text().contains("version 1 · published"));

        let listed = anybody.get("/materials").await;
        assert!(listed.html().by_id("materials").links().contains(&path.as_str()), "{}", listed.body);
        assert_eq!(listed.html().by_id("materials").text().trim(), "Sleep Riverside · 20 November 2026");
        let page = anybody.get(&path).await;
        let verified = "Verified. Published by Riverside, 20 November 2026, version 1. Nobody but the clinic can change it, and each change is a new version.";
        assert_eq!(page.html().by_id("verified").text().trim(), verified);
        let paragraphs: Vec<_> = page.html().by_id("text").named("p").iter().map(|it| it.exactly()).collect();
        assert_eq!(paragraphs, ["First.", "Second <b>."]);
        assert_eq!(page.html().by_id("checksum").text(), FIRST);
        assert_eq!(page.html().by_id("more").links(), ["https://clinic.example/sleep"]);
        assert!(!page.body.contains("id=\"newer\"") && !page.body.contains("id=\"before\""), "{}", page.body);
        let russian = anybody.request(Method::GET, &path, &[("accept-language", "ru")], None).await;
        let verified = russian.html().by_id("verified").text();
        assert!(verified.contains("Подтверждено. Опубликовано: Riverside, 20 ноября 2026"), "{verified}");

        ward.portal.bridge.clock.advance(SignedDuration::from_hours(72));
        let mut colleague = ward.colleague("riverside").await;
        assert_eq!(renews(&mut colleague, &id, &form("Sleep well", "Other words.")).await.status, 303);
        let newest = anybody.get(&path).await;
        assert!(main_text(&newest).contains("Other words.") && newest.html().by_id("verified").text().contains("23 November 2026, version 2"), "{}", newest.body);
        assert_eq!(anybody.get("/materials").await.html().by_id("materials").text().trim(), "Sleep well Riverside · 23 November 2026");
        let listed = told(&ward.portal.bridge).await;
        assert_eq!((listed["materials"].as_array().unwrap().len(), &listed["materials"][0]["version"]), (1, &json!(2)));
        assert_eq!(newest.html().by_id("before").get("href"), format!("{path}/1"));
        let old = anybody.get(&format!("{path}/1")).await;
        assert!(main_text(&old).contains("Second <b>.") && old.html().by_id("newer").links() == [path.as_str()], "{}", old.body);
        assert_eq!(anybody.get(&format!("{path}/2")).await.status, 200);
        for version in ["0", "3", "-1", "x", "99999999999999999999"] {
            assert_eq!(anybody.get(&format!("{path}/{version}")).await.status, 404, "{version}");
        }

        colleague.get(&format!("{LIST}/{id}")).await;
        let gone = colleague.post(&format!("{LIST}/{id}/retract"), &[]).await;
        assert_eq!((gone.status, gone.location()), (303, format!("{LIST}/{id}").as_str()));
        for path in [path.clone(), format!("{path}/1"), format!("{path}/2")] {
            let page = anybody.get(&path).await;
            assert_eq!((page.status, page.html().by_id("away").text()), (410, "Riverside took it back on 23 November 2026. It is not shown any more.".to_owned()));
            assert!(!page.body.contains("Sleep") && !page.body.contains("words") && !page.body.contains("Second"), "{}", page.body);
        }
        assert_eq!(anybody.get("/materials").await.html().by_id("none").text(), "No clinic has published anything yet.");
        let events = noted(&ward).await;
        assert_eq!(events[0], json!({"kind": "material-published", "material": id, "version": 1, "sha256": FIRST}));
        assert_eq!((events.len(), &events[1]["version"], &events[2]), (3, &json!(2), &json!({"kind": "material-retracted", "material": id})));
        assert_eq!(audit::wrong(&ward.portal.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_was_taken_back_stays_so_and_is_noted_once(database) {
        let ward = ward(database).await;
        let mut nurse = ward.colleague("riverside").await;
        let id = publishes(&mut nurse, &form("Sleep", "First.")).await;
        nurse.get(&format!("{LIST}/{id}")).await;
        for _ in 0..2 {
            assert_eq!(nurse.post(&format!("{LIST}/{id}/retract"), &[]).await.status, 303);
        }
        let page = nurse.get(&format!("{LIST}/{id}")).await;
        assert!(page.html().by_id("stands").text().starts_with("taken back") && !page.body.contains("id=\"renew\""), "{}", page.body);
        let again = [("version", "1"), ("title", "Sleep"), ("text", "Second.")];
        assert_eq!(nurse.post(&format!("{LIST}/{id}"), &again).await.status, 409);
        assert_eq!(noted(&ward).await.len(), 2);
    }
}

on_both_databases! {
    async fn nobody_of_another_clinic_comes_near_it(database) {
        let ward = ward(database).await;
        let mut nurse = ward.colleague("riverside").await;
        let id = publishes(&mut nurse, &form("Sleep", "First.")).await;
        let mut stranger = ward.colleague("lakeside").await;
        assert_eq!(stranger.get(LIST).await.html().by_id("none").text(), "Your clinic has published nothing yet.");
        let path = format!("{LIST}/{id}");
        assert_eq!(stranger.get(&path).await.status, 404);
        stranger.get(LIST).await;
        assert_eq!(stranger.post(&path, &[("version", "1"), ("title", "Sleep"), ("text", "Ours.")]).await.status, 404);
        assert_eq!(stranger.post(&format!("{path}/retract"), &[]).await.status, 404);
        let page = ward.portal.browser().get(&format!("/materials/{id}")).await;
        assert!(page.status == 200 && main_text(&page).contains("First."), "{}", page.body);
    }
}

on_both_databases! {
    async fn what_is_sent_twice_is_published_once_and_of_two_new_versions_at_once_one_is(database) {
        let ward = ward(database).await;
        let mut nurse = ward.colleague("riverside").await;
        let key = nurse.get(LIST).await.html().field("form").get("value").to_owned();
        let fields: Vec<_> = form("Sleep", "First.").into_iter().chain([("form", key.as_str())]).collect();
        let sent = [nurse.post(LIST, &fields).await, nurse.post(LIST, &fields).await];
        assert_eq!(sent[0].location(), sent[1].location());
        let id = sent[0].location().rsplit('/').next().unwrap().to_owned();
        assert_eq!(renews(&mut nurse, &id, &form("Sleep", "First.")).await.status, 303);
        assert_eq!(ward.portal.bridge.database.count("materials").await, 1, "it says the same");
        let path = format!("{LIST}/{id}");
        let new = |text: &'static str| [("version", "1"), ("title", "Sleep"), ("text", text), ("link", "")];
        assert_eq!(nurse.post(&path, &new("Second.")).await.status, 303);
        let late = nurse.post(&path, &new("Third.")).await;
        assert!(late.status == 409 && late.body.contains("was a moment faster"), "{}", late.body);
        assert_eq!(nurse.post(&path, &new("Second.")).await.status, 303, "it was said before");
        assert_eq!((ward.portal.bridge.database.count("materials").await, noted(&ward).await.len()), (2, 2));
    }
}

on_both_databases! {
    async fn what_cannot_be_published_is_named_and_stays_in_the_form(database) {
        let ward = ward(database).await;
        let mut nurse = ward.colleague("riverside").await;
        let long = "ж".repeat(10_001);
        for (name, value, said) in [
            ("title", "", "a title of 1 to 120 characters"),
            ("text", "", "a text of 1 to 10,000 characters"),
            ("text", long.as_str(), "a text of 1 to 10,000 characters"),
            ("link", "http://clinic.example/", "begins with https://"),
            ("link", "javascript:alert(1)", "begins with https://"),
        ] {
            let fields: Vec<_> = form("A title", "A text.").into_iter().map(|(field, typed)| (field, if field == name { value } else { typed })).collect();
            let page = sends(&mut nurse, &fields).await;
            let html = page.html();
            assert!(page.status == 422 && html.by_id("wrong").text().contains(said), "{name}: {}", page.body);
            assert_eq!(html.by_id(name).get("value"), if name == "text" { "" } else { value });
            assert!(name == "title" || html.by_id("title").get("value") == "A title", "what was typed stays");
        }
        let id = publishes(&mut nurse, &form("A title", "A text.")).await;
        let page = renews(&mut nurse, &id, &form("", "Other.")).await;
        assert!(page.status == 422 && page.html().by_id("text").text() == "Other.", "{}", page.body);
        assert_eq!(ward.portal.bridge.database.count("materials").await, 1);
    }
}

on_both_databases! {
    async fn a_communitys_program_gets_what_it_can_check_and_hears_what_was_taken_back(database) {
        let ward = ward(database).await;
        let bridge = &ward.portal.bridge;
        assert_eq!(told(bridge).await, json!({"materials": [], "retracted": []}));
        let mut nurse = ward.colleague("riverside").await;
        let id = publishes(&mut nurse, &form("Sleep", "First.\n\nSecond <b>.")).await;
        bridge.clock.advance(SignedDuration::from_secs(1));
        let other = publishes(&mut nurse, &form("Walks", "Walk.")).await;
        let expected = json!({
            "id": id, "version": 1, "clinic": "Riverside", "published_at": "2026-11-20T12:00:00Z", "language": "en", "title": "Sleep",
            "text": "First.\n\nSecond <b>.", "sha256": FIRST, "page": format!("https://mostik.example/materials/{id}"),
        });
        let list = told(bridge).await;
        assert_eq!((list["materials"].as_array().unwrap().len(), &list["materials"][1]), (2, &expected));
        nurse.get(&format!("{LIST}/{other}")).await;
        nurse.post(&format!("{LIST}/{other}/retract"), &[]).await;
        let list = told(bridge).await;
        assert_eq!(list, json!({"materials": [expected], "retracted": [{"id": other, "retracted_at": "2026-11-20T12:00:01Z"}]}));
    }
}
