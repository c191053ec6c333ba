//! *My data* in the portal: what is kept, as charts and as a list, and noting down how one is.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use mostik::domain::reading::{Measure, Reading};
use mostik::domain::settings::Change;
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{Person, mood, note};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::html::Element;
use crate::support::outbox::items;
use crate::support::own::at;
use crate::support::portal::{Browser, Page, Portal, portal_config};
use crate::support::postbox::Postbox;

/// Somebody whose own view keeps everything.
async fn keeper(portal: &Portal, handle: &str, patient: &str) -> (Person, Browser) {
    let person = portal.bridge.person(handle, patient).await;
    portal.bridge.set(&person, Change { keep: Some(true), ..Change::default() }).await;
    let browser = portal.sign_in(&person).await;
    (person, browser)
}

/// Opens the form, and sends it with these answers.
async fn note_down(browser: &mut Browser, answers: &[(&str, &str)]) -> Page {
    let form = browser.get("/data/note").await.html();
    let (key, at) = (form.field("key").get("value").to_owned(), form.field("at").get("value").to_owned());
    let given = |name: &str| answers.iter().any(|(given, _)| *given == name);
    let own = [("key", key.as_str()), ("at", at.as_str())];
    let fields: Vec<(&str, &str)> =
        own.into_iter().filter(|(name, _)| !given(name)).chain(answers.iter().copied()).collect();
    browser.post("/data/note", &fields).await
}

fn entries(page: &Element) -> Vec<String> {
    let list = page.all(&|element| element.get("aria-labelledby") == "entries")[0];
    list.named("li").iter().map(|entry| entry.text()).collect()
}

on_both_databases! {
    async fn whoever_notes_how_they_are_finds_it_again(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let (sparrow, mut browser) = keeper(&portal, "sparrow", &ehr.patient).await;
        portal.bridge.move_to(&sparrow, "Europe/Berlin").await;
        let form = browser.get("/data/note").await.html();
        assert_eq!(form.field("at").get("value"), "2026-11-20T13:00", "now, by their own clock");
        let noted = note_down(&mut browser, &[("level", "4"), ("note", "a quiet\nday"), ("tags", "walk, , slept badly"),
            ("at", "2026-11-20T12:30")]).await;
        assert_eq!(noted.status, 200, "{}", noted.body);
        assert!(noted.html().named("main")[0].text().contains("It stays here with you. No clinic sees it."));
        let kept = portal.bridge.readings(&sparrow).await;
        assert_eq!(kept.len(), 3);
        assert!(kept.iter().all(|reading| reading.moment.to_rfc3339() == "2026-11-20T12:30:00+01:00"));
        let page = browser.get("/data").await.html();
        let expected = "20 November 2026, 12:30 Mood: 4 (1 is the worst, 5 the best) Note: a quiet day Tags: walk, slept badly";
        assert_eq!(entries(&page), [expected]);
        assert_eq!(page.named("time")[0].get("datetime"), "2026-11-20T12:30:00+01:00");
        assert_eq!(items(&portal.bridge, &sparrow).await.len(), 0, "and nothing went anywhere");
    }
}

on_both_databases! {
    async fn what_is_sent_twice_is_noted_once(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let (sparrow, mut browser) = keeper(&portal, "sparrow", &ehr.patient).await;
        let form = browser.get("/data/note").await.html();
        let key = form.field("key").get("value").to_owned();
        let fields = |level: &'static str| [("key", key.clone()), ("at", "2026-11-20T12:00".into()), ("level", level.into())];
        let send = async |browser: &mut Browser, fields: &[(&str, String)]| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.post("/data/note", &fields).await
        };
        for _ in 0..2 {
            assert_eq!(send(&mut browser, &fields("4")).await.status, 200);
        }
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 1);
        let changed = send(&mut browser, &fields("2")).await;
        assert_eq!(changed.status, 409);
        let form = changed.html();
        assert!(form.by_id("wrong").text().starts_with("This was noted already, and reads differently now."));
        assert_ne!(form.field("key").get("value"), key, "the next press is another entry");
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 1);
    }
}

on_both_databases! {
    async fn nothing_that_somebody_wrote_is_lost_because_nobody_may_see_it(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.share(&sparrow, json!({"mood": "every-entry"})).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let answers = [("level", "2"), ("note", "dear diary")];
        let first = note_down(&mut browser, &answers).await;
        assert_eq!(first.status, 422);
        let form = first.html();
        let lost: Vec<String> = form.by_id("wrong").named("li").iter().map(|part| part.text()).collect();
        assert_eq!(lost, ["Notes"], "the mood went");
        assert_eq!(form.by_id("note").exactly(), "dear diary");
        let chosen: Vec<&str> = form.all(&|it| it.attributes.contains_key("checked")).iter().map(|it| it.get("value")).collect();
        assert_eq!(chosen, ["2"]);
        let key = form.field("key").get("value").to_owned();
        let at = form.field("at").get("value").to_owned();
        let again = [("key", key.as_str()), ("at", at.as_str()), answers[0], answers[1], ("keep", "yes")];
        let second = browser.post("/data/note", &again).await;
        assert_eq!(second.status, 200, "{}", second.body);
        let said = second.html().named("main")[0].text();
        assert!(said.contains("Riverside: Mood Every entry") && said.contains("Everything is kept here for you, too."), "{said}");
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 2);
        assert_eq!(items(&portal.bridge, &sparrow).await.len(), 1, "the mood once, the note not at all");
        assert!(portal.bridge.settings(&sparrow).await.keep);
        assert!(browser.get("/data/note").await.html().all(&|it| it.get("name") == "keep").is_empty(), "it is not asked again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_noted_is_said_and_kept_in_the_form() {
    let ehr = Ehr::sandbox().await;
    let portal = Portal::open(Database::sqlite(), &ehr.base).await;
    let (sparrow, mut browser) = keeper(&portal, "sparrow", &ehr.patient).await;
    let (long, many) = ("x".repeat(10_001), "x,".repeat(51));
    for (name, value, said) in [
        ("level", "", "Please choose how you are."),
        ("level", "6", "Please choose how you are."),
        ("at", "yesterday", "Please choose a time"),
        ("at", "2026-11-20T13:00", "Please choose a time"),
        ("at", "2025-11-01T13:00", "Please choose a time"),
        ("note", long.as_str(), "That is too long."),
        ("tags", many.as_str(), "Please use at most 50 tags"),
        ("key", "x", "This form is too old."),
    ] {
        let answers = [("level", "3"), ("note", "kept"), ("tags", "")];
        let answers: Vec<_> = answers.into_iter().filter(|(found, _)| *found != name).chain([(name, value)]).collect();
        let page = note_down(&mut browser, &answers).await;
        assert_eq!(page.status, 422, "{name}={value}");
        let form = page.html();
        assert!(form.by_id("wrong").text().starts_with(said), "{name}: {}", form.by_id("wrong").text());
        assert!(name == "note" || form.by_id("note").exactly() == "kept");
    }
    assert_eq!(portal.bridge.traces(&sparrow).await, 0);
}

on_both_databases! {
    async fn the_chart_has_its_table_and_says_what_it_shows(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let (_, mut browser) = keeper(&portal, "sparrow", &ehr.patient).await;
        let empty = browser.get("/data").await.html();
        assert!(empty.named("svg").is_empty() && empty.named("main")[0].text().contains("Nothing is here yet."));
        for (id, when, level) in [("1", "2026-11-16T08:00:00Z", 2), ("2", "2026-11-16T20:00:00Z", 5),
            ("3", "2026-11-17T08:00:00Z", 3), ("4", "2026-11-20T08:00:00Z", 1), ("5", "2026-09-01T08:00:00Z", 4)] {
            portal.bridge.send(&at(mood(id, "sparrow", level), when)).await;
        }
        let page = browser.get("/data").await.html();
        let svg = page.named("svg")[0];
        assert_eq!(svg.get("role"), "img");
        let named: Vec<String> = svg.get("aria-labelledby").split(' ').map(|id| svg.by_id(id).text()).collect();
        assert_eq!(named, ["Mood, day by day", "From 22 October 2026 to 20 November 2026: something was noted on 3 of 30 days, \
            between 1 and 5."]);
        let runs: Vec<usize> =
            svg.named("polyline").iter().map(|run| run.get("points").split(' ').count()).collect();
        assert_eq!(runs, [2, 1], "nothing is drawn across a gap");
        assert_eq!((svg.named("circle").len(), svg.of_class("range").len()), (3, 1));
        let heights: Vec<f64> = svg.named("circle").iter().map(|mark| mark.get("cy").parse().unwrap()).collect();
        assert!(heights[0] < heights[1] && heights[1] < heights[2], "better is higher: {heights:?}");
        let rows: Vec<String> = page.named("tbody")[0].named("tr").iter().map(|row| row.text()).collect();
        assert_eq!(rows, ["20 November 2026 1.00 1 1", "17 November 2026 3.00 3 1", "16 November 2026 3.50 2 – 5 2"]);
        let quarter = browser.get("/data?days=90").await.html();
        assert_eq!(quarter.named("tbody")[0].named("tr").len(), 4);
        for other in ["days=7", "days=x", "days=-1", "before=x"] {
            assert_eq!(browser.get(&format!("/data?{other}")).await.status, 404, "{other}");
        }
    }
}

on_both_databases! {
    async fn what_a_device_measured_is_drawn_after_what_the_member_said(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let (_, mut browser) = keeper(&portal, "sparrow", &ehr.patient).await;
        let mut heart = mood("heart", "sparrow", 1);
        heart["type"] = json!("mostik.measurement.v1");
        heart["data"] = json!({"of": "resting-heart-rate", "value": 61, "modality": "sensed", "device": "A watch"});
        let yesterday = at(heart.clone(), "2026-11-19T20:00:00Z");
        let mut today = heart;
        today["id"] = json!("heart-today");
        let taken = portal.bridge.send(&json!([today, yesterday, mood("1", "sparrow", 4)])).await;
        let became: Vec<&str> =
            taken.json["results"].as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect();
        assert_eq!(became, ["accepted"; 3], "{:?}", taken.json);
        let page = browser.get("/data").await.html();
        let titles: Vec<String> = page.named("title").iter().skip(1).map(|title| title.text()).collect();
        assert_eq!(titles, ["Mood, day by day", "Resting heart rate, day by day"], "the mood first, though there are fewer of it");
        assert_eq!(page.named("tbody")[1].named("tr").len(), 2);
    }
}

fn times(readings: &[Reading]) -> BTreeSet<String> {
    readings.iter().map(|reading| reading.moment.to_rfc3339()).collect()
}

on_both_databases! {
    async fn older_entries_are_a_page_away_and_nobody_elses(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let (sparrow, mut browser) = keeper(&portal, "sparrow", &ehr.patient).await;
        let (_, mut other) = keeper(&portal, "wren", &create_patient(&ehr.base).await).await;
        let day = |day: i64| portal.bridge.now().checked_sub(SignedDuration::from_hours(24 * day)).unwrap().to_string();
        let events: Vec<_> = (0..130).map(|it| at(mood(&it.to_string(), "sparrow", 1 + it % 5), &day(it))).collect();
        portal.bridge.send(&json!(events)).await;
        let (mut path, mut found, mut pages) = ("/data".to_owned(), Vec::new(), Vec::new());
        loop {
            let page = browser.get(&path).await.html();
            let times: Vec<String> = page.named("time").iter().map(|time| time.get("datetime").to_owned()).collect();
            pages.push(times.len());
            found.extend(times);
            assert_eq!(page.named("svg").len(), usize::from(path == "/data"), "charts stand on the first page");
            let Some(next) = page.links().into_iter().find(|link| link.contains("before=")) else { break };
            assert_eq!(other.get(next).await.status, 404, "another member's place is none");
            next.clone_into(&mut path);
        }
        assert_eq!(pages, [40, 40, 40, 10]);
        assert!(found.is_sorted_by(|newer, older| newer > older), "the newest first");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), times(&portal.bridge.readings(&sparrow).await));
        assert!(entries(&other.get("/data").await.html()).is_empty());
    }
}

on_both_databases! {
    async fn what_is_kept_is_the_members_choice(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.share(&sparrow, json!({"mood": "every-entry"})).await;
        let mut browser = portal.sign_in(&sparrow).await;
        portal.bridge.send(&json!([mood("1", "sparrow", 4), note("2", "sparrow", "lost")])).await;
        assert_eq!(entries(&browser.get("/data").await.html()).len(), 1);
        let asked = browser.get("/data/keep").await.html();
        assert!(asked.named("main")[0].text().contains("It stays for 400 days"));
        let kept = browser.post_and_follow("/data/keep", &[("keep", "everything")]).await.html();
        assert!(kept.of_class("flash")[0].text().starts_with("From now on, everything you note is kept"));
        portal.bridge.send(&note("3", "sparrow", "dear diary")).await;
        assert!(entries(&browser.get("/data").await.html())[0].contains("dear diary"));
        browser.get("/data/keep").await;
        browser.post_and_follow("/data/keep", &[("keep", "shared")]).await;
        portal.bridge.chores().await;
        let left = portal.bridge.readings(&sparrow).await;
        assert!(left.len() == 1 && matches!(left[0].measure, Measure::Mood(_)), "what no clinic may see is gone");
        assert_eq!(browser.post("/data/keep", &[("keep", "nonsense")]).await.status, 400);
    }
}

on_both_databases! {
    async fn what_a_member_wrote_is_only_ever_text(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let (_, mut browser) = keeper(&portal, "sparrow", &ehr.patient).await;
        let (script, image) = ("</textarea><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>");
        let wrong = note_down(&mut browser, &[("level", ""), ("note", script), ("tags", image), ("at", image)]).await;
        let form = wrong.html();
        assert_eq!((form.by_id("note").exactly().as_str(), form.by_id("tags").get("value")), (script, image));
        let noted = note_down(&mut browser, &[("level", "3"), ("note", script), ("tags", image)]).await;
        assert_eq!(noted.status, 200, "{}", noted.body);
        let page = browser.get("/data").await.html();
        let said = entries(&page).join(" ");
        assert!(said.contains(script) && said.contains(image), "{said}");
        assert!(page.named("main")[0].named("img").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_never_said_where_they_are_is_where_the_operator_said() {
    let database = Database::sqlite();
    let postbox = Postbox::open();
    let ehr = Ehr::sandbox().await;
    let text = portal_config(&database, &ehr.base, &postbox) + "[readings]\nzone = \"Asia/Tokyo\"\n";
    let portal = Portal::open_with(database, &text, postbox).await;
    let (_, mut browser) = keeper(&portal, "sparrow", &ehr.patient).await;
    let form = browser.get("/data/note").await.html();
    assert_eq!(form.field("at").get("value"), "2026-11-20T21:00");
    assert!(form.by_id("at-hint").text().contains("Asia/Tokyo"));
}
