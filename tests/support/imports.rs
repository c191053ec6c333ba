//! A member who brings files of their own in the portal.

use mostik::domain::settings::Change;

use super::bridge::Person;
use super::database::Database;
use super::ehr::Ehr;
use super::html::Element;
use super::portal::{Browser, Page, Part, Portal, portal_config};
use super::postbox::Postbox;

/// Where files are brought.
pub const PATH: &str = "/data/import";

/// Sparrow, who keeps what they bring, in Berlin.
pub async fn keeper(database: Database) -> (Portal, Person, Browser) {
    keeper_under(database, "").await
}

/// The same where this stands under `[imports]` in the configuration.
pub async fn keeper_under(database: Database, imports: &str) -> (Portal, Person, Browser) {
    let ehr = Ehr::sandbox().await;
    let postbox = Postbox::open();
    let text = portal_config(&database, &ehr.base, &postbox).replace("[imports]\n", &format!("[imports]\n{imports}"));
    let portal = Portal::open_with(database, &text, postbox).await;
    let person = portal.bridge.person("sparrow", &ehr.patient).await;
    portal.bridge.set(&person, Change { keep: Some(true), ..Change::default() }).await;
    portal.bridge.move_to(&person, "Europe/Berlin").await;
    let browser = portal.sign_in(&person).await;
    (portal, person, browser)
}

/// Chooses a file and presses a button.
pub async fn bring(browser: &mut Browser, file: &[u8], button: &str) -> Page {
    bring_all(browser, &[Part::file("export.csv", file)], button).await
}

/// The same with several, in the order in which they stand here.
pub async fn bring_all(browser: &mut Browser, files: &[Part<'_>], button: &str) -> Page {
    assert_eq!(browser.get(PATH).await.status, 200);
    let csrf = browser.csrf.clone();
    browser.upload(PATH, &[&[Part::text("csrf", &csrf)], files, &[Part::text("do", button)]].concat()).await
}

/// What the page says came of it, line by line.
pub fn told(page: &Element) -> Vec<String> {
    page.by_id("told");
    let told = page.all(&|element| element.get("aria-labelledby") == "told")[0];
    told.all(&|element| element.name == "div" || element.name == "li").iter().map(|line| line.text()).collect()
}
