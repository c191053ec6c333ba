//! Signing in with an account at the community, at an identity provider that nobody here wrote.

use jiff::SignedDuration;
use reqwest::Url;

use crate::on_both_databases;
use crate::support::browser::parameter;
use crate::support::database::Database;
use crate::support::parts::part;
use crate::support::portal::Portal;
use crate::support::postbox::Postbox;
use crate::support::provider::{
    COMES_BACK, SECRET, come_back, is_in, leads_on, leave, provider_config, secret_setting, sign_in_there, who,
};
use crate::support::smart::present;

fn provider() -> Option<String> {
    part("MOSTIK_TEST_AUTHORIZATION_SERVER", "the identity provider oidc-provider")
}

/// A portal whose community's provider is the real one.
async fn open(database: Database, client_id: &str, more: &str) -> Option<(Portal, String)> {
    let (issuer, postbox) = (provider()?, Postbox::open());
    let text = provider_config(&database, &postbox, &issuer, client_id, more);
    Some((Portal::open_at(database, &text, postbox, present()).await, issuer))
}

const BY_NAME: &str = "handle = \"preferred_username\"\nscopes = \"openid profile\"\n";

on_both_databases! {
    async fn a_member_signs_in_with_their_account_and_does_so_again(database) {
        let more = format!("{BY_NAME}{}", secret_setting(&database, SECRET));
        let Some((portal, issuer)) = open(database, "portal", &more).await else { return };
        let sparrow = portal.bridge.unlinked_person("name-of-sparrow").await;
        let mut browser = portal.browser();
        let url = leave(&mut browser).await;
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "portal"),
            ("redirect_uri", COMES_BACK),
            ("scope", "openid profile"),
            ("code_challenge_method", "S256"),
            ("ui_locales", "en"),
        ] {
            assert_eq!(parameter(&url, name).as_deref(), Some(value), "{name}");
        }
        assert!(url.as_str().starts_with(&format!("{issuer}/auth?")), "{url}");
        let page = come_back(&mut browser, &sign_in_there(url, "sparrow").await).await;
        assert!(is_in(&page), "{}", page.body);
        assert!(browser.get("/sharing").await.body.contains("My sharing"));
        for _ in 0..2 {
            let mut other = portal.browser();
            let url = leave(&mut other).await;
            assert!(is_in(&come_back(&mut other, &sign_in_there(url, "sparrow").await).await));
        }
        let count = |table: &'static str| portal.bridge.database.count(table);
        assert_eq!((count("identities").await, count("sessions").await, count("identity_requests").await), (1, 3, 0));
        assert_eq!(who(&portal, &browser).await, Some(sparrow.id));
    }
}

on_both_databases! {
    async fn a_public_client_signs_members_in_too_and_the_subject_can_be_the_handle(database) {
        let Some((portal, _)) = open(database, "portal-public", "handle = \"sub\"\n").await else { return };
        portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.browser();
        let url = leave(&mut browser).await;
        assert!(is_in(&come_back(&mut browser, &sign_in_there(url, "sparrow").await).await));
    }
}

on_both_databases! {
    async fn an_account_that_nobody_here_has_lets_nobody_in(database) {
        let Some((portal, _)) = open(database, "portal-public", "handle = \"sub\"\n").await else { return };
        portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.browser();
        let url = leave(&mut browser).await;
        let page = come_back(&mut browser, &sign_in_there(url, "stranger").await).await;
        assert_eq!((page.status, page.set_cookie("__Host-session")), (403, None), "{}", page.body);
        assert!(page.body.contains("we do not know this account"), "{}", page.body);
        assert_eq!(portal.bridge.database.count("identities").await, 0);
    }
}

on_both_databases! {
    async fn a_member_connects_their_account_from_within_and_removes_it_again(database) {
        let Some((portal, _)) = open(database, "portal-public", "").await else { return };
        let sparrow = portal.bridge.unlinked_person("sparrow").await;
        let mut stranger = portal.browser();
        let url = leave(&mut stranger).await;
        let page = come_back(&mut stranger, &sign_in_there(url, "sparrow").await).await;
        assert_eq!(page.status, 403, "without a claim that is trusted, nobody is taken for a member: {}", page.body);
        let mut browser = portal.sign_in(&sparrow).await;
        assert!(browser.get("/settings").await.body.contains("Connect my account"));
        let url = leads_on(&browser.post("/settings/identity", &[]).await);
        let page = come_back(&mut browser, &sign_in_there(url, "any-name-at-all").await).await;
        assert_eq!((page.status, page.location()), (303, "/settings"), "{}", page.body);
        let settings = browser.get("/settings").await;
        assert!(settings.body.contains("Connected.") && settings.body.contains("Do not sign me in with it any more"));
        let mut other = portal.browser();
        let url = leave(&mut other).await;
        assert!(is_in(&come_back(&mut other, &sign_in_there(url, "any-name-at-all").await).await));
        browser.get("/settings").await;
        assert!(browser.post_and_follow("/settings/identity/remove", &[]).await.body.contains("Removed."));
        let mut other = portal.browser();
        let url = leave(&mut other).await;
        let page = come_back(&mut other, &sign_in_there(url, "any-name-at-all").await).await;
        assert_eq!(page.status, 403, "it lets in no longer");
    }
}

on_both_databases! {
    async fn another_replica_ends_what_one_has_begun(database) {
        let Some((portal, _)) = open(database, "portal-public", "handle = \"sub\"\n").await else { return };
        portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.browser();
        let back = sign_in_there(leave(&mut browser).await, "sparrow").await;
        let replica = portal.bridge.beside(SignedDuration::ZERO).await;
        let mut there = browser.at(&replica.api);
        assert!(is_in(&come_back(&mut there, &back).await));
        assert_eq!(come_back(&mut browser, &back).await.status, 422, "once, whichever replica it is");
    }
}

on_both_databases! {
    async fn what_was_tampered_with_on_the_way_lets_nobody_in(database) {
        let Some((portal, issuer)) = open(database, "portal-public", "handle = \"sub\"\n").await else { return };
        portal.bridge.unlinked_person("sparrow").await;
        let tampered = |url: &Url, name: &str, value: Option<&str>| {
            let mut other = url.clone();
            let pairs = url.query_pairs().filter(|(found, _)| !name.split(' ').any(|name| name == found));
            other.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
            other
        };
        for (name, value) in [
            ("code_challenge", Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")),
            ("code_challenge code_challenge_method", None),
            ("code_challenge_method", Some("plain")),
            ("nonce", Some("an-earlier-one")),
            ("nonce", None),
            ("state", Some("somebody-elses")),
            ("response_type", Some("none")),
        ] {
            let mut browser = portal.browser();
            let url = tampered(&leave(&mut browser).await, name, value);
            let back = sign_in_there(url, "sparrow").await;
            let page = come_back(&mut browser, &back).await;
            assert!([422, 502].contains(&page.status), "{name} {value:?}: {} {}", page.status, page.body);
            assert_eq!(page.set_cookie("__Host-session"), None, "{name}");
        }
        let mut browser = portal.browser();
        let url = leave(&mut browser).await;
        let elsewhere = tampered(&url, "redirect_uri", Some("https://evil.example/sign-in/return"));
        let answer = crate::support::http::client().get(elsewhere).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{issuer} sends nobody there");
        assert_eq!(portal.bridge.database.count("sessions").await, 0);
    }
}

on_both_databases! {
    async fn a_provider_that_signs_with_the_clients_secret_is_not_believed(database) {
        let more = format!("handle = \"sub\"\n{}", secret_setting(&database, SECRET));
        let Some((portal, _)) = open(database, "portal-hs256", &more).await else { return };
        portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.browser();
        let url = leave(&mut browser).await;
        let page = come_back(&mut browser, &sign_in_there(url, "sparrow").await).await;
        assert_eq!((page.status, page.set_cookie("__Host-session")), (502, None), "{}", page.body);
        assert!(page.body.contains("could not be trusted"), "{}", page.body);
    }
}

on_both_databases! {
    async fn a_secret_that_is_wrong_is_the_operators_matter(database) {
        let more = format!("handle = \"sub\"\n{}", secret_setting(&database, "another"));
        let Some((portal, _)) = open(database, "portal", &more).await else { return };
        portal.bridge.unlinked_person("sparrow").await;
        let mut browser = portal.browser();
        let url = leave(&mut browser).await;
        let page = come_back(&mut browser, &sign_in_there(url, "sparrow").await).await;
        assert!(page.status == 502 && page.body.contains("not set up properly"), "{}", page.body);
    }
}
