//! The story: consent for mood only, a diary, what arrived and what did not, and consent taken back.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::Duration;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use reqwest::Method;
use serde_json::{Value, json};

use super::house::{HANDLE, House, PATIENT_NAME};
use crate::domain::category::Category;
use crate::domain::day::Days;
use crate::import::{self, Diary, Report};
use crate::inbound::mood::daylio::MoodScale;

const DIARY: &[u8] = include_bytes!("../../../tests/fixtures/daylio/demo_8col.csv");
const MOODS: &str = include_str!("../../../tests/fixtures/daylio/demo_moods.toml");
const JSON: &str = "application/json";

/// Tells it.
pub async fn tell(house: &House) -> anyhow::Result<()> {
    println!("mostik: a footbridge between a peer community and the clinic\n");
    println!("1. A member of the forum, known there as \"{HANDLE}\", is a patient at Riverside clinic.");
    println!(
        "   The clinic has confirmed it. It never learns the name \"{HANDLE}\"; the forum never learns \"{PATIENT_NAME}\"."
    );
    println!("\n2. The member lets the clinic see their mood ratings, and nothing else.");
    let grant = grant(house).await?;
    println!("\n3. They import the mood diary from their phone.");
    let report = import(house).await?;
    print_report(&report);
    println!("\n4. The bridge delivers what may go.");
    let expected = report.accepted.values().sum();
    deliver(house, expected).await?;
    let charted = charted(house).await?;
    ensure!(charted.len() as u64 == expected, "{} observations arrived, {expected} were expected", charted.len());
    println!("   {} mood ratings are in the EHR, each exactly once. The latest:", charted.len());
    charted.iter().rev().take(5).for_each(print_observation);
    if let Some(status) = standing(house).await? {
        println!("   The EHR also has the consent itself, as Consent: {status}.");
    }
    println!("   Not one note and not one tag is there: nobody may see them, so the bridge did not even keep them.");
    println!("\n5. The member takes their consent back. Then the app sends one more mood.");
    revoke(house, &grant).await?;
    let refusal = send_mood(house).await?;
    println!("   The bridge refuses it: {refusal}");
    let after = self::charted(house).await?.len();
    ensure!(after == charted.len(), "the EHR has {after} observations, expected {}", charted.len());
    println!("   The EHR still has {after} mood ratings, and nothing newer.");
    deliver(house, 0).await?;
    if let Some(status) = standing(house).await? {
        println!("   And it was told how the consent stands now: {status}.");
    }
    Ok(())
}

async fn grant(house: &House) -> anyhow::Result<String> {
    let asked = json!({"clinic": "riverside", "terms": {"categories": {"mood": "every-entry"}}});
    let url = house.api("/v1/grants")?;
    let grant = house.caller.ask(Method::POST, url, Some(&house.token), Some((JSON, &asked))).await?;
    let text = |name| grant.get(name).and_then(Value::as_str).unwrap_or_default();
    let until = text("valid_until").split('T').next().unwrap_or_default();
    println!("   Consent, version 1: mood, every entry, for treatment, until {until} unless taken back before.");
    Ok(text("id").to_owned())
}

async fn import(house: &House) -> anyhow::Result<Report> {
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").context("the time zone database")?);
    let diary = Diary::new(house.member, days, MoodScale::from_toml(MOODS)?);
    Ok(import::file(&house.bridge, &diary, Cursor::new(DIARY)).await?)
}

fn print_report(report: &Report) {
    println!("   {} diary entries read.", report.lines);
    let count = |counts: &BTreeMap<Category, u64>, category| counts.get(&category).copied().unwrap_or(0);
    for (category, words) in
        [(Category::Mood, "mood ratings"), (Category::Note, "notes"), (Category::Tags, "lists of tags")]
    {
        let (accepted, withheld) = (count(&report.accepted, category), count(&report.withheld, category));
        if accepted > 0 {
            println!("   ✓ {accepted:>3} {words}: shared with Riverside clinic");
        }
        if withheld > 0 {
            println!("   ✗ {withheld:>3} {words}: withheld, no consent for \"{}\"", category.as_str());
        }
    }
}

pub(super) async fn deliver(house: &House, total: u64) -> anyhow::Result<()> {
    let style = ProgressStyle::with_template("   {bar:30} {pos}/{len} confirmed by the EHR")?;
    let bar = ProgressBar::new(total).with_style(style);
    // The delivery goes on by itself; this only looks, and gives up when nothing moves any more.
    let mut idle = 0;
    loop {
        let counts = house.bridge.store.read().await?.count_deliveries(None).await?;
        let open = counts.iter().filter(|(state, _)| state.is_open()).map(|(_, count)| count.unsigned_abs()).sum();
        if open == 0 {
            break;
        }
        let done = total.saturating_sub(open);
        idle = if done == bar.position() { idle + 1 } else { 0 };
        ensure!(idle < 500, "the EHR took nothing for ten seconds; {counts:?}");
        bar.set_position(done);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bar.finish_and_clear();
    Ok(())
}

/// What the EHR says of the consent itself, where it takes one: `active` or `inactive`.
async fn standing(house: &House) -> anyhow::Result<Option<String>> {
    let url = house.ehr(&format!("Consent?patient={}", house.patient))?;
    let (_, bundle) = house.caller.call(Method::GET, url, None, None).await?;
    Ok(bundle.pointer("/entry/0/resource/status").and_then(Value::as_str).map(str::to_owned))
}

/// Everything the EHR knows about the patient's mood, oldest first.
async fn charted(house: &House) -> anyhow::Result<Vec<Value>> {
    let mut found = house.ehr_has(&house.patient).await?;
    found.sort_by_key(|resource| resource.get("effectiveDateTime").and_then(Value::as_str).map(str::to_owned));
    Ok(found)
}

fn print_observation(observation: &Value) {
    let text = |pointer| observation.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let when = text("/effectiveDateTime");
    let day = when.get(..16).unwrap_or(when).replace('T', " ");
    let value = observation.pointer("/valueQuantity/value").unwrap_or(&Value::Null);
    let word = text("/component/2/valueString");
    println!("     {day}   {value} of 5   \"{word}\"");
}

async fn revoke(house: &House, grant: &str) -> anyhow::Result<()> {
    let url = house.api(&format!("/v1/grants/{grant}/revoke"))?;
    house.caller.ask(Method::POST, url, Some(&house.token), None).await?;
    Ok(())
}

/// Sends a mood as an app does, and returns why it was refused.
async fn send_mood(house: &House) -> anyhow::Result<String> {
    let event = json!({
        "specversion": "1.0", "id": "after-revocation", "source": "/demo-app", "type": "mostik.mood.v1",
        "time": house.bridge.clock.now().to_string(), "subject": HANDLE,
        "data": {"rating": {"value": 4, "worst": 1, "best": 5}, "label": "good"},
    });
    let url = house.api("/v1/events")?;
    let body = Some(("application/cloudevents+json", &event));
    let (status, answer) = house.caller.call(Method::POST, url, Some(&house.api_key), body).await?;
    ensure!(status == 422, "the bridge answered {status}, expected 422");
    let expected = answer.pointer("/refusal/expected").and_then(Value::as_str).unwrap_or_default();
    Ok(format!("it lacks {expected}."))
}
