//! `mostik queue` and `mostik replay`

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use jiff::{SignedDuration, Timestamp};

use super::args;
use super::audit::{note, operator};
use super::open;
use crate::config::Config;
use crate::delivery::ANSWER_COLUMN;
use crate::domain::audit::{Chain, Event, OperatorAccess};
use crate::domain::ids::DeliveryId;
use crate::pipeline::Bridge;
use crate::store::{ClinicRow, LookCount, QueueRow, Refused, Replay, StuckItem, Tx};

const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The most items that are listed.
const MOST_ITEMS: i64 = 1000;

/// Shows the outbox.
pub async fn queue(config: &Config, asked: args::Queue) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    if let Some(id) = asked.answer {
        print!("{}", answer(&bridge, id).await?);
        return Ok(());
    }
    if asked.items {
        print!("{}", items(&bridge).await?);
        return Ok(());
    }
    loop {
        let text = summary(config, &bridge).await?;
        if !asked.watch {
            print!("{text}");
            return Ok(());
        }
        // Clears the screen and goes to its top (ECMA-48), so that the figures change in place.
        print!("\x1b[2J\x1b[H{text}");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Tries again what waits for a human.
pub async fn replay(config: &Config, asked: args::Replay) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let which = match (&asked.clinic, asked.delivery) {
        (Some(clinic), _) => Replay::Clinic(clinic, asked.reason.as_deref()),
        (None, Some(delivery)) => Replay::Delivery(delivery),
        (None, None) => anyhow::bail!("expected --clinic or --delivery"),
    };
    let mut tx = bridge.store.begin().await?;
    let now = bridge.clock.now();
    let replayed = tx.replay(&which, now).await?;
    let (clinic, delivery) = (asked.clinic.clone(), asked.delivery);
    let access = OperatorAccess { clinic, delivery, count: Some(replayed), ..operator("replay") };
    tx.record(Chain::HOUSE, now, Event::OperatorAccess(access));
    tx.commit().await?;
    ensure!(replayed > 0, "nothing like that waits for a human; see `mostik queue`");
    println!("{replayed} item(s) are tried again. Consent is decided anew for each.");
    Ok(())
}

/// What stands where and why, and how the clinics' EHRs are.
async fn summary(config: &Config, bridge: &Bridge) -> anyhow::Result<String> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.read().await?;
    let (rows, clinics) = (tx.queue().await?, tx.clinics().await?);
    let minute_ago = now.checked_sub(SignedDuration::from_mins(1)).unwrap_or(now);
    let confirmed = tx.confirmed_since(minute_ago).await?;
    let back = way_back(&mut tx, now).await?;
    if rows.is_empty() {
        return Ok(format!("Nothing was ever put into the outbox.\n{back}"));
    }
    let mut text = format!("{:<20} {:<10} {:>8} {:>10}  why\n", "clinic", "state", "items", "oldest");
    for QueueRow { clinic, state, reason, count, oldest } in &rows {
        let (state, reason) = (state.as_str(), reason.as_deref().unwrap_or_default());
        writeln!(text, "{:<20} {state:<10} {count:>8} {:>10}  {reason}", clinic.as_str(), age(*oldest, now))?;
    }
    for ClinicRow { clinic, rung, trouble } in clinics {
        if let Some(rung) = rung {
            writeln!(text, "{clinic} takes data as: {}", rung.as_str())?;
        }
        if let Some((reason, until)) = trouble {
            let left = until.duration_since(now);
            if left.is_positive() {
                writeln!(text, "{clinic} is left in peace for {} more ({reason})", span(left.as_secs()))?;
            } else {
                writeln!(text, "{clinic} is asked again how it is, after {reason}")?;
            }
        }
    }
    for clinic in rows.iter().map(|row| &row.clinic).collect::<BTreeSet<_>>() {
        if !config.clinics.contains_key(clinic) {
            writeln!(text, "{clinic} is not configured: nothing is sent there")?;
        }
    }
    writeln!(text, "{confirmed} confirmed in the last minute")?;
    Ok(text + &back)
}

/// How it goes with looking for what clinics have for members.
async fn way_back(tx: &mut Tx, now: Timestamp) -> anyhow::Result<String> {
    let mut text = String::new();
    for LookCount { clinic, reason, members, looked_at } in tx.count_looks().await? {
        let last = looked_at.map_or_else(|| "never yet".to_owned(), |at| format!("last {} ago", age(at, now)));
        let why = reason.map(|reason| format!("; fails: {reason}")).unwrap_or_default();
        writeln!(text, "{clinic} is looked at for news for {members} member(s), {last}{why}")?;
    }
    for (clinic, state, reason, count) in tx.count_subscriptions().await? {
        let why = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        writeln!(text, "{clinic} has {count} Subscription(s) {}{why}", state.as_str())?;
    }
    Ok(text)
}

/// The items that do not go on by themselves.
async fn items(bridge: &Bridge) -> anyhow::Result<String> {
    let now = bridge.clock.now();
    let stuck = bridge.store.read().await?.stuck_items(MOST_ITEMS).await?;
    let mut text = String::new();
    for StuckItem { id, clinic, state, reason, since, answered } in stuck {
        let (state, reason) = (state.as_str(), reason.unwrap_or_default());
        let more = if answered { "  (--answer says more)" } else { "" };
        writeln!(text, "{id}  {:<20} {state:<10} {:>8}  {reason}{more}", clinic.as_str(), age(since, now))?;
    }
    Ok(if text.is_empty() { "Nothing waits for a human.\n".to_owned() } else { text })
}

/// What the EHR said when it refused an item.
async fn answer(bridge: &Bridge, id: DeliveryId) -> anyhow::Result<String> {
    let mut tx = bridge.store.read().await?;
    let Some(Refused { clinic, member, sealed_key, sealed_answer }) = tx.refusal(id).await? else {
        bail!("there is no item {id}; see `mostik queue --items`")
    };
    let Some(sealed) = sealed_answer else { bail!("the EHR said nothing about this item, or it has gone on since") };
    let access = OperatorAccess { delivery: Some(id), ..operator("queue --answer") };
    note(bridge, Chain::of_member(member), access).await?;
    let wrapped = tx.member_key(member).await?.context("the member's key was destroyed: nothing of theirs opens")?;
    let key = bridge.keyring.unwrap_member_key(member, &wrapped)?.content_key(&clinic, sealed_key.as_deref())?;
    let answer: serde_json::Value = serde_json::from_slice(&key.open(ANSWER_COLUMN, id.0.as_bytes(), &sealed)?)?;
    Ok(format!("{answer:#}\n"))
}

/// `3 d`, `5 h`, `12 min`, `4 s`
fn age(since: Timestamp, now: Timestamp) -> String {
    span(now.duration_since(since).as_secs().max(0))
}

fn span(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}
