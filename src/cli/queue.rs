//! `mostik queue` and `mostik replay`

use std::fmt::Write;
use std::time::Duration;

use anyhow::ensure;
use jiff::{SignedDuration, Timestamp};

use super::args;
use super::open;
use crate::config::Config;
use crate::pipeline::Bridge;
use crate::store::{QueueRow, Replay};

const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Shows the outbox.
pub async fn queue(config: &Config, asked: args::Queue) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    loop {
        let text = summary(&bridge).await?;
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
    let replayed = tx.replay(&which, bridge.clock.now()).await?;
    tx.commit().await?;
    ensure!(replayed > 0, "nothing like that waits for a human; see `mostik queue`");
    println!("{replayed} item(s) are tried again. Consent is decided anew for each.");
    Ok(())
}

async fn summary(bridge: &Bridge) -> anyhow::Result<String> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.read().await?;
    let rows = tx.queue().await?;
    let minute_ago = now.checked_sub(SignedDuration::from_mins(1)).unwrap_or(now);
    let confirmed = tx.confirmed_since(minute_ago).await?;
    if rows.is_empty() {
        return Ok("Nothing was ever put into the outbox.\n".to_owned());
    }
    let mut text = format!("{:<20} {:<10} {:>8} {:>10}  why\n", "clinic", "state", "items", "oldest");
    for QueueRow { clinic, state, reason, count, oldest } in rows {
        let (state, reason) = (state.as_str(), reason.unwrap_or_default());
        writeln!(text, "{:<20} {state:<10} {count:>8} {:>10}  {reason}", clinic.as_str(), age(oldest, now))?;
    }
    writeln!(text, "{confirmed} confirmed in the last minute")?;
    Ok(text)
}

/// `3 d`, `5 h`, `12 min`, `4 s`
fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}
