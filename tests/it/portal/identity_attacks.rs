//! What is tried against signing in with an account at the community, by people. Nobody gets in by any of it.

use jiff::SignedDuration;
use serde_json::json;

use crate::linking::attacks::with;
use crate::on_both_databases;
use crate::support::authority::Desk;
use crate::support::database::Database;
use crate::support::portal::{Browser, Page};
use crate::support::provider::{Told, come_back, is_in, leads_on, leave, who};

/// A member who is known to the provider, and nobody else.
async fn ready(database: Database) -> Told {
    let told = Told::open(database).await;
    told.portal.bridge.unlinked_person("sparrow").await;
    told.signs_in("a", "sparrow");
    told
}

fn is_refused(page: &Page) -> bool {
    page.status == 422 && page.set_cookie("__Host-session").is_none() && page.body.contains("begin again")
}

on_both_databases! {
    async fn an_honest_provider_lets_its_member_in(database) {
        let told = ready(database).await;
        let mut browser = told.portal.browser();
        assert!(is_in(&told.sign_in(&mut browser).await));
        assert!(told.authority.last("code_verifier").unwrap().len() >= 43);
        assert_eq!(told.authority.last("client_id").as_deref(), Some("mostik"));
    }
}

on_both_databases! {
    async fn a_state_is_good_once_in_the_browser_that_began(database) {
        let told = ready(database).await;
        let mut browser = told.portal.browser();
        let back = told.back(&mut browser).await;
        for wrong in [with(&back, "state", None), with(&back, "state", Some("")), with(&back, "state", Some("guessed"))] {
            assert!(is_refused(&come_back(&mut browser, &wrong).await), "{wrong}");
        }
        assert!(is_refused(&come_back(&mut browser, &format!("{back}&state=guessed")).await), "twice");
        let mut thief = told.portal.browser();
        assert!(is_refused(&come_back(&mut thief, &back).await), "with the whole address, in another browser");
        thief.get("/sign-in").await;
        assert!(is_refused(&come_back(&mut thief, &back).await));
        assert_eq!(told.authority.asked(), 0, "the provider is not even asked");
        assert!(is_in(&come_back(&mut browser.clone(), &back).await), "whose it is, they still get in");
        assert!(is_refused(&come_back(&mut browser, &back).await), "and once");
        assert_eq!((told.authority.asked(), told.portal.bridge.database.count("sessions").await), (1, 1));
    }
}

on_both_databases! {
    async fn of_many_who_come_back_at_once_with_the_same_answer_one_gets_in(database) {
        let told = ready(database).await;
        let mut browser = told.portal.browser();
        let back = told.back(&mut browser).await;
        let all = (0..8).map(|_| {
            let (mut twin, back) = (browser.clone(), back.clone());
            async move { is_in(&come_back(&mut twin, &back).await) }
        });
        let in_now = futures_util::future::join_all(all).await.into_iter().filter(|is_in| *is_in).count();
        assert_eq!((in_now, told.authority.asked()), (1, 1));
    }
}

on_both_databases! {
    async fn nobody_is_signed_in_as_somebody_else_by_a_link(database) {
        let told = ready(database).await;
        let wren = told.portal.bridge.unlinked_person("wren").await;
        // The attacker signs in as themselves, and has the member open where that leads.
        told.signs_in("b", "wren");
        let mut attacker = told.portal.browser();
        let of_attacker = told.back(&mut attacker).await;
        let mut member = told.portal.browser();
        assert!(is_refused(&come_back(&mut member, &of_attacker).await));
        told.signs_in("a", "sparrow");
        assert!(is_in(&told.sign_in(&mut member).await));
        assert!(is_refused(&come_back(&mut member, &of_attacker).await));
        assert_ne!(who(&told.portal, &member).await, Some(wren.id), "and whoever is signed in stays who they are");
    }
}

on_both_databases! {
    async fn a_stolen_code_is_worth_nothing(database) {
        let told = ready(database).await;
        for (desk, status, words) in
            [(Desk::Honest, 422, "begin again"), (Desk::Careless, 502, "could not be trusted")]
        {
            told.authority.desk_is(desk);
            let mut victim = told.portal.browser();
            let of_victim = told.back(&mut victim).await;
            let code = of_victim.split('&').next().unwrap().trim_start_matches("code=").to_owned();
            let mut thief = told.portal.browser();
            let injected = with(&told.back(&mut thief).await, "code", Some(&code));
            let page = come_back(&mut thief, &injected).await;
            assert_eq!(page.status, status, "PKCE stops it, and where the provider forgets that, the nonce: {}", page.body);
            assert!(page.body.contains(words) && page.set_cookie("__Host-session").is_none());
        }
        assert_eq!(told.portal.bridge.database.count("sessions").await, 0);
    }
}

on_both_databases! {
    async fn an_answer_of_another_provider_is_not_taken_to_this_one(database) {
        let told = ready(database).await;
        let mut browser = told.portal.browser();
        for issuer in [None, Some("https://other.example"), Some("")] {
            let back = with(&told.back(&mut browser).await, "iss", issuer);
            let page = come_back(&mut browser, &back).await;
            assert!(page.status == 502 && page.body.contains("could not be trusted"), "{issuer:?}: {}", page.body);
        }
        let back = with(&with(&told.back(&mut browser).await, "iss", None), "error", Some("access_denied"));
        assert_eq!(come_back(&mut browser, &back).await.status, 502, "an error too");
        assert_eq!(told.authority.asked(), 0, "no code is shown anywhere");
        let back = with(&told.back(&mut browser).await, "error", Some("access_denied"));
        let page = come_back(&mut browser, &back).await;
        assert!(page.status == 422 && page.body.contains("did not agree"), "{}", page.body);
        // One that does not promise to say who it is.
        told.authority.configuration_says(json!({"authorization_response_iss_parameter_supported": null}));
        told.portal.bridge.clock.advance(SignedDuration::from_hours(1));
        let later = told.portal.bridge.now().as_second();
        told.authority.id_token_says(json!({"preferred_username": "sparrow", "iat": later, "exp": later + 300}));
        let back = with(&told.back(&mut browser).await, "iss", Some("https://other.example"));
        assert_eq!(come_back(&mut browser, &back).await.status, 502);
        let back = with(&told.back(&mut browser).await, "iss", None);
        assert!(is_in(&come_back(&mut browser, &back).await));
    }
}

on_both_databases! {
    async fn a_walk_ends_after_ten_minutes_to_the_instant(database) {
        let told = ready(database).await;
        let (clock, count) = (&told.portal.bridge.clock, || told.portal.bridge.database.count("identity_requests"));
        let later = told.portal.bridge.now().as_second() + 3600;
        told.authority.id_token_says(json!({"preferred_username": "sparrow", "exp": later}));
        let instant = SignedDuration::from_micros(1);
        let mut browser = told.portal.browser();
        let (in_time, late) = (told.back(&mut browser).await, told.back(&mut browser).await);
        clock.advance(SignedDuration::from_mins(10) - instant);
        told.portal.bridge.chores().await;
        assert!(is_in(&come_back(&mut browser.clone(), &in_time).await));
        clock.advance(instant);
        let page = come_back(&mut browser, &late).await;
        assert!(page.status == 422 && page.body.contains("longer than 10 minutes"), "{}", page.body);
        told.back(&mut told.portal.browser()).await;
        assert_eq!(count().await, 1);
        clock.advance(SignedDuration::from_mins(10));
        told.portal.bridge.chores().await;
        assert_eq!(count().await, 0, "whoever never comes back is forgotten");
    }
}

on_both_databases! {
    async fn a_session_that_was_put_into_a_browser_is_not_the_one_it_gets(database) {
        let told = ready(database).await;
        let wren = told.portal.bridge.unlinked_person("wren").await;
        let attacker = told.portal.sign_in(&wren).await;
        for planted in [attacker.cookies["__Host-session"].clone(), "a".repeat(64)] {
            let mut browser = told.portal.browser();
            let back = told.back(&mut browser).await;
            browser.cookies.insert("__Host-session".to_owned(), planted.clone());
            assert!(is_in(&come_back(&mut browser, &back).await));
            assert_ne!(browser.cookies["__Host-session"], planted);
            let mut with_planted = told.portal.browser();
            with_planted.cookies.insert("__Host-session".to_owned(), planted);
            assert_eq!(with_planted.get("/sharing").await.location(), "/sign-in", "it is good for nothing");
        }
    }
}

on_both_databases! {
    async fn who_takes_over_a_members_name_does_not_become_them(database) {
        let told = ready(database).await;
        let wren = told.portal.bridge.unlinked_person("wren").await;
        let mut first = told.portal.browser();
        assert!(is_in(&told.sign_in(&mut first).await));
        let sparrow = who(&told.portal, &first).await.unwrap();
        told.signs_in("b", "sparrow");
        let mut usurper = told.portal.browser();
        let page = told.sign_in(&mut usurper).await;
        assert_eq!((page.status, page.set_cookie("__Host-session")), (409, None), "{}", page.body);
        // And who is renamed stays who they are, even under a name that somebody else has here.
        told.signs_in("a", "wren");
        let mut renamed = told.portal.browser();
        assert!(is_in(&told.sign_in(&mut renamed).await));
        assert_eq!(who(&told.portal, &renamed).await, Some(sparrow));
        assert_ne!(sparrow, wren.id);
    }
}

async fn connect(browser: &mut Browser) -> reqwest::Url {
    browser.get("/settings").await;
    leads_on(&browser.post("/settings/identity", &[]).await)
}

on_both_databases! {
    async fn an_account_is_connected_only_in_the_session_that_wanted_it(database) {
        let told = Told::open_with(database, "").await;
        let sparrow = told.portal.bridge.unlinked_person("sparrow").await;
        let wren = told.portal.bridge.unlinked_person("wren").await;
        told.signs_in("a", "any");
        let mut browser = told.portal.sign_in(&sparrow).await;
        let back = told.authority.sign_in(&connect(&mut browser).await);
        // Signed out; signed in as somebody else; in another browser of the same member.
        let mut signed_out = browser.clone();
        signed_out.cookies.remove("__Host-session");
        assert!(is_refused(&come_back(&mut signed_out, &back).await));
        let back = told.authority.sign_in(&connect(&mut browser).await);
        let mut as_another = browser.clone();
        let session = told.portal.sign_in(&wren).await.cookies["__Host-session"].clone();
        as_another.cookies.insert("__Host-session".to_owned(), session);
        assert!(is_refused(&come_back(&mut as_another, &back).await));
        let back = told.authority.sign_in(&connect(&mut browser).await);
        let mut elsewhere = told.portal.sign_in(&sparrow).await;
        assert!(is_refused(&come_back(&mut elsewhere, &back).await));
        assert_eq!(told.portal.bridge.database.count("identities").await, 0);
        // And by nobody who only lures the member to a page.
        let forged = browser.request(reqwest::Method::POST, "/settings/identity", &[], Some(&[("csrf", "x")])).await;
        assert_eq!(forged.status, 403);
        assert_eq!(come_back(&mut browser, &back).await.location(), "/settings", "in the right one it is");
    }
}

on_both_databases! {
    async fn an_account_lets_one_member_in_and_a_member_has_one_account(database) {
        let told = Told::open_with(database, "").await;
        let sparrow = told.portal.bridge.unlinked_person("sparrow").await;
        let wren = told.portal.bridge.unlinked_person("wren").await;
        let (mut of_sparrow, mut of_wren) = (told.portal.sign_in(&sparrow).await, told.portal.sign_in(&wren).await);
        told.signs_in("a", "any");
        for _ in 0..2 {
            let back = told.authority.sign_in(&connect(&mut of_sparrow).await);
            assert_eq!(come_back(&mut of_sparrow, &back).await.location(), "/settings", "twice is as good as once");
            // The page offers the button no more; a second press of the first one is what comes here.
            of_sparrow.get("/settings").await;
        }
        let back = told.authority.sign_in(&connect(&mut of_wren).await);
        let page = come_back(&mut of_wren, &back).await;
        assert!(page.status == 409 && page.body.contains("belongs to somebody else"), "{}", page.body);
        told.signs_in("b", "any");
        let back = told.authority.sign_in(&connect(&mut of_sparrow).await);
        let page = come_back(&mut of_sparrow, &back).await;
        assert!(page.status == 409 && page.body.contains("another account than before"), "{}", page.body);
        assert_eq!(told.portal.bridge.database.count("identities").await, 1);
        let mut nobody = told.portal.browser();
        assert_eq!(told.sign_in(&mut nobody).await.status, 403);
    }
}

on_both_databases! {
    async fn it_cannot_be_begun_without_end_nor_by_another_site(database) {
        let told = ready(database).await;
        let mut browser = told.portal.browser();
        leave(&mut browser).await;
        let fields = [("community", "forum"), ("csrf", &browser.csrf.clone())];
        let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        let page = browser.request(reqwest::Method::POST, "/sign-in/provider", &foreign, Some(&fields)).await;
        assert_eq!(page.status, 403);
        for community in ["nowhere", "", "../evil", "https://evil.example"] {
            browser.get("/sign-in").await;
            let page = browser.post("/sign-in/provider", &[("community", community)]).await;
            assert!([400, 502].contains(&page.status) && !page.body.contains("evil"), "{community}: {}", page.body);
        }
        let mut statuses = Vec::new();
        for _ in 0..25 {
            browser.get("/sign-in").await;
            statuses.push(browser.post("/sign-in/provider", &[("community", "forum")]).await.status);
        }
        assert!(statuses.contains(&200) && statuses.last() == Some(&429), "{statuses:?}");
    }
}
