//! The stories of the three kinds of community: somebody joins by talking with the bridge, shares, and stops with one word.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::house::House;
use super::people::{Person, Way};
use super::platform::Platform;
use super::story::deliver;

/// An app with a companion. Returns the Patient of whom it tells, as the others do.
pub async fn app(house: &House) -> anyhow::Result<String> {
    println!("mostik: an app with a companion, and a clinic\n");
    let mut wren = Person::new(house, Way::App(Person::app_key(house).await?));
    joins(&mut wren, "in their app").await?;
    let patient =
        shares(&wren, &json!({"mood": "every-entry", "questionnaires": "every-entry"}), "mood and questionnaires")
            .await?;
    println!("\n3. They check in, and answer two questions.");
    for said in ["check in", "good", "phq 2", "1", "0", "done"] {
        wren.says(said).await?;
    }
    ends(house, &mut wren, &patient).await?;
    Ok(patient)
}

/// A moderated anonymous forum.
pub async fn forum(house: &House, platform: &Platform) -> anyhow::Result<String> {
    println!("mostik: a moderated anonymous forum (Discourse), and a clinic\n");
    let mut wren = Person::new(house, Way::Forum(platform));
    joins(&mut wren, "by private messages of the forum").await?;
    let patient = shares(&wren, &json!({"mood": "every-entry"}), "mood").await?;
    println!("\n3. They check in, and would like to talk with a human.");
    for said in ["mood", "2", "human"] {
        wren.says(said).await?;
    }
    let alarm = told(platform).await?;
    println!("     To the moderators' group, in the forum: {}", alarm.lines().next().unwrap_or_default());
    ends(house, &mut wren, &patient).await?;
    Ok(patient)
}

/// A group on Telegram.
pub async fn group(house: &House) -> anyhow::Result<String> {
    println!("mostik: a group on Telegram, and a clinic\n");
    let mut wren = Person::new(house, Way::Group);
    joins(&mut wren, "with the group's bot, in private").await?;
    let patient = shares(&wren, &json!({"mood": "every-entry"}), "mood").await?;
    println!("\n3. They check in. A small mistake does not matter.");
    for said in ["chek in", "5"] {
        wren.says(said).await?;
    }
    ends(house, &mut wren, &patient).await?;
    Ok(patient)
}

async fn joins(wren: &mut Person<'_>, how: &str) -> anyhow::Result<()> {
    println!("1. Somebody joins {how}: two messages, no name, no address.");
    wren.says("hello").await?;
    let welcome = wren.says("yes").await?;
    ensure!(welcome.starts_with("Welcome"), "they did not join: {welcome}");
    Ok(())
}

async fn shares(wren: &Person<'_>, categories: &Value, what: &str) -> anyhow::Result<String> {
    println!(
        "\n2. Riverside clinic confirms who they are. In the portal they decide that it sees: {what}, and nothing else."
    );
    wren.shares(categories).await
}

/// What the moderators are told: it takes a moment, as the bridge tells them when the talk is over.
async fn told(platform: &Platform) -> anyhow::Result<String> {
    for _ in 0..200 {
        let said = platform.said();
        let alarm = said.iter().find(|it| it.get("target_recipients").is_some_and(|to| to == "moderators"));
        if let Some(text) = alarm.and_then(|it| it.get("raw")).and_then(Value::as_str) {
            return Ok(text.to_owned());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None.context("the moderators were not told")
}

async fn ends(house: &House, wren: &mut Person<'_>, patient: &str) -> anyhow::Result<()> {
    println!("\n4. The bridge delivers what may go.");
    deliver(house, 0).await?;
    let arrived = house.ehr_has(patient).await?.len();
    ensure!(arrived > 0, "nothing arrived");
    println!("   Observations in the EHR: {arrived}.");
    println!("\n5. One message ends it. What they say afterwards goes nowhere.");
    for said in ["stop everything", "mood", "1"] {
        wren.says(said).await?;
    }
    deliver(house, 0).await?;
    let after = house.ehr_has(patient).await?.len();
    ensure!(after == arrived, "the EHR has {after} Observations, expected {arrived}");
    println!("   Observations in the EHR: still {after}.");
    Ok(())
}
