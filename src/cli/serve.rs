//! `mostik serve`

use tokio::signal::unix::{SignalKind, signal};

use super::open;
use crate::app;
use crate::config::Config;
use crate::telemetry::logs;

/// Runs the bridge until SIGTERM or Ctrl-C.
pub async fn serve(config: &Config) -> anyhow::Result<()> {
    logs::init(&config.log.filter, config.log.format)?;
    let bridge = open(config).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    // Scripts wait for this line; with port 0 it tells which port was free.
    app::serve(config, bridge, |address| println!("mostik listens on http://{address}"), stop).await?;
    Ok(())
}
