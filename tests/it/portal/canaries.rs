//! What people carry through the portal (names, accounts, Patients, and the secrets of links, walks, launches and sessions),
//! looked for where nobody may ever find it.

use mostik::enrolment::code::{Order, issue};
use reqwest::Url;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::on_both_databases;
use crate::support::authority::Authority;
use crate::support::bridge::{forum, riverside};
use crate::support::browser::parameter;
use crate::support::database::Database;
use crate::support::linking::patient;
use crate::support::log::Log;
use crate::support::portal::{Browser, PORTAL, Part, Portal};
use crate::support::postbox::Postbox;
use crate::support::provider::{come_back, is_in, leads_on, leave, provider_config, secret_setting};
use crate::support::search::{in_database, times};
use crate::support::smart::present;
use crate::vault::canaries::{CANARY, CONTROL, canary, dump};

const MEMBERS: usize = 12;

/// A portal whose clinic's server and whose community's provider are under the test's control.
async fn open(database: Database) -> (Portal, Authority, Authority) {
    let (postbox, clinic, provider) = (Postbox::open(), Authority::start(), Authority::start());
    let more = format!("handle = \"preferred_username\"\n{}", secret_setting(&database, &canary("client-secret", 0)));
    let text = provider_config(&database, &postbox, &provider.home, "mostik", &more);
    let launch = "[clinics.riverside.launch]\nclient_id = \"mostik\"\nclient_authentication = \"none\"\n";
    let text = format!("{}{launch}", text.replace("http://127.0.0.1:9/fhir", &clinic.base));
    (Portal::open_at(database, &text, postbox, present()).await, clinic, provider)
}

/// What was secret on the way; none of it begins as canaries do.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn of_walk(&mut self, url: &Url, authority: &Authority) {
        self.0.extend(["state", "nonce"].iter().filter_map(|name| parameter(url, name)));
        self.0.extend(authority.last("code_verifier"));
    }

    fn of_browser(&mut self, browser: &Browser) {
        self.0.extend(["__Host-session", "__Host-visit"].iter().filter_map(|name| browser.cookies.get(*name)).cloned());
        self.0.push(browser.csrf.clone());
    }
}

/// Signs in with an account, and leaves another walk unfinished.
async fn with_an_account(portal: &Portal, provider: &Authority, of: usize, secrets: &mut Secrets) -> Browser {
    provider.signs_in(&canary("account", of));
    let now = portal.bridge.now().as_second();
    provider.id_token_says(json!({
        "preferred_username": canary("handle", of), "email": canary("email", of), "name": canary("name", of),
        "iat": now, "exp": now + 300,
    }));
    provider.answer_says(json!({"access_token": canary("access", of), "refresh_token": canary("refresh", of)}));
    let mut browser = portal.browser();
    for error in ["", "&error=access_denied", "&error=canary"] {
        let url = leave(&mut browser).await;
        let back = format!("{}{error}&error_description={}", provider.sign_in(&url), canary("words", of));
        secrets.of_browser(&browser);
        let page = come_back(&mut browser.clone(), &back).await;
        assert_eq!(is_in(&page), error.is_empty(), "{}", page.body);
        secrets.of_walk(&url, provider);
    }
    secrets.of_walk(&leave(&mut browser).await, provider);
    browser
}

/// Signs in by a link, and leaves another unused.
async fn by_link(portal: &Portal, of: usize, secrets: &mut Secrets) -> Browser {
    let mut browser = portal.browser();
    for _ in 0..2 {
        let link = portal.link(&mut browser, &canary("handle", of)).await;
        secrets.0.push(link.rsplit('/').next().unwrap().to_owned());
        browser.get(&link).await;
    }
    let link = portal.postbox.letters().pop().unwrap().link();
    assert!(is_in(&browser.post(link.strip_prefix(PORTAL).unwrap(), &[]).await));
    browser
}

/// Notes something down and brings a file, whose mood has a name of the member's own; all of it is kept.
async fn keeps_a_diary(browser: &mut Browser, of: usize) {
    browser.get("/data/keep").await;
    browser.post("/data/keep", &[("keep", "everything")]).await;
    let form = browser.get("/data/note").await.html();
    let (key, at) = (form.field("key").get("value").to_owned(), form.field("at").get("value").to_owned());
    let (note, tags, mood) = (canary("diary-note", of), canary("diary-tag", of), canary("mood-name", of));
    let fields =
        [("key", key.as_str()), ("at", at.as_str()), ("level", "2"), ("note", note.as_str()), ("tags", tags.as_str())];
    assert!(browser.post("/data/note", &fields).await.status < 400);
    assert_eq!(browser.post("/data/summary", &[("agenda", &canary("agenda", of))]).await.status, 303);
    browser.get("/data/import").await;
    let csrf = browser.csrf.clone();
    let file = format!(
        "full_date,date,weekday,time,mood,activities,note_title,note\n2026-11-01,x,x,20:30,{mood},{},{},\"{}\"\n",
        canary("activity", of),
        canary("title", of),
        canary("file-note", of),
    );
    let name = canary("file-name", of);
    let parts = [
        Part::text("csrf", &csrf),
        Part::text("name-0", &mood),
        Part::text("level-0", "3"),
        Part::file(&name, file.as_bytes()),
        Part::text("do", "take"),
    ];
    assert_eq!(browser.upload("/data/import", &parts).await.status, 200);
}

/// Is linked by a launch or by a code, and begins another launch.
async fn to_the_clinic(portal: &Portal, clinic: &Authority, browser: &mut Browser, of: usize, secrets: &mut Secrets) {
    let id = canary("patient", of);
    clinic.signs_in(&id);
    let now = portal.bridge.now().as_second();
    clinic.id_token_says(json!({"iat": now, "exp": now + 300}));
    clinic.answer_says(json!({"access_token": canary("clinic-access", of)}));
    let launch = async |browser: &mut Browser, secrets: &mut Secrets| {
        browser.get("/clinics/riverside/connect").await;
        let page = browser.post("/clinics/riverside/connect", &[("way", "sign-in")]).await;
        let url = leads_on(&page);
        secrets.of_walk(&url, clinic);
        url
    };
    if of.is_multiple_of(2) {
        let back = clinic.sign_in(&launch(browser, secrets).await);
        assert_eq!(browser.get(&format!("/launch/return?{back}")).await.location(), "/clinics");
    } else {
        let bridge = &portal.bridge;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let validity = jiff::SignedDuration::from_hours(24);
        let order = Order { clinic: &riverside(), patient: &id, validity, replaces: false };
        let issued = issue(&mut tx, &bridge.bridge.keyring, order, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        let code = issued.code.expose_secret().to_owned();
        browser.get("/clinics/riverside/connect").await;
        let told = browser.post("/clinics/riverside/connect", &[("way", "code"), ("code", &code)]).await;
        assert_eq!(told.location(), "/clinics", "{}", told.body);
        secrets.0.push(code);
    }
    launch(browser, secrets).await;
    secrets.of_browser(browser);
}

on_both_databases! {
    async fn what_passes_through_the_portal_is_nowhere_to_be_found(database) {
        let log = Log::listen();
        tracing::info!(CONTROL);
        let (portal, clinic, provider) = open(database).await;
        let mut secrets = Secrets::default();
        for of in 0..MEMBERS {
            let person = portal.bridge.unlinked_person(&canary("handle", of)).await;
            with_an_account(&portal, &provider, of, &mut secrets).await;
            let mut browser = by_link(&portal, of, &mut secrets).await;
            keeps_a_diary(&mut browser, of).await;
            to_the_clinic(&portal, &clinic, &mut browser, of, &mut secrets).await;
            assert_eq!(patient(&portal.bridge, &person).await, Some(canary("patient", of)));
            portal.bridge.clock.advance(jiff::SignedDuration::from_mins(7));
        }
        let bridge = &portal.bridge;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let index = bridge.bridge.keyring.index().index("api-key", &[b"control"]);
        tx.insert_api_key(CONTROL, index, &forum(), "events:write", bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        for table in ["identities", "identity_requests", "sign_in_links", "sessions", "launches", "links", "readings"] {
            assert!(bridge.database.count(table).await > 0, "{table} is empty");
        }
        assert!(secrets.0.len() > 20 * MEMBERS && secrets.0.iter().all(|secret| secret.len() >= 16), "{}", secrets.0.len());

        let logged = log.bytes();
        assert_eq!((times(CANARY, &logged), times(CONTROL, &logged) > 0), (0, true), "in {} bytes of logs", logged.len());
        // `secret_file` and the file of the client secret lie beside the database.
        std::fs::remove_file(bridge.database.folder.path().join("provider.secret")).unwrap();
        let [found, control] = in_database(&bridge.database, [CANARY, CONTROL]).await;
        assert!((found, control > 0) == (0, true), "in the files of the database: {found}, control {control}");
        let (backup, dump) = (std::fs::read(bridge.database.back_up("backup").await).unwrap(), dump(&bridge.database));
        assert_eq!((times(CANARY, &backup), times(CANARY, &dump)), (0, 0), "in a backup, in a dump");
        for secret in &secrets.0 {
            assert_eq!([&logged, &backup, &dump].map(|hay| times(secret, hay)), [0, 0, 0], "{secret}");
        }
    }
}
