//! `mostik demo`: the whole way, told in plain words: of a diary that comes with mostik, or of one of three communities.

mod args;
mod house;
mod people;
mod platform;
mod stories;
mod story;
mod talk;

pub use args::Demo;

use self::args::Story;
use crate::telemetry::logs::{self, LogFormat};

/// Tells the story. Everything it needs is made in a fresh folder and taken away again.
pub async fn demo(asked: Demo) -> anyhow::Result<()> {
    logs::init("warn", LogFormat::Plain)?;
    let folder = tempfile::Builder::new().prefix("mostik-demo-").tempdir()?;
    let platform = platform::Platform::open()?;
    let settings = platform.settings(asked.story, folder.path())?;
    let house = house::House::build(folder.path(), asked.ehr, &settings).await?;
    let patient = match asked.story {
        Story::Diary => story::tell(&house).await.map(|()| house.patient.clone())?,
        Story::App => stories::app(&house).await?,
        Story::Forum => stories::forum(&house, &platform).await?,
        Story::Group => stories::group(&house).await?,
    };
    house.show_around(folder.path(), &patient);
    if asked.keep {
        println!("\nEverything keeps running until Ctrl-C.");
        tokio::signal::ctrl_c().await?;
    }
    house.stop().await
}
