//! What people of a story do, whichever platform they are on.

use jiff::SignedDuration;
use mostik::app;
use mostik::config::Config;
use mostik::domain::ids::CommunityId;
use mostik::enrolment::code::{Order, issue};
use mostik::enrolment::credentials::create_member_token;
use mostik::enrolment::join::{handle_index, link};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::bridge::{Person, TestBridge, riverside};
use super::portal::{Browser, Portal};

/// What a member chooses who shares their mood and how much they take part, and lets the clinic say all of it in the chat.
const CHOSEN: [(&str, &str); 11] = [
    ("notice-version", "1"),
    ("notice-language", "en"),
    ("mood", "every-entry"),
    ("note", "off"),
    ("tags", "off"),
    ("community", "weekly-summary"),
    ("for-treatment", "yes"),
    ("from", "everything"),
    ("since", ""),
    ("until", "2027-05-20"),
    ("way-back", "full"),
];

/// Somebody who joined a community by its companion, whom the clinic links to their Patient.
pub async fn linked(test: &TestBridge, community: &str, handle: &str, patient: &str) -> Person {
    let (bridge, now) = (&test.bridge, test.now());
    let community: CommunityId = community.parse().unwrap();
    let mut tx = bridge.store.begin().await.unwrap();
    let index = handle_index(&bridge.keyring, &community, handle);
    let (id, ..) = tx.member_by_handle(&community, index).await.unwrap().unwrap();
    link(&mut tx, &bridge.keyring, id, &riverside(), patient, "the clinic", now).await.unwrap();
    let validity = SignedDuration::from_hours(24 * 365);
    let token = create_member_token(&mut tx, &bridge.keyring, id, validity, now).await.unwrap();
    tx.commit().await.unwrap();
    Person { id, handle: handle.to_owned(), token }
}

/// They ask for a link to sign in, which their community brings them: `last` says what came there last.
pub async fn signs_in(portal: &Portal, community: &str, handle: &str, last: impl Fn() -> String) -> Browser {
    let mut browser = portal.browser();
    browser.get("/sign-in").await;
    browser.post("/sign-in", &[("community", community), ("handle", handle)]).await;
    portal.send_links().await;
    let said = last();
    let link =
        said.split_whitespace().find_map(|word| word.find("/sign-in/link/").map(|place| &word[place..])).unwrap();
    browser.get(link).await;
    assert_eq!(browser.post(link, &[]).await.location(), "/sharing");
    browser
}

/// They decide in the portal what the clinic sees: each kind of data with its detail.
pub async fn shares(browser: &mut Browser, kinds: &[(&str, &str)]) {
    let terms = [
        ("notice-version", "1"),
        ("notice-language", "en"),
        ("for-treatment", "yes"),
        ("from", "everything"),
        ("since", ""),
        ("until", "2027-05-20"),
        ("way-back", "notice"),
    ];
    browser.get("/sharing/riverside").await;
    let fields: Vec<(&str, &str)> = terms.into_iter().chain(kinds.iter().copied()).collect();
    let saved = browser.post_and_follow("/sharing/riverside", &fields).await;
    assert!(saved.body.contains("You are sharing."), "{}", saved.body);
}

/// Whatever members are to be told is told.
pub async fn tells(test: &TestBridge) {
    let teller = app::teller(&Config::from_toml(&test.config).unwrap(), &test.bridge).unwrap();
    while teller.tell_one().await.unwrap() {}
}

/// They connect the clinic by its code, and consent to all that was chosen above.
pub async fn connects(portal: &Portal, browser: &mut Browser, patient: &str) {
    let (bridge, now) = (&portal.bridge.bridge, portal.bridge.now());
    let mut tx = bridge.store.begin().await.unwrap();
    let order = Order { clinic: &riverside(), patient, validity: SignedDuration::from_hours(24), replaces: false };
    let code = issue(&mut tx, &bridge.keyring, order, now).await.unwrap().code;
    tx.commit().await.unwrap();
    browser.get("/clinics/riverside/connect").await;
    let form = [("way", "code"), ("code", code.expose_secret())];
    assert_eq!(browser.post("/clinics/riverside/connect", &form).await.status, 303);
    browser.get("/sharing/riverside").await;
    let shared = browser.post_and_follow("/sharing/riverside", &CHOSEN).await.body;
    assert!(shared.contains("You are sharing."), "{shared}");
}

/// What a week came to.
pub fn counts(week: &Value) -> Vec<(&str, i64)> {
    let count = |it: &'_ Value| it["valueQuantity"]["value"].as_i64().unwrap();
    let components = week["component"].as_array().unwrap().iter();
    components.map(|it| (it["code"]["coding"][0]["code"].as_str().unwrap(), count(it))).collect()
}

/// The member with this handle.
pub async fn member(bridge: &TestBridge, handle: &str) -> Person {
    let forum: CommunityId = "forum".parse().unwrap();
    let index = handle_index(&bridge.bridge.keyring, &forum, handle);
    let found = bridge.bridge.store.read().await.unwrap().member_by_handle(&forum, index).await.unwrap();
    Person { id: found.unwrap().0, handle: handle.to_owned(), token: String::new() }
}
