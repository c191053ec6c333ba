//! Summaries as clinics receive them: when a day or week is over by the member's own clock, made once, corrected when
//! entries come late, and gone with the consent.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, correcting, mood, note, retraction};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::outbox::{Item, items};
use crate::support::own::at;
use crate::support::validate::assert_valid;

/// A member in Berlin. It is Friday, the 20th of November 2026, 13:00 there.
async fn ready(database: Database) -> (TestBridge, Person, Ehr) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.move_to(&member, "Europe/Berlin").await;
    (bridge, member, ehr)
}

async fn send(bridge: &TestBridge, event: &Value) -> String {
    let got = bridge.send(&json!([event])).await;
    got.json["results"][0]["status"].as_str().unwrap().to_owned()
}

/// A mood at a time.
fn rated(id: &str, time: &str, rating: i64) -> Value {
    at(mood(id, "sparrow", rating), time)
}

/// What an item tells, in words: `create 2026-11-20..2026-11-20: 2 entries, mean 3.00, 2 to 4, 0 missing (ready)`.
fn said(item: &Item) -> String {
    let Some(body) = &item.body else { return format!("{} - ({})", item.operation, item.state) };
    let Some(start) = body["effectivePeriod"]["start"].as_str() else {
        let value = item.value().map_or_else(|| "gone".to_owned(), |value| format!("entry {value}"));
        return format!("{} {value} ({})", item.operation, item.state);
    };
    let last = body["effectivePeriod"]["end"].as_str().unwrap();
    let number = |code: &str| {
        let component = body["component"].as_array().unwrap().iter().find(|it| it["code"]["coding"][0]["code"] == code);
        component.map_or_else(|| "-".to_owned(), |it| it["valueQuantity"]["value"].to_string())
    };
    // A mean is read as a binary number here, and loses its zeros: what leaves is looked at elsewhere.
    format!(
        "{} {}..{}: {} entries, mean {}, {} to {}, {} missing ({})",
        item.operation,
        &start[..10],
        &last[..10],
        number("count"),
        number("average"),
        number("minimum"),
        number("maximum"),
        number("days-missing"),
        item.state
    )
}

pub(super) async fn told(bridge: &TestBridge, member: &Person) -> Vec<String> {
    items(bridge, member).await.iter().map(said).collect()
}

on_both_databases! {
    async fn a_day_is_summarised_at_the_members_midnight_and_no_entry_goes_by_itself(database) {
        let (bridge, member, ehr) = ready(database).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        assert_eq!(send(&bridge, &rated("1", "2026-11-20T08:00:00+01:00", 4)).await, "accepted");
        assert_eq!(send(&bridge, &rated("2", "2026-11-20T12:30:00+01:00", 3)).await, "accepted");
        bridge.until("2026-11-20T22:59:59Z").await;
        assert!(told(&bridge, &member).await.is_empty(), "the day is not over in Berlin");
        bridge.until("2026-11-20T23:00:00Z").await;
        assert_eq!(told(&bridge, &member).await,
            ["create 2026-11-20..2026-11-20: 2 entries, mean 3.5, 3 to 4, 0 missing (ready)"]);
        bridge.until("2026-11-25T12:00:00Z").await;
        assert_eq!(told(&bridge, &member).await.len(), 1, "days without an entry are not spoken of");
        bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!(charted.len(), 1);
        assert_eq!(charted[0]["effectivePeriod"],
            json!({"start": "2026-11-20T00:00:00+01:00", "end": "2026-11-20T23:59:59+01:00"}));
        assert_valid(&charted[0]).await;
    }
}

on_both_databases! {
    async fn a_week_is_summarised_on_monday_with_its_missing_days(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.share(&member, json!({"mood": "weekly-summary"})).await;
        send(&bridge, &rated("1", "2026-11-16T00:00:00+01:00", 5)).await;
        send(&bridge, &rated("2", "2026-11-20T08:00:00+01:00", 1)).await;
        bridge.until("2026-11-22T22:59:59Z").await;
        assert!(told(&bridge, &member).await.is_empty());
        send(&bridge, &rated("3", "2026-11-22T23:59:59+01:00", 3)).await;
        bridge.until("2026-11-22T23:00:00Z").await;
        assert_eq!(told(&bridge, &member).await,
            ["create 2026-11-16..2026-11-22: 3 entries, mean 3.0, 1 to 5, 4 missing (ready)"]);
    }
}

on_both_databases! {
    async fn late_changed_and_deleted_entries_correct_the_summary(database) {
        let (bridge, member, ehr) = ready(database).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", "2026-11-20T08:00:00+01:00", 4)).await;
        bridge.until("2026-11-21T12:00:00Z").await;
        bridge.deliver_in_time().await;
        send(&bridge, &rated("late", "2026-11-20T21:00:00+01:00", 2)).await;
        bridge.chores().await;
        assert_eq!(told(&bridge, &member).await[1..],
            ["correct 2026-11-20..2026-11-20: 2 entries, mean 3.0, 2 to 4, 0 missing (ready)"]);
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await[0]["status"], "corrected");
        assert_eq!(send(&bridge, &correcting(rated("2", "2026-11-20T08:00:00+01:00", 5), "1")).await, "corrected");
        bridge.chores().await;
        assert_eq!(told(&bridge, &member).await[2..],
            ["correct 2026-11-20..2026-11-20: 2 entries, mean 3.5, 2 to 5, 0 missing (ready)"]);
        // It was the day before, says the member: of both days something else is true now.
        send(&bridge, &correcting(rated("3", "2026-11-19T08:00:00+01:00", 5), "1")).await;
        bridge.chores().await;
        let found = told(&bridge, &member).await;
        assert_eq!(found[2..], [
            "correct - (withdrawn)",
            "create 2026-11-19..2026-11-19: 1 entries, mean 5.0, 5 to 5, 0 missing (ready)",
            "correct 2026-11-20..2026-11-20: 1 entries, mean 2.0, 2 to 2, 0 missing (ready)",
        ]);
        bridge.deliver_in_time().await;
        assert_eq!(send(&bridge, &retraction("4", "sparrow", "late")).await, "retracted");
        bridge.chores().await;
        assert_eq!(told(&bridge, &member).await.last().unwrap(), "retract gone (ready)");
        bridge.deliver_in_time().await;
        let mut statuses: Vec<String> =
            ehr.observations().await.iter().map(|it| it["status"].as_str().unwrap().to_owned()).collect();
        statuses.sort();
        assert_eq!(statuses, ["entered-in-error", "final"]);
        send(&bridge, &rated("later", "2026-11-20T21:00:00+01:00", 3)).await;
        bridge.chores().await;
        assert_eq!(told(&bridge, &member).await.last().unwrap(),
            "correct 2026-11-20..2026-11-20: 1 entries, mean 3.0, 3 to 3, 0 missing (ready)");
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 2, "it is the same resource again");
    }
}

on_both_databases! {
    async fn what_says_nothing_new_is_told_once(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", "2026-11-19T08:00:00+01:00", 4)).await;
        for _ in 0..3 {
            bridge.chores().await;
            assert_eq!(send(&bridge, &rated("1", "2026-11-19T08:00:00+01:00", 4)).await, "duplicate");
            bridge.clock.advance(SignedDuration::from_hours(1));
        }
        assert_eq!(told(&bridge, &member).await.len(), 1);
    }
}

on_both_databases! {
    async fn replicas_that_do_the_same_at_once_make_one_summary(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let other = bridge.beside(SignedDuration::ZERO).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        for day in 10..20 {
            send(&bridge, &rated(&day.to_string(), &format!("2026-11-{day}T08:00:00+01:00"), 4)).await;
        }
        futures_util::future::join4(bridge.chores(), other.chores(), bridge.chores(), other.chores()).await;
        assert_eq!(told(&bridge, &member).await.len(), 10);
        let late: Vec<Value> =
            (10..20).map(|day| rated(&format!("late-{day}"), &format!("2026-11-{day}T09:00:00+01:00"), 2)).collect();
        bridge.send(&json!(late)).await;
        futures_util::future::join4(bridge.chores(), other.chores(), bridge.chores(), other.chores()).await;
        let found = told(&bridge, &member).await;
        assert_eq!(found.iter().filter(|it| it.ends_with("(ready)")).count(), 10, "{found:?}");
    }
}

on_both_databases! {
    async fn nothing_is_made_during_a_pause_and_what_was_due_is_when_it_ends(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", "2026-11-20T08:00:00+01:00", 4)).await;
        bridge.change_grant(&member, &grant, "pause").await;
        assert_eq!(send(&bridge, &rated("2", "2026-11-20T09:00:00+01:00", 2)).await, "refused");
        bridge.until("2026-11-21T12:00:00Z").await;
        assert!(told(&bridge, &member).await.is_empty());
        bridge.change_grant(&member, &grant, "resume").await;
        bridge.chores().await;
        assert_eq!(told(&bridge, &member).await,
            ["create 2026-11-20..2026-11-20: 1 entries, mean 4.0, 4 to 4, 0 missing (ready)"]);
    }
}

on_both_databases! {
    async fn a_revocation_drops_what_was_to_be_summarised_and_what_was(database) {
        let (bridge, member, ehr) = ready(database).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", "2026-11-19T08:00:00+01:00", 4)).await;
        send(&bridge, &rated("2", "2026-11-20T08:00:00+01:00", 2)).await;
        bridge.chores().await;
        assert_eq!(bridge.count(DeliveryState::Ready).await, 1);
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.until("2026-11-21T12:00:00Z").await;
        bridge.deliver_in_time().await;
        assert!(ehr.observations().await.is_empty());
        assert!(bridge.readings(&member).await.is_empty());
        // Consent given anew begins anew: nothing of what was taken back comes back.
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        bridge.until("2026-11-22T12:00:00Z").await;
        assert_eq!(bridge.open_items().await, 0);
    }
}

on_both_databases! {
    async fn what_was_told_before_a_revocation_is_not_corrected_with_what_little_is_left(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", "2026-11-19T08:00:00+01:00", 4)).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.chores().await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("late", "2026-11-19T09:00:00+01:00", 1)).await;
        bridge.chores().await;
        assert_eq!(told(&bridge, &member).await, ["create - (confirmed)"]);
    }
}

on_both_databases! {
    async fn single_entries_that_were_not_sent_yet_are_summarised_when_only_summaries_may_be(database) {
        let (bridge, member, ehr) = ready(database).await;
        let grant = bridge.share(&member, json!({"mood": "every-entry", "note": "every-entry"})).await;
        send(&bridge, &rated("1", "2026-11-19T08:00:00+01:00", 4)).await;
        send(&bridge, &at(note("2", "sparrow", "dear diary"), "2026-11-19T08:00:00+01:00")).await;
        bridge.change_terms(&member, &grant, json!({"categories": {"mood": "daily-summary", "note": "daily-summary"}})).await;
        bridge.deliver_in_time().await;
        assert!(ehr.observations().await.is_empty(), "neither of them goes by itself");
        bridge.chores().await;
        assert_eq!(told(&bridge, &member).await[2..],
            ["create 2026-11-19..2026-11-19: 1 entries, mean 4.0, 4 to 4, 0 missing (ready)"]);
        let refused = bridge.send(&note("3", "sparrow", "dear diary")).await;
        assert!(refused.json["refusal"]["expected"].as_str().unwrap().contains("summary-only"), "{:?}", refused.json);
    }
}

on_both_databases! {
    async fn a_single_entry_that_is_changed_when_only_summaries_may_be_told_is_taken_back(database) {
        let (bridge, member, ehr) = ready(database).await;
        let grant = bridge.share(&member, json!({"mood": "every-entry"})).await;
        send(&bridge, &rated("1", "2026-11-19T08:00:00+01:00", 4)).await;
        bridge.deliver_in_time().await;
        bridge.change_terms(&member, &grant, json!({"categories": {"mood": "weekly-summary"}})).await;
        assert_eq!(send(&bridge, &rated("1", "2026-11-19T08:00:00+01:00", 4)).await, "duplicate");
        bridge.chores().await;
        assert_eq!(bridge.open_items().await, 0, "it was told, and stays so");
        assert_eq!(send(&bridge, &correcting(rated("2", "2026-11-19T08:00:00+01:00", 2), "1")).await, "corrected");
        bridge.until("2026-11-23T12:00:00Z").await;
        assert_eq!(told(&bridge, &member).await[1..], [
            "retract gone (ready)",
            "create 2026-11-16..2026-11-22: 1 entries, mean 2.0, 2 to 2, 6 missing (ready)",
        ]);
        bridge.deliver_in_time().await;
        let gone = ehr.observations().await.iter().filter(|it| it["status"] == "entered-in-error").count();
        assert_eq!(gone, 1);
    }
}

on_both_databases! {
    async fn a_finer_summary_is_taken_back_when_it_is_no_longer_right_and_only_weeks_may_be_told(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", "2026-11-16T08:00:00+01:00", 4)).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        bridge.change_terms(&member, &grant, json!({"categories": {"mood": "weekly-summary"}})).await;
        bridge.chores().await;
        assert_eq!(bridge.open_items().await, 0, "it was told, and stays so");
        send(&bridge, &rated("late", "2026-11-16T09:00:00+01:00", 2)).await;
        bridge.chores().await;
        bridge.until("2026-11-23T12:00:00Z").await;
        assert_eq!(told(&bridge, &member).await[1..], [
            "retract gone (ready)",
            "create 2026-11-16..2026-11-22: 2 entries, mean 3.0, 2 to 4, 6 missing (ready)",
        ]);
    }
}

on_both_databases! {
    async fn what_came_under_summaries_is_told_in_one_also_when_every_entry_is_shared_again(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let grant = bridge.share(&member, json!({"mood": "weekly-summary"})).await;
        send(&bridge, &rated("1", "2026-11-20T08:00:00+01:00", 4)).await;
        bridge.change_terms(&member, &grant, json!({"categories": {"mood": "every-entry"}})).await;
        send(&bridge, &rated("2", "2026-11-20T09:00:00+01:00", 2)).await;
        bridge.until("2026-11-23T12:00:00Z").await;
        // A summary speaks of all that is known of its days: a mean of half of them would be wrong.
        assert_eq!(told(&bridge, &member).await, [
            "create entry 2 (ready)",
            "create 2026-11-16..2026-11-22: 2 entries, mean 3.0, 2 to 4, 6 missing (ready)",
        ]);
    }
}

on_both_databases! {
    async fn whoever_moves_has_days_by_the_new_clock_from_then_on(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        send(&bridge, &rated("1", "2026-11-20T09:00:00+01:00", 4)).await;
        bridge.move_to(&member, "America/New_York").await;
        bridge.until("2026-11-20T23:00:00Z").await;
        assert!(told(&bridge, &member).await.is_empty(), "the day that began in Berlin is not over in New York");
        send(&bridge, &rated("2", "2026-11-20T23:00:00Z", 2)).await;
        bridge.until("2026-11-21T05:00:00Z").await;
        assert_eq!(told(&bridge, &member).await,
            ["create 2026-11-20..2026-11-20: 2 entries, mean 3.0, 2 to 4, 0 missing (ready)"]);
        // A day that was lived in Berlin stays one of Berlin: an hour before midnight there it is the 18th.
        send(&bridge, &rated("late", "2026-11-18T23:00:00+01:00", 5)).await;
        bridge.chores().await;
        let item = items(&bridge, &member).await.pop().unwrap();
        assert_eq!(item.body.unwrap()["effectivePeriod"]["start"], "2026-11-18T00:00:00+01:00");
    }
}

on_both_databases! {
    async fn different_scales_are_never_put_together_and_tags_are_counted(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.share(&member, json!({"mood": "daily-summary", "tags": "daily-summary"})).await;
        let mut tenth = rated("2", "2026-11-19T09:00:00+01:00", 7);
        tenth["data"]["rating"]["best"] = json!(10);
        let mut tags = rated("3", "2026-11-19T09:00:00+01:00", 1);
        tags["type"] = json!("mostik.tags.v1");
        tags["data"] = json!({"tags": ["walk", "tea"]});
        bridge.send(&json!([rated("1", "2026-11-19T08:00:00+01:00", 4), tenth, tags])).await;
        bridge.chores().await;
        let found = items(&bridge, &member).await;
        assert_eq!(found.len(), 3);
        let texts: Vec<String> = found.iter().map(|item| item.body.as_ref().unwrap().to_string()).collect();
        assert_eq!(texts.iter().filter(|text| text.contains("\"text\":\"walk\"")).count(), 1);
        assert!(texts.iter().all(|text| !text.contains("mood-word")));
    }
}

on_both_databases! {
    async fn only_what_the_consent_covers_is_spoken_of(database) {
        let (bridge, member, _ehr) = ready(database).await;
        let terms = json!({"categories": {"mood": "weekly-summary"}, "data_from": "2026-11-18T08:30:00Z"});
        bridge.share_by(&member, terms).await;
        assert_eq!(send(&bridge, &rated("0", "2026-11-17T08:00:00Z", 1)).await, "refused");
        send(&bridge, &rated("1", "2026-11-19T08:00:00Z", 4)).await;
        bridge.until("2026-11-23T12:00:00Z").await;
        assert_eq!(told(&bridge, &member).await,
            ["create 2026-11-18..2026-11-22: 1 entries, mean 4.0, 4 to 4, 4 missing (ready)"]);
    }
}

on_both_databases! {
    async fn what_is_too_old_to_be_summarised_is_refused(database) {
        let (bridge, member, _ehr) = ready(database).await;
        bridge.share(&member, json!({"mood": "weekly-summary"})).await;
        let refused = bridge.send(&rated("1", "2025-10-15T08:00:00Z", 4)).await;
        assert!(refused.json["refusal"]["expected"].as_str().unwrap().contains("too-old-for-a-summary"), "{:?}", refused.json);
        assert_eq!(send(&bridge, &rated("2", "2025-10-21T08:00:00Z", 4)).await, "accepted");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fhir_server_nobody_here_wrote_takes_them_and_gives_back_what_was_meant() {
    let Some(ehr) = Ehr::sekmet().await else { return };
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.share(&member, json!({"mood": "daily-summary", "tags": "weekly-summary"})).await;
    let mut tags = rated("t", "2026-11-12T09:00:00Z", 1);
    tags["type"] = json!("mostik.tags.v1");
    tags["data"] = json!({"tags": ["walk", "tea"]});
    bridge.send(&json!([rated("1", "2026-11-19T08:00:00Z", 4), rated("2", "2026-11-19T09:00:00Z", 5), tags])).await;
    bridge.chores().await;
    bridge.deliver_in_time().await;
    send(&bridge, &correcting(rated("3", "2026-11-19T09:00:00Z", 1), "2")).await;
    bridge.chores().await;
    bridge.deliver_in_time().await;
    let charted = ehr.observations().await;
    assert_eq!(charted.len(), 2);
    for observation in &charted {
        assert_valid(observation).await;
    }
    let day = charted.iter().find(|it| it["code"]["coding"][0]["code"] == "mood-rating-summary").unwrap();
    let end: jiff::Timestamp = day["effectivePeriod"]["end"].as_str().unwrap().parse().unwrap();
    assert_eq!((&day["status"], end), (&json!("corrected"), "2026-11-19T23:59:59Z".parse().unwrap()));
    let mean =
        day["component"].as_array().unwrap().iter().find(|it| it["code"]["coding"][0]["code"] == "average").unwrap();
    assert_eq!(mean["valueQuantity"]["value"], json!(2.5));
}
