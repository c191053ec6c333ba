//! A member's own files through the portal: looked at, taken, taken again; and files that nobody's diary is.

use std::fs;
use std::io::{Cursor, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mostik::domain::settings::Change;
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::on_both_databases;
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::imports::{PATH, bring, keeper, told};
use crate::support::portal::Part;

const HEADER: &str = "full_date,date,weekday,time,mood,activities,note_title,note\n";

fn csv(lines: &[&str]) -> Vec<u8> {
    format!("{HEADER}{}\n", lines.join("\n")).into_bytes()
}

fn backup(mood: i64, note: &str, offset: i64) -> Vec<u8> {
    let entry = json!({"year": 2026, "month": 10, "day": 15, "hour": 20, "minute": 30, "timeZoneOffset": offset * 3_600_000,
        "mood": mood, "note": note, "note_title": "", "tags": [1]});
    let content = json!({
        "version": 15,
        "customMoods": [{"id": 7, "custom_name": "heavy", "mood_group_id": 4, "predefined_name_id": -1}],
        "tags": [{"id": 1, "name": "walk"}],
        "dayEntries": [entry],
    });
    zipped(STANDARD.encode(content.to_string()).as_bytes())
}

fn zipped(content: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("backup.daylio", SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

on_both_databases! {
    async fn a_file_is_looked_at_taken_and_known_from_then_on(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        let file = csv(&["2026-11-15,x,x,8:30 pm,good,walk | tea,,One<br>two", "2026-11-14,x,x,20:30,bad,,,"]);
        let would = bring(&mut browser, &file, "look").await;
        assert_eq!(would.status, 200, "{}", would.body);
        let new = ["New: Mood 2", "New: Notes 1", "New: Tags 1"];
        assert_eq!(told(&would.html())[1..], new);
        assert_eq!(would.html().by_id("told").text(), "What would be taken");
        assert_eq!(portal.bridge.traces(&sparrow).await, 0, "looking takes nothing");
        let did = bring(&mut browser, &file, "take").await.html();
        assert_eq!((did.by_id("told").text().as_str(), &told(&did)[1..]), ("What was taken", &new.map(str::to_owned)[..]));
        let again = bring(&mut browser, &file, "take").await.html();
        assert_eq!(told(&again), ["Entries read 2", "Here already 4"]);
        let kept = portal.bridge.readings(&sparrow).await;
        assert_eq!((kept.len(), kept[0].moment.to_rfc3339().as_str()), (4, "2026-11-14T20:30:00+01:00"), "by their own clock");
        let page = browser.get("/data").await.html();
        assert!(page.named("main")[0].text().contains("15 November 2026, 20:30 Mood: 4"), "{}", page.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_taken_beside_a_mood_is_counted() {
    let (_portal, _, mut browser) = keeper(Database::sqlite()).await;
    let header = HEADER.replace("note_title", "scales,note_title");
    let file = format!("{header}2026-11-15,x,x,20:30,good,walk,Sleep: 7:30,,\n2026-11-14,x,x,20:30,good,,,,\n");
    let did = bring(&mut browser, file.as_bytes(), "take").await.html();
    let expected =
        ["Entries read 2", "With something more, such as scales, that is not taken 1", "New: Mood 2", "New: Tags 1"];
    assert_eq!(told(&did), expected);
}

on_both_databases! {
    async fn an_entry_is_the_same_in_an_export_and_in_a_backup(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        let did = bring(&mut browser, &backup(7, "One", 1), "take").await;
        assert_eq!(did.status, 200, "{}", did.body);
        assert_eq!(told(&did.html())[1..], ["New: Mood 1", "New: Notes 1", "New: Tags 1"]);
        let moods = Change { moods: [("heavy".to_owned(), 2)].into(), ..Change::default() };
        portal.bridge.set(&sparrow, moods).await;
        let same = csv(&["2026-11-15,x,x,20:30,heavy,walk,,One"]);
        assert_eq!(told(&bring(&mut browser, &same, "take").await.html()), ["Entries read 1", "Here already 3"]);
        let changed = bring(&mut browser, &backup(7, "Two", 1), "take").await.html();
        assert_eq!(told(&changed), ["Entries read 1", "Here already 2", "Changed since the last time 1"]);
        bring(&mut browser, &backup(7, "Two", 9), "take").await;
        let kept = portal.bridge.readings(&sparrow).await;
        assert_eq!(kept[0].moment.to_rfc3339(), "2026-11-15T20:30:00+09:00", "the file knows better where they were");
    }
}

on_both_databases! {
    async fn a_mood_of_the_members_own_is_asked_for_once(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        let name = "<b>\"So-So\"</b>";
        let file = csv(&[&format!("2026-11-15,x,x,20:30,\"{}\",,,", name.replace('"', "\"\"")), "2026-11-14,x,x,20:30,Heavy,,,"]);
        let first = bring(&mut browser, &file, "take").await.html();
        assert_eq!(told(&first)[1..], ["Line 2: the mood is missing, or we do not know its name",
            "Line 3: the mood is missing, or we do not know its name"]);
        assert_eq!((first.field("name-0").get("value"), first.field("name-1").get("value")), (name, "Heavy"));
        assert_eq!(first.all(&|label| label.get("for") == "level-0")[0].exactly(), name, "a name is only ever text");
        let csrf = browser.csrf.clone();
        let parts = [Part::text("csrf", &csrf), Part::text("name-0", name), Part::text("level-0", "3"),
            Part::text("name-1", "Heavy"), Part::text("level-1", ""), Part::file("export.csv", &file), Part::text("do", "take")];
        let second = browser.upload(PATH, &parts).await.html();
        assert_eq!(told(&second)[1..], ["New: Mood 1", "Line 3: the mood is missing, or we do not know its name"]);
        assert_eq!(second.field("name-0").get("value"), "Heavy");
        let third = bring(&mut browser, &file, "look").await.html();
        assert!(told(&third).contains(&"Here already 1".to_owned()), "it is remembered: {:?}", told(&third));
        assert_eq!(portal.bridge.settings(&sparrow).await.moods, [(name.to_lowercase(), 3)].into());
    }
}

on_both_databases! {
    async fn each_faulty_line_is_named_with_what_is_wrong_and_the_others_are_taken(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        let file = csv(&["2026-11-31,x,x,20:30,good,,,", "2026-11-15,x,x,25:00,good,,,", "2026-11-15,x,x,20:30,,,,",
            "2026-11-15,x,x", "2026-11-21,x,x,20:30,good,,,", "2026-11-15,x,x,20:31,good,,,"]);
        let did = bring(&mut browser, &file, "take").await.html();
        assert_eq!(told(&did), ["Entries read 6", "New: Mood 1", "Line 2: the date cannot be read",
            "Line 3: the time cannot be read, or has not come yet", "Line 4: the mood is missing, or we do not know its name",
            "Line 5: the line is not whole", "Line 6: the time cannot be read, or has not come yet"]);
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 1);
        let many: Vec<String> = (0..70).map(|_| "2026-11-31,x,x,20:30,good,,,".to_owned()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let page = bring(&mut browser, &csv(&many), "look").await.html();
        assert!(page.named("main")[0].text().contains("And 20 more."));
    }
}

on_both_databases! {
    async fn what_no_clinic_may_see_is_taken_only_if_it_is_wanted(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        portal.bridge.set(&sparrow, Change { keep: Some(false), ..Change::default() }).await;
        portal.bridge.share(&sparrow, json!({"mood": "every-entry"})).await;
        let file = csv(&["2026-11-20,x,x,20:30,good,walk,,One", "2026-11-20,x,x,08:30,good,walk,,One"]);
        let did = bring(&mut browser, &file, "take").await.html();
        let said = did.named("main")[0].text();
        assert!(said.contains("Not taken: Notes 1") && said.contains("No clinic may see these"), "{said}");
        assert!(did.links().contains(&"/data/keep"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_diary_is_refused_in_words() {
    let (portal, sparrow, mut browser) = keeper(Database::sqlite()).await;
    let unknown = "We do not know this kind of file.";
    let empty = zipped(STANDARD.encode("{}").as_bytes());
    for (file, status, said) in [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), 422, unknown),
        (b"a,b\n1,2\n".to_vec(), 422, unknown),
        (b"PK\x03\x04".to_vec(), 422, unknown),
        (empty, 422, unknown),
        (Vec::new(), 422, "Please choose a file."),
        (zipped(&vec![b'A'; 48 << 20]), 422, "There is more in this file"),
    ] {
        let page = bring(&mut browser, &file, "take").await;
        assert_eq!(page.status, status, "{said}");
        let words = page.html().named("main")[0].text();
        assert!(words.contains(said), "{said}: {words}");
    }
    assert_eq!(portal.bridge.traces(&sparrow).await, 0);
}

on_both_databases! {
    async fn nothing_of_a_form_is_read_before_its_token(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        let wren = portal.bridge.person("wren", &create_patient(&Ehr::sandbox().await.base).await).await;
        let mut other = portal.sign_in(&wren).await;
        other.get(PATH).await;
        browser.get(PATH).await;
        let (own, foreign) = (browser.csrf.clone(), other.csrf.clone());
        let file = csv(&["2026-11-15,x,x,20:30,good,,,"]);
        let (file, take) = (Part::file("export.csv", &file), Part::text("do", "take"));
        for parts in [
            vec![file, take],
            vec![file, take, Part::text("csrf", &own)],
            vec![Part::text("csrf", ""), file, take],
            vec![Part::text("csrf", &foreign), file, take],
            vec![Part::text("csrf", &own[1..]), file, take],
            vec![],
        ] {
            let answer = browser.upload(PATH, &parts).await;
            assert_eq!(answer.status, 403, "{}", answer.body);
        }
        assert_eq!(portal.bridge.traces(&sparrow).await, 0);
        let mut nobody = portal.browser();
        nobody.get("/sign-in").await;
        let token = nobody.csrf.clone();
        let answer = nobody.upload(PATH, &[Part::text("csrf", &token), file, take]).await;
        assert_eq!((answer.status, answer.location()), (303, "/sign-in"));
        assert_eq!(browser.upload(PATH, &[Part::text("csrf", &own), file, take]).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_has_no_more_in_it_than_a_form_has_and_comes_so_often_only() {
    let (portal, sparrow, mut browser) = keeper(Database::sqlite()).await;
    browser.get(PATH).await;
    let csrf = browser.csrf.clone();
    let token = Part::text("csrf", &csrf);
    let long = "x".repeat(5000);
    let file = csv(&["2026-11-15,x,x,20:30,good,,,"]);
    let many: Vec<Part<'_>> = std::iter::once(token).chain((0..300).map(|_| Part::text("x", ""))).collect();
    let bad = Part { name: "do", file: None, content: b"\xff" };
    for (parts, status) in [
        (many, 413),
        (vec![token, Part::text("do", &long)], 413),
        (vec![Part::text("csrf", &long)], 413),
        (vec![token, bad], 400),
    ] {
        assert_eq!(browser.upload(PATH, &parts).await.status, status);
    }
    let parts = [token, Part::file("export.csv", &file), Part::text("do", "look")];
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(browser.upload(PATH, &parts).await.status);
    }
    assert_eq!(answers, [200, 200, 200, 200, 200, 200, 200, 429], "those that were read at all count");
    portal.bridge.clock.advance(jiff::SignedDuration::from_mins(1));
    assert_eq!(browser.upload(PATH, &parts).await.status, 200);
    assert_eq!(portal.bridge.traces(&sparrow).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_file_lies_open_on_the_disk() {
    let (portal, sparrow, mut browser) = keeper(Database::sqlite()).await;
    let word = "kanarienvogel-in-a-file";
    let file = csv(&[&format!("2026-11-15,x,x,20:30,good,{word},{word},{word}")]);
    for button in ["look", "take"] {
        assert_eq!(bring(&mut browser, &file, button).await.status, 200);
    }
    assert_eq!(bring(&mut browser, &backup(7, word, 1), "take").await.status, 200);
    assert_eq!(portal.bridge.readings(&sparrow).await.len(), 3);
    let mut files = vec![portal.bridge.database.folder.path().to_owned()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(word.len()).any(|found| found == word.as_bytes()), "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_brings_an_answer_that_wants_help_is_told_where_it_is() {
    let (_portal, _, mut browser) = keeper(Database::sqlite()).await;
    let form = |choice: u8| {
        let item = |code: &str, choice: u8| json!({"linkId": format!("/{code}"), "answer": [{"valueInteger": choice}]});
        let items = [item("44250-9", 0), item("44260-8", choice)];
        json!({"resourceType": "QuestionnaireResponse", "id": "1", "status": "completed",
               "authored": "2026-11-15T08:00:00+01:00", "item": items})
    };
    for (choice, is_told) in [(0, false), (1, true)] {
        for button in ["look", "take"] {
            let page = bring(&mut browser, form(choice).to_string().as_bytes(), button).await;
            assert_eq!(page.status, 200);
            let html = page.html();
            let helps = html.all(&|element| element.get("id") == "help-now");
            assert_eq!(!helps.is_empty(), is_told, "{choice} {button}");
        }
    }
}

on_both_databases! {
    async fn what_has_the_id_of_something_of_another_kind_is_taken_beside_it_or_named(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        let observed = |code: &str, value: i64, unit: &str| {
            json!({"resourceType": "Observation", "id": "1", "status": "final", "effectiveDateTime": "2026-11-15T08:00:00+01:00",
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": unit}})
        };
        let answers = [json!({"linkId": "/44250-9", "answer": [{"valueInteger": 1}]}), json!({"linkId": "/44255-8", "answer": [{"valueInteger": 2}]})];
        let form = json!({"resourceType": "QuestionnaireResponse", "id": "1", "status": "completed",
            "authored": "2026-11-15T08:00:00+01:00", "item": answers});
        let both = json!({"resourceType": "Bundle", "type": "collection",
            "entry": [{"resource": observed("8867-4", 72, "/min")}, {"resource": form}]});
        let did = bring(&mut browser, both.to_string().as_bytes(), "take").await.html();
        assert_eq!(told(&did), ["Entries read 2", "New: Heart 1", "New: Questionnaires 1"]);
        let again = bring(&mut browser, both.to_string().as_bytes(), "take").await.html();
        assert_eq!(told(&again), ["Entries read 2", "Here already 2"]);
        let steps = observed("55423-8", 900, "{steps}").to_string();
        for button in ["look", "take"] {
            let other = bring(&mut browser, steps.as_bytes(), button).await.html();
            assert_eq!(told(&other), ["Entries read 1", "Entry 1: something of another kind goes by the same name already"]);
        }
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 2);
    }
}

on_both_databases! {
    async fn what_was_noted_for_an_evening_that_has_not_come_is_of_now_until_it_has(database) {
        let (portal, sparrow, _) = keeper(database).await;
        let file = "date,weekday,time of day,category,rating/amount,detail,notes\n20th Nov 2026,Friday,pm,Mood,6,,\n";
        for (at, outcome, moment) in [
            ("2026-11-20T15:00:00Z", "New: Mood 1", "2026-11-20T16:00:00+01:00"),
            ("2026-11-20T19:00:00Z", "Changed since the last time 1", "2026-11-20T18:00:00+01:00"),
            ("2026-11-20T20:00:00Z", "Here already 1", "2026-11-20T18:00:00+01:00"),
        ] {
            portal.bridge.until(at).await;
            let mut browser = portal.sign_in(&sparrow).await;
            let page = bring(&mut browser, file.as_bytes(), "take").await;
            assert_eq!(told(&page.html()), ["Entries read 1", outcome], "{at}");
            let kept = portal.bridge.readings(&sparrow).await;
            assert_eq!((kept.len(), kept[0].moment.to_rfc3339().as_str()), (1, moment), "the same entry");
        }
    }
}
