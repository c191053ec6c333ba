//! A portal whose community has an identity provider, and browsers that go there.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use mostik::domain::ids::MemberId;
use mostik::enrolment::session::session_index;
use reqwest::Url;

use super::authority::Authority;
use super::browser::walk;
use super::database::Database;
use super::portal::{Browser, PORTAL, Page, Portal, portal_config};
use super::postbox::Postbox;
use super::smart::present;

/// Where browsers come back from providers.
pub const COMES_BACK: &str = "https://mostik.example/sign-in/return";

/// What the real provider knows its confidential clients by.
pub const SECRET: &str = "a secret of a test: +/%& and long enough";

/// A configuration for a portal whose community, the forum, has a provider; `more` are further settings of it.
pub fn provider_config(database: &Database, postbox: &Postbox, issuer: &str, client_id: &str, more: &str) -> String {
    let text = portal_config(database, "http://127.0.0.1:9/fhir", postbox);
    format!("{text}[communities.forum.sign_in]\nissuer = {issuer:?}\nclient_id = {client_id:?}\n{more}")
}

/// The setting of a client secret, in a file.
pub fn secret_setting(database: &Database, secret: &str) -> String {
    let file = database.folder.path().join("provider.secret");
    fs::write(&file, secret).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    format!("secret_file = {:?}\n", file.display().to_string())
}

/// A portal before a provider that does as it is told, whose claim `preferred_username` is the member's handle.
pub struct Told {
    pub portal: Portal,
    pub authority: Authority,
}

impl Told {
    pub async fn open(database: Database) -> Self {
        Self::open_with(database, "handle = \"preferred_username\"\n").await
    }

    /// The same with these settings of the provider instead.
    pub async fn open_with(database: Database, more: &str) -> Self {
        let (postbox, authority) = (Postbox::open(), Authority::start());
        let text = provider_config(&database, &postbox, &authority.home, "mostik", more);
        let portal = Portal::open_at(database, &text, postbox, present()).await;
        Self { portal, authority }
    }

    /// Whoever signs in from now on is this account, with this name.
    pub fn signs_in(&self, account: &str, name: &str) {
        self.authority.signs_in(account);
        self.authority.id_token_says(serde_json::json!({"preferred_username": name}));
    }

    /// What a browser brings back that was just sent to the provider.
    pub async fn back(&self, browser: &mut Browser) -> String {
        self.authority.sign_in(&leave(browser).await)
    }

    /// A whole sign-in.
    pub async fn sign_in(&self, browser: &mut Browser) -> Page {
        let back = self.back(browser).await;
        come_back(browser, &back).await
    }
}

/// Presses the button on the sign-in page that leads to the forum's provider; where the page leads on.
pub async fn leave(browser: &mut Browser) -> Url {
    let page = browser.get("/sign-in").await;
    assert!(page.body.contains("Sign in with The forum"), "{}", page.body);
    leads_on(&browser.post("/sign-in/provider", &[("community", "forum")]).await)
}

/// Where a page leads on that says goodbye.
pub fn leads_on(page: &Page) -> Url {
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("127.0.0.1"), "it says where people type their password");
    let link = page.body.split("href=\"").find(|rest| rest.contains("code_challenge=")).unwrap();
    Url::parse(&link.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&")).unwrap()
}

/// Signs in at a provider that nobody here wrote, as this account; what the browser brings back.
pub async fn sign_in_there(url: Url, account: &str) -> String {
    walk(url, &[("patient", account)], COMES_BACK).await.query().unwrap().to_owned()
}

/// Opens the page to which a provider sends browsers back.
pub async fn come_back(browser: &mut Browser, query: &str) -> Page {
    let path = COMES_BACK.strip_prefix(PORTAL).unwrap();
    browser.get(&format!("{path}?{query}")).await
}

/// Whether a page let somebody in.
pub fn is_in(page: &Page) -> bool {
    (page.status, page.location()) == (303, "/sharing") && page.set_cookie("__Host-session").is_some()
}

/// Whose session a browser has.
pub async fn who(portal: &Portal, browser: &Browser) -> Option<MemberId> {
    let secret = browser.cookies.get("__Host-session")?;
    let index = session_index(&portal.bridge.bridge.keyring, secret);
    let mut tx = portal.bridge.bridge.store.read().await.unwrap();
    Some(tx.session(index, portal.bridge.now()).await.unwrap()?.member)
}
