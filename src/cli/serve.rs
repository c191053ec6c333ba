//! `mostik serve`

use anyhow::bail;
use tokio::signal::unix::{SignalKind, signal};

use super::open;
use crate::app;
use crate::config::Config;
use crate::telemetry::logs;

/// Runs the bridge until SIGTERM or Ctrl-C.
pub async fn serve(config: &Config) -> anyhow::Result<()> {
    // Nothing is sent to such a clinic without a token, and the workers do not ask for members' tokens yet.
    if let Some((id, _)) = config.clinics.iter().find(|(_, clinic)| clinic.launch.is_some()) {
        bail!("clinics.{id}.auth.method: this version cannot send with what members lend (\"patient\") yet");
    }
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
