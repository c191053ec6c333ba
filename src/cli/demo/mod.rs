//! `mostik demo`: the whole way on a diary that comes with mostik, told in plain words.

mod house;
mod story;
mod talk;

use super::args::Demo;
use crate::telemetry::logs::{self, LogFormat};

/// Tells the story. Everything it needs is made in a fresh folder and taken away again.
pub async fn demo(asked: Demo) -> anyhow::Result<()> {
    logs::init("warn", LogFormat::Plain)?;
    let folder = tempfile::Builder::new().prefix("mostik-demo-").tempdir()?;
    let house = house::House::build(folder.path(), asked.ehr).await?;
    story::tell(&house).await?;
    house.show_around(folder.path());
    if asked.keep {
        println!("\nEverything keeps running until Ctrl-C.");
        tokio::signal::ctrl_c().await?;
    }
    house.stop().await
}
