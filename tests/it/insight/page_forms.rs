//! What the clinic reads on a page beside numbers: a form without a total, the one answer that no total says, and by whose word
//! all of it stands.

use serde_json::{Value, json};

use crate::insight::pages::{documents, paged, rated, send, slept, words};
use crate::intake::questionnaires::phq9;
use crate::on_both_databases;
use crate::support::bridge::TestBridge;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::own::at;
use crate::support::portal::{Portal, portal_config};
use crate::support::postbox::Postbox;

/// A member in Berlin whose clinic gets a page each week, in this language, of what these terms say. It is Friday, the 20th of
/// November 2026, 13:00 there.
async fn ready(database: Database, ehr: &Ehr, language: &str, terms: Value) -> TestBridge {
    let bridge = paged(database, ehr, &format!("page = \"weekly\"\nlanguage = {language:?}")).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.move_to(&member, "Europe/Berlin").await;
    bridge.share_by(&member, terms).await;
    bridge
}

/// Questionnaires in this detail.
fn forms(detail: &str) -> Value {
    json!({"categories": {"questionnaires": detail}})
}

/// PHQ-9, filled in on a day of November: all answers the same, but for the fifth and the last.
fn form(day: u8, all: u8, fifth: Option<u8>, last: u8) -> Value {
    let mut said = [Some(all); 9];
    (said[4], said[8]) = (fifth, Some(last));
    at(phq9(&format!("p{day}"), &said), &format!("2026-11-{day:02}T08:00:00+01:00"))
}

/// What stands on the page about that week once it is over, on one line.
async fn page(bridge: &TestBridge, ehr: &Ehr) -> String {
    bridge.until("2026-11-22T23:00:00Z").await;
    as_it_is(bridge, ehr).await
}

async fn as_it_is(bridge: &TestBridge, ehr: &Ehr) -> String {
    bridge.chores().await;
    bridge.deliver_in_time().await;
    let found = documents(ehr).await;
    let page = found.iter().find(|it| it["context"]["period"]["end"] == "2026-11-22T23:59:59+01:00").unwrap();
    let words = words(page);
    assert!(words.lines().all(|line| line.chars().count() <= 80), "{words}");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

on_both_databases! {
    async fn a_newer_form_that_is_not_complete_does_not_hide_behind_an_older_total(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = ready(database, &ehr, "en", forms("every-entry")).await;
        send(&bridge, &[form(6, 1, Some(0), 0), form(20, 3, None, 3)]).await;
        let page = page(&bridge, &ehr).await;
        let said = "QUESTIONNAIRES PHQ-9: not complete, no total (20 Nov 2026). PHQ-9: 7 of 27, mild (6 Nov 2026). Question \
            9, thoughts of death or self-harm: “Nearly every day” (20 Nov 2026); “Not at all” (6 Nov 2026). ";
        assert!(page.contains(said), "{said} in {page}");
    }
}

on_both_databases! {
    async fn a_form_that_is_not_complete_is_spoken_of_where_there_is_no_other(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = ready(database, &ehr, "en", forms("every-entry")).await;
        let mut cut_short = form(20, 3, None, 3);
        cut_short["data"]["answers"].as_object_mut().unwrap().remove("44260-8");
        send(&bridge, &[cut_short]).await;
        let page = page(&bridge, &ehr).await;
        let said = "QUESTIONNAIRES PHQ-9: not complete, no total (20 Nov 2026). Question 9, thoughts of death or self-harm: \
            not answered (20 Nov 2026). ";
        assert!(page.contains(said) && !page.contains("Nothing to show"), "{said} in {page}");
    }
}

on_both_databases! {
    async fn a_low_total_does_not_hide_that_somebody_thinks_of_death(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = ready(database, &ehr, "ru", forms("every-entry")).await;
        send(&bridge, &[form(20, 0, Some(0), 3)]).await;
        let page = page(&bridge, &ehr).await;
        let said = "ОПРОСНИКИ PHQ-9: 3 из 27, минимальная выраженность (20.11.2026). Вопрос 9, мысли о смерти или о \
            причинении себе вреда: «Почти каждый день» (20.11.2026). ";
        assert!(page.contains(said), "{said} in {page}");
    }
}

on_both_databases! {
    async fn where_no_single_answer_is_shared_none_stands_there(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = ready(database, &ehr, "en", forms("daily-summary")).await;
        send(&bridge, &[form(6, 1, Some(0), 3), form(20, 3, None, 3)]).await;
        let page = page(&bridge, &ehr).await;
        assert!(page.contains("PHQ-9: not complete, no total (20 Nov 2026). PHQ-9: 10 of 27"), "{page}");
        assert!(!page.contains("Question 9"), "{page}");
    }
}

on_both_databases! {
    async fn where_a_single_answer_is_shared_no_more_the_page_that_waits_is_made_without_it(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = paged(database, &ehr, "page = \"weekly\"\nlanguage = \"en\"").await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.move_to(&member, "Europe/Berlin").await;
        let grant = bridge.share_by(&member, forms("every-entry")).await;
        send(&bridge, &[form(20, 0, Some(0), 3)]).await;
        bridge.until("2026-11-22T23:00:00Z").await;
        bridge.change_terms(&member, &grant, forms("daily-summary")).await;
        bridge.deliver_in_time().await;
        let page = as_it_is(&bridge, &ehr).await;
        assert!(page.contains("PHQ-9: 3 of 27") && !page.contains("Question 9"), "{page}");
    }
}

on_both_databases! {
    async fn where_only_weeks_are_shared_no_single_answer_stands_there_and_what_has_no_number_is_named(database) {
        let ehr = Ehr::sandbox().await;
        let terms = json!({"categories": {"questionnaires": "weekly-summary", "mood": "daily-summary"}});
        let bridge = ready(database, &ehr, "en", terms).await;
        send(&bridge, &[rated("1", "2026-11-18T08:00:00+01:00", 4), form(19, 3, None, 3)]).await;
        let without = page(&bridge, &ehr).await;
        assert!(without.contains("Nothing to show in these weeks: Questionnaires."), "{without}");
        send(&bridge, &[form(20, 0, Some(0), 3)]).await;
        let with = as_it_is(&bridge, &ehr).await;
        assert!(with.contains("PHQ-9: 3.00") && !with.contains("Nothing to show"), "{with}");
        for page in [without, with] {
            assert!(!page.contains("Question 9") && !page.contains("not complete"), "{page}");
        }
    }
}

on_both_databases! {
    async fn of_a_week_that_is_not_shared_nobody_says_that_there_was_nothing(database) {
        let ehr = Ehr::sandbox().await;
        let terms = json!({"categories": {"mood": "daily-summary"}, "data_from": "2026-11-15T23:00:00Z"});
        let bridge = ready(database, &ehr, "en", terms).await;
        send(&bridge, &[rated("1", "2026-11-18T08:00:00+01:00", 4)]).await;
        let page = page(&bridge, &ehr).await;
        assert!(page.contains("Mood: 4.00 (1 is the worst, 5 the best). Noted on 1 of 7 days."), "{page}");
    }
}

on_both_databases! {
    async fn a_page_says_whether_devices_measured_some_of_it(database) {
        let ehr = Ehr::sandbox().await;
        let terms = json!({"categories": {"mood": "daily-summary", "sleep": "weekly-summary"}});
        let bridge = ready(database, &ehr, "en", terms).await;
        let mut typed_in = slept("s1", "2026-11-17T08:00:00+01:00", 430);
        typed_in["data"]["modality"] = json!("self-reported");
        send(&bridge, &[rated("1", "2026-11-18T08:00:00+01:00", 4), typed_in]).await;
        let typed_in = page(&bridge, &ehr).await;
        assert!(typed_in.contains("Reported by the patient through their community; not checked by anyone."), "{typed_in}");
        send(&bridge, &[slept("s2", "2026-11-18T08:00:00+01:00", 380)]).await;
        let measured = as_it_is(&bridge, &ehr).await;
        let said = "Reported by the patient and measured by their devices, through their community; not checked by anyone.";
        assert!(measured.contains(said), "{said} in {measured}");
    }
}

on_both_databases! {
    async fn a_member_reads_beforehand_that_one_answer_stands_on_the_page_and_sees_it_there(database) {
        let ehr = Ehr::sandbox().await;
        let postbox = Postbox::open();
        let text = portal_config(&database, &ehr.base, &postbox);
        let text = format!("{text}[clinics.riverside.summary]\npage = \"on-request\"\n");
        let portal = Portal::open_with(database, &text, postbox).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let sharing = browser.get("/sharing/riverside").await.body;
        assert!(sharing.contains("one single answer: to question 9 of PHQ-9"), "{sharing}");
        portal.bridge.share_by(&sparrow, forms("every-entry")).await;
        send(&portal.bridge, &[form(13, 0, Some(0), 1)]).await;
        let preview = browser.get("/preview/riverside").await.body;
        assert!(preview.contains("is under “For my next visit”"), "{preview}");
        let summary = browser.get("/data/summary").await.body;
        assert!(summary.contains("Question 9, thoughts of death or self-harm: “Several days” (13 Nov 2026)."), "{summary}");
    }
}
