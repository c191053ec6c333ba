//! What is kept of a member's readings: what a consent covers, or what they want kept; the newest version; for a while.

use jiff::{SignedDuration, Timestamp};
use mostik::domain::category::Category;
use mostik::domain::reading::Measure;
use mostik::domain::settings::Change;
use mostik::readings::kept;
use mostik::store::ReadingSearch;
use reqwest::Method;
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, correcting, mood, note, retraction};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::outbox::{execute, items};
use crate::support::own::at;

async fn ready(database: Database) -> (TestBridge, Person, Ehr) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    (bridge, member, ehr)
}

async fn keep(bridge: &TestBridge, member: &Person, keep: bool) {
    bridge.set(member, Change { keep: Some(keep), ..Change::default() }).await;
}

/// What is kept, in words: a rating, or a text.
async fn kept_of(bridge: &TestBridge, member: &Person) -> Vec<String> {
    let said = |measure: Measure| match measure {
        Measure::Mood(mood) => mood.rating.unwrap().value.to_string(),
        Measure::Note(text) | Measure::Agenda(text) => text,
        Measure::Tags(tags) => tags.join(","),
        Measure::Measurement(measurement) => measurement.value.to_string(),
        Measure::Questionnaire(answers) => answers.total().map(|total| total.to_string()).unwrap_or_default(),
        Measure::Deed(deed) => deed.as_str().to_owned(),
    };
    bridge.readings(member).await.into_iter().map(|reading| said(reading.measure)).collect()
}

on_both_databases! {
    async fn what_no_clinic_may_see_is_not_kept(database) {
        let (bridge, member, _ehr) = ready(database).await;
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 422);
        assert!(kept_of(&bridge, &member).await.is_empty());
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&json!([mood("1", "sparrow", 4), note("2", "sparrow", "dear diary")])).await;
        assert_eq!(kept_of(&bridge, &member).await, ["4"], "and nothing of the note");
    }
}

on_both_databases! {
    async fn a_member_can_have_everything_kept_for_themselves_and_share_it_later(database) {
        let (bridge, member, _ehr) = ready(database).await;
        keep(&bridge, &member, true).await;
        assert_eq!(bridge.send(&note("1", "sparrow", "dear diary")).await.status, 202);
        bridge.chores().await;
        assert_eq!(kept_of(&bridge, &member).await, ["dear diary"]);
        assert!(items(&bridge, &member).await.is_empty(), "no clinic is told");
        bridge.grant(&member, &["note"]).await;
        bridge.chores().await;
        assert!(items(&bridge, &member).await.is_empty(), "nor by itself when consent is given");
        assert_eq!(bridge.send(&note("1", "sparrow", "dear diary")).await.status, 202, "but when it is sent again");
        assert_eq!(items(&bridge, &member).await.len(), 1);
        keep(&bridge, &member, false).await;
        bridge.chores().await;
        assert_eq!(kept_of(&bridge, &member).await, ["dear diary"], "a consent covers it now");
    }
}

on_both_databases! {
    async fn what_was_kept_for_the_member_alone_goes_when_they_switch_that_off(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        keep(&bridge, &member, true).await;
        bridge.send(&json!([mood("1", "sparrow", 4), note("2", "sparrow", "dear diary")])).await;
        keep(&bridge, &member, false).await;
        bridge.chores().await;
        assert_eq!(kept_of(&bridge, &member).await, ["4"]);
    }
}

on_both_databases! {
    async fn the_newest_version_is_kept_and_a_deleted_entry_is_not(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.send(&mood("other", "sparrow", 5)).await;
        bridge.send(&correcting(at(mood("2", "sparrow", 2), "2026-11-19T11:00:00Z"), "1")).await;
        assert_eq!(kept_of(&bridge, &member).await, ["2", "5"]);
        bridge.send(&mood("1", "sparrow", 4)).await;
        assert_eq!(kept_of(&bridge, &member).await, ["2", "5"], "an older version does not come back");
        bridge.send(&retraction("3", "sparrow", "1")).await;
        assert_eq!(kept_of(&bridge, &member).await, ["5"]);
    }
}

on_both_databases! {
    async fn what_a_consent_covered_goes_with_it_but_not_with_a_pause(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let grant = bridge.grant(&member, &["mood", "note"]).await;
        bridge.send(&json!([mood("1", "sparrow", 4), note("2", "sparrow", "dear diary")])).await;
        bridge.change_grant(&member, &grant, "pause").await;
        bridge.chores().await;
        assert_eq!(kept_of(&bridge, &member).await.len(), 2);
        bridge.change_terms(&member, &grant, json!({"categories": {"mood": "weekly-summary", "note": "weekly-summary"}})).await;
        bridge.chores().await;
        assert_eq!(kept_of(&bridge, &member).await, ["4"], "a note is in no summary: nobody may see it");
        bridge.change_terms(&member, &grant, json!({
            "categories": {"mood": "every-entry"}, "data_from": "2026-11-20T10:30:00Z",
        })).await;
        bridge.chores().await;
        assert!(kept_of(&bridge, &member).await.is_empty(), "it was lived before what is covered");
        bridge.change_grant(&member, &grant, "resume").await;
        bridge.send(&at(mood("3", "sparrow", 5), "2026-11-20T11:00:00Z")).await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.chores().await;
        assert!(kept_of(&bridge, &member).await.is_empty());
    }
}

on_both_databases! {
    async fn what_a_consent_covered_goes_when_it_runs_out_unless_the_member_wants_it_kept(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let keeper = bridge.person("wren", "pat-2").await;
        keep(&bridge, &keeper, true).await;
        for person in [&member, &keeper] {
            let terms = json!({"categories": {"mood": "every-entry"}, "valid_until": "2026-11-21T12:00:00Z"});
            bridge.share_by(person, terms).await;
            bridge.send(&mood(&person.handle, &person.handle, 4)).await;
        }
        bridge.until("2026-11-21T11:59:59Z").await;
        assert_eq!(kept_of(&bridge, &member).await, ["4"]);
        bridge.until("2026-11-21T12:00:00Z").await;
        assert!(kept_of(&bridge, &member).await.is_empty());
        assert_eq!(kept_of(&bridge, &keeper).await, ["4"]);
    }
}

on_both_databases! {
    async fn another_clinics_consent_keeps_what_it_covers(database) {
        let text = crate::support::bridge::config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
        let more = "[clinics.hospital]\nname = \"The hospital\"\nfhir_base = \"http://127.0.0.1:9/fhir\"\n";
        let bridge = TestBridge::start_with(database, &format!("{text}{more}")).await;
        let member = bridge.person("sparrow", "pat-1").await;
        let hospital = "hospital".parse().unwrap();
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        mostik::enrolment::join::link(&mut tx, &bridge.bridge.keyring, member.id, &hospital, "p", "test", bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        let first = bridge.grant(&member, &["mood"]).await;
        let asked = json!({"clinic": "hospital", "terms": {"categories": {"mood": "weekly-summary"}}});
        let second = bridge.as_member(&member, Method::POST, "/v1/grants", Some(&asked)).await.json["id"].clone();
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.change_grant(&member, &first, "revoke").await;
        bridge.chores().await;
        assert_eq!(kept_of(&bridge, &member).await, ["4"]);
        bridge.change_grant(&member, second.as_str().unwrap(), "revoke").await;
        bridge.chores().await;
        assert!(kept_of(&bridge, &member).await.is_empty());
    }
}

on_both_databases! {
    async fn an_entry_deleted_while_no_clinic_may_be_told_is_gone_from_the_members_own_view(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver_in_time().await;
        bridge.change_grant(&member, &grant, "pause").await;
        assert_eq!(bridge.send(&retraction("2", "sparrow", "1")).await.status, 422);
        assert!(kept_of(&bridge, &member).await.is_empty());
        bridge.change_grant(&member, &grant, "resume").await;
        assert_eq!(bridge.send(&retraction("2", "sparrow", "1")).await.status, 202, "the clinic is told when it may be");
    }
}

on_both_databases! {
    async fn readings_are_kept_as_long_as_the_operator_says_and_no_longer(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.share_by(&member, json!({"categories": {"mood": "every-entry"}, "valid_until": "2036-01-01T00:00:00Z"})).await;
        bridge.send(&at(mood("old", "sparrow", 1), "2025-10-16T11:59:59Z")).await;
        bridge.send(&at(mood("1", "sparrow", 4), "2025-10-16T12:00:00Z")).await;
        bridge.send(&at(mood("2", "sparrow", 5), "2026-11-20T12:00:00Z")).await;
        assert_eq!(kept_of(&bridge, &member).await, ["4", "5"], "what is older goes out, and is not kept");
        assert_eq!(items(&bridge, &member).await.len(), 3);
        bridge.clock.advance(SignedDuration::from_micros(1));
        bridge.chores().await;
        assert_eq!(kept_of(&bridge, &member).await, ["5"]);
        bridge.clock.advance(SignedDuration::from_hours(24 * 401));
        bridge.chores().await;
        assert!(kept_of(&bridge, &member).await.is_empty());
    }
}

on_both_databases! {
    async fn readings_are_found_by_category_and_time_page_by_page(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let other = bridge.person("wren", "pat-2").await;
        for person in [&member, &other] {
            bridge.grant(person, &["mood", "note"]).await;
        }
        let batch: Vec<_> = (0..7).map(|n| {
            at(mood(&n.to_string(), "sparrow", 1 + n % 5), &format!("2026-11-{:02}T08:00:00Z", 10 + n / 2))
        }).collect();
        bridge.send(&json!(batch)).await;
        bridge.send(&at(note("note", "sparrow", "dear diary"), "2026-11-11T08:00:00Z")).await;
        bridge.send(&mood("hers", "wren", 1)).await;
        let key = bridge.key(&member).await;
        let from: Timestamp = "2026-11-11T00:00:00Z".parse().unwrap();
        let search = ReadingSearch { category: Some(Category::Mood), from, until: Timestamp::MAX, after: None, limit: 2 };
        let mut tx = bridge.bridge.store.read().await.unwrap();
        let mut found = Vec::new();
        let mut next = Some(search);
        while let Some(search) = next.take() {
            let page = kept::page(&mut tx, &key, &search).await.unwrap();
            assert!(page.readings.len() <= 2);
            next = page.next.map(|after| ReadingSearch { after: Some(after), ..search });
            found.extend(page.readings);
        }
        assert_eq!(found.len(), 5);
        assert!(found.iter().all(|reading| reading.member == member.id && reading.measure.category() == Category::Mood));
        assert!(found.is_sorted_by_key(|reading| std::cmp::Reverse((reading.moment.at, reading.id))));
    }
}

on_both_databases! {
    async fn a_reading_that_was_moved_to_another_place_opens_nowhere(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&json!([mood("1", "sparrow", 4), mood("2", "sparrow", 5)])).await;
        execute(&bridge, "UPDATE readings SET sealed_reading = (SELECT sealed_reading FROM readings ORDER BY reading_id LIMIT 1)").await;
        assert_eq!(bridge.readings(&member).await.len(), 1, "only the one whose place it is");
    }
}
