//! A community's people sign in with their accounts there, as one of two levels; and are nobody anywhere else.

use mostik::domain::audit::Chain;
use mostik::domain::concern::Level;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::authority::Authority;
use crate::support::database::Database;
use crate::support::portal::{Browser, Page, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::provider::leads_on;
use crate::support::smart::present;
use crate::support::staff::{
    COOKIE, MODERATOR_COOKIE, colleague, lakeside, moderator, moderators_setting, staff_setting,
};

struct Door {
    portal: Portal,
    authority: Authority,
}

impl Door {
    async fn open(database: Database) -> Self {
        let (postbox, authority) = (Postbox::open(), Authority::start());
        let text = portal_config(&database, "http://127.0.0.1:9/fhir", &postbox)
            + &moderators_setting("forum", &authority.home, "mostik")
            + &staff_setting("riverside", &authority.home, "mostik")
            + &lakeside(&authority.home);
        Self { portal: Portal::open_at(database, &text, postbox, present()).await, authority }
    }

    /// What a browser brings back whose account has this in its claims.
    async fn back(&self, browser: &mut Browser, claims: Value) -> String {
        self.authority.signs_in("anna");
        self.authority.id_token_says(claims);
        let page = browser.get("/moderate/sign-in").await;
        assert!(page.body.contains("Sign in with The forum"), "{}", page.body);
        let url = leads_on(&browser.post("/moderate/sign-in", &[("community", "forum")]).await);
        assert!(url.as_str().contains("mostik.example%2Fmoderate%2Freturn"), "{url}");
        self.authority.sign_in(&url)
    }

    async fn sign_in(&self, browser: &mut Browser, claims: Value) -> Page {
        let back = self.back(browser, claims).await;
        browser.get(&format!("/moderate/return?{back}")).await
    }
}

async fn is_out(browser: &mut Browser) -> bool {
    let page = browser.get("/moderate").await;
    (page.status, page.location()) == (303, "/moderate/sign-in")
}

on_both_databases! {
    async fn whoever_the_communitys_rule_lets_in_signs_in_as_what_they_are(database) {
        let door = Door::open(database).await;
        for (groups, level) in [(json!(["moderators"]), 1), (json!("on-duty"), 2), (json!(["moderators", "on-duty"]), 2)] {
            let mut browser = door.portal.browser();
            assert!(is_out(&mut browser).await);
            let page = door.sign_in(&mut browser, json!({"groups": groups})).await;
            assert_eq!((page.status, page.location()), (303, "/moderate"), "{}", page.body);
            let cookie = page.set_cookie(MODERATOR_COOKIE).unwrap();
            assert!(cookie.contains("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
            assert!(browser.get("/moderate").await.body.contains("Review queue of The forum"));
            let out = browser.post("/moderate/sign-out", &[]).await;
            assert_eq!((out.status, out.location()), (303, "/moderate/sign-in"));
            assert!(is_out(&mut browser).await);
            let mut tx = door.portal.bridge.bridge.store.read().await.unwrap();
            let said = tx.audit_chain(&Chain::HOUSE, 0, jiff::Timestamp::UNIX_EPOCH, 100).await.unwrap();
            let last = said.iter().rev().find(|row| row.kind == "moderator-signed-in").unwrap();
            assert!(last.body.contains(if level == 1 { "first" } else { "second" }), "{}", last.body);
            assert!(said.iter().all(|row| !row.body.contains("anna")), "nobody is named");
        }
        assert_eq!(door.portal.bridge.database.count("staff_sessions").await, 0);
    }
}

on_both_databases! {
    async fn nobody_gets_in_whom_the_rule_does_not_name(database) {
        let door = Door::open(database).await;
        for said in [json!({}), json!({"groups": []}), json!({"groups": ["telemedicine"]}), json!({"groups": "Moderators"})] {
            let mut browser = door.portal.browser();
            let page = door.sign_in(&mut browser, said.clone()).await;
            assert_eq!((page.status, page.set_cookie(MODERATOR_COOKIE)), (403, None), "{said}");
            assert!(page.body.contains("does not let you into this queue"), "{said}");
        }
    }
}

on_both_databases! {
    async fn a_way_that_began_at_one_door_ends_at_no_other(database) {
        let door = Door::open(database).await;
        let mut browser = door.portal.browser();
        let back = door.back(&mut browser, json!({"groups": ["moderators", "telemedicine"]})).await;
        for path in ["/clinic/return", "/sign-in/return"] {
            let mut tried = browser.clone();
            let page = tried.get(&format!("{path}?{back}")).await;
            assert_eq!((page.status, page.set_cookie(COOKIE)), (422, None), "{path}");
        }
        assert_eq!(door.portal.bridge.database.count("staff_sessions").await, 0);
    }
}

on_both_databases! {
    async fn a_session_of_one_side_opens_nothing_on_another(database) {
        let door = Door::open(database).await;
        let anna = moderator(&door.portal, "forum", Level::Second).await;
        let nurse = colleague(&door.portal, "riverside").await;
        let sparrow = door.portal.bridge.unlinked_person("sparrow").await;
        let member = door.portal.sign_in(&sparrow).await;
        let secrets = [(MODERATOR_COOKIE, &anna, "/moderate"), (COOKIE, &nurse, "/clinic"), ("__Host-session", &member, "/shared")];
        for (own, browser, _) in secrets {
            for (cookie, _, path) in secrets {
                let mut tried = door.portal.browser();
                tried.cookies.insert(cookie.to_owned(), browser.cookies[own].clone());
                let page = tried.get(path).await;
                assert_eq!(page.status, if own == cookie { 200 } else { 303 }, "{own} as {cookie} at {path}");
            }
        }
    }
}
