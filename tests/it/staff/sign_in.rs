//! A clinic's staff sign in with their accounts there, if the clinic's rule lets them in; and are nobody anywhere else.

use jiff::SignedDuration;
use mostik::domain::audit::Chain;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::authority::Authority;
use crate::support::bridge::{TestBridge, riverside};
use crate::support::database::Database;
use crate::support::portal::{Browser, PORTAL, Page, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::provider::{leads_on, secret_setting};
use crate::support::smart::present;
use crate::support::staff::{COOKIE, colleague, lakeside, staff_setting};

/// A clinic whose staff sign in at a provider that does as it is told.
struct Doors {
    portal: Portal,
    authority: Authority,
}

impl Doors {
    async fn open(database: Database) -> Self {
        let (postbox, authority) = (Postbox::open(), Authority::start());
        let text = portal_config(&database, "http://127.0.0.1:9/fhir", &postbox)
            + &staff_setting("riverside", &authority.home, "mostik")
            + &lakeside(&authority.home);
        Self { portal: Portal::open_at(database, &text, postbox, present()).await, authority }
    }

    /// What a browser brings back whose account has this in its claims.
    async fn back(&self, browser: &mut Browser, claims: Value) -> String {
        self.authority.signs_in("nurse");
        self.authority.id_token_says(claims);
        let page = browser.get("/clinic/sign-in").await;
        assert!(
            page.body.contains("Sign in with Riverside") && page.body.contains("Sign in with Lakeside"),
            "{}",
            page.body
        );
        let url = leads_on(&browser.post("/clinic/sign-in", &[("clinic", "riverside")]).await);
        assert!(url.as_str().contains("mostik.example%2Fclinic%2Freturn"), "{url}");
        self.authority.sign_in(&url)
    }

    async fn sign_in(&self, browser: &mut Browser, claims: Value) -> Page {
        let back = self.back(browser, claims).await;
        browser.get(&format!("/clinic/return?{back}")).await
    }
}

fn is_in(page: &Page) -> bool {
    (page.status, page.location()) == (303, "/clinic") && page.set_cookie(COOKIE).is_some()
}

async fn is_out(browser: &mut Browser) -> bool {
    let page = browser.get("/clinic").await;
    (page.status, page.location()) == (303, "/clinic/sign-in")
}

on_both_databases! {
    async fn whoever_the_clinics_rule_lets_in_signs_in_and_out(database) {
        let doors = Doors::open(database).await;
        let mut browser = doors.portal.browser();
        assert!(is_out(&mut browser).await);
        let page = doors.sign_in(&mut browser, json!({"groups": ["kitchen", "telemedicine"]})).await;
        assert!(is_in(&page), "{} {}", page.status, page.body);
        let cookie = page.set_cookie(COOKIE).unwrap();
        assert!(cookie.contains("; Path=/; Secure; HttpOnly; SameSite=Lax") && !cookie.contains("Domain"), "{cookie}");
        let page = browser.get("/clinic").await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("Staff view of Riverside") && !page.body.contains("Lakeside"), "{}", page.body);
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        let held = doors.portal.bridge.database.count("staff_sessions").await;
        assert_eq!((held, doors.portal.bridge.database.count("staff_walks").await), (1, 0));
        let out = browser.post("/clinic/sign-out", &[]).await;
        assert_eq!((out.status, out.location()), (303, "/clinic/sign-in"));
        assert!(is_out(&mut browser).await);
        assert_eq!(doors.portal.bridge.database.count("staff_sessions").await, 0);
        let chain = Chain::of_clinic(&riverside());
        let mut tx = doors.portal.bridge.bridge.store.read().await.unwrap();
        let said = tx.audit_chain(&chain, 0, jiff::Timestamp::UNIX_EPOCH, 10).await.unwrap();
        let kinds: Vec<&str> = said.iter().map(|row| row.kind.as_str()).collect();
        assert_eq!(kinds, ["staff-signed-in", "staff-signed-out"]);
        assert!(said.iter().all(|row| !row.body.contains("nurse")), "nobody is named");
    }
}

on_both_databases! {
    async fn nobody_gets_in_whom_the_rule_does_not_name(database) {
        let doors = Doors::open(database).await;
        for said in [
            json!({}),
            json!({"groups": null}),
            json!({"groups": []}),
            json!({"groups": "kitchen"}),
            json!({"groups": ["kitchen", "Telemedicine"]}),
            json!({"groups": "telemedicine kitchen"}),
            json!({"groups": {"telemedicine": true}}),
            json!({"groups": [["telemedicine"]]}),
            json!({"roles": ["telemedicine"]}),
        ] {
            let mut browser = doors.portal.browser();
            let page = doors.sign_in(&mut browser, said.clone()).await;
            assert_eq!((page.status, page.set_cookie(COOKIE)), (403, None), "{said}: {}", page.body);
            assert!(page.body.contains("does not let you into this view"), "{said}");
        }
        assert_eq!(doors.portal.bridge.database.count("staff_sessions").await, 0);
        let mut browser = doors.portal.browser();
        assert!(is_in(&doors.sign_in(&mut browser, json!({"groups": "on-call"})).await), "a claim may be one text");
    }
}

on_both_databases! {
    async fn a_walk_is_good_once_in_the_browser_that_began_it_and_in_time(database) {
        let doors = Doors::open(database).await;
        let may = || json!({"groups": ["telemedicine"]});
        let mut browser = doors.portal.browser();
        let back = format!("/clinic/return?{}", doors.back(&mut browser, may()).await);
        let mut other = doors.portal.browser();
        other.get("/clinic/sign-in").await;
        assert_eq!(other.get(&back).await.status, 422, "somebody else's browser");
        let members = format!("/sign-in/return?{}", back.split_once('?').unwrap().1);
        assert_eq!(browser.get(&members).await.status, 422, "it is no member's sign-in");
        assert!(is_in(&browser.get(&back).await));
        assert_eq!(browser.get(&back).await.status, 422, "once");
        let mut slow = doors.portal.browser();
        let back = format!("/clinic/return?{}", doors.back(&mut slow, may()).await);
        doors.portal.bridge.clock.advance(SignedDuration::from_mins(11));
        assert_eq!(slow.get(&back).await.status, 422, "too late");
        assert_eq!(doors.portal.bridge.database.count("staff_sessions").await, 1);
    }
}

on_both_databases! {
    async fn a_members_session_opens_nothing_here_and_one_of_staff_nothing_there(database) {
        let doors = Doors::open(database).await;
        let sparrow = doors.portal.bridge.unlinked_person("sparrow").await;
        let mut member = doors.portal.sign_in(&sparrow).await;
        assert!(is_out(&mut member).await, "a member is nobody here");
        let secret = member.cookies["__Host-session"].clone();
        member.cookies.insert(COOKIE.to_owned(), secret);
        assert!(is_out(&mut member).await, "whatever they call their session");
        let mut staff = colleague(&doors.portal, "riverside").await;
        assert_eq!(staff.get("/clinic").await.status, 200);
        let mut tried = staff.clone();
        tried.cookies.insert("__Host-session".to_owned(), staff.cookies[COOKIE].clone());
        for path in ["/sharing", "/visits", "/shared"] {
            let page = tried.get(path).await;
            assert_eq!((page.status, page.location()), (303, "/sign-in"), "{path}");
        }
        let csrf = staff.csrf.clone();
        member.csrf = csrf;
        assert_eq!(member.post("/sign-out", &[]).await.status, 403, "nor is the token of a form good on the other side");
        staff.csrf = "0".repeat(43);
        assert_eq!(staff.post("/clinic/sign-out", &[]).await.status, 403);
        assert_eq!(staff.get("/clinic").await.status, 200);
    }
}

on_both_databases! {
    async fn a_session_ends_when_nobody_is_there_and_with_the_working_day(database) {
        let doors = Doors::open(database).await;
        let clock = &doors.portal.bridge.clock;
        let (mut idle, mut busy) =
            (colleague(&doors.portal, "riverside").await, colleague(&doors.portal, "riverside").await);
        clock.advance(SignedDuration::from_mins(14));
        assert!(!is_out(&mut busy).await);
        clock.advance(SignedDuration::from_mins(2));
        assert!(is_out(&mut idle).await && !is_out(&mut busy).await);
        for _ in 0..52 {
            clock.advance(SignedDuration::from_mins(10));
            assert!(!is_out(&mut busy).await);
        }
        clock.advance(SignedDuration::from_mins(10));
        assert!(is_out(&mut busy).await, "nine hours in any case");
        doors.portal.bridge.chores().await;
        assert_eq!(doors.portal.bridge.database.count("staff_sessions").await, 0);
    }
}

on_both_databases! {
    async fn a_session_ends_with_the_rule_that_let_them_in(database) {
        let doors = Doors::open(database).await;
        let staff = colleague(&doors.portal, "riverside").await;
        let text = doors.portal.bridge.config.clone();
        for (changed, is_in) in [
            (text.clone(), true),
            (text.replace("\"on-call\", \"telemedicine\"", "\"on-call\""), false),
            (text.replace("claim = \"groups\"", "claim = \"roles\""), false),
            (text.replace("client_id = \"mostik\"", "client_id = \"another\""), false),
            (without_staff(&text), false),
        ] {
            let database = Database::at(&doors.portal.bridge.database.url);
            let again = restarted(&doors, database, &changed).await;
            let page = staff.at(&again.api).get("/clinic").await;
            assert_eq!(page.status == 200, is_in, "{changed}");
        }
    }
}

/// Another process on the same database, with these settings.
async fn restarted(doors: &Doors, database: Database, text: &str) -> TestBridge {
    TestBridge::start_at(database, text, doors.portal.bridge.now()).await
}

/// The settings without the staff section of the clinic.
fn without_staff(text: &str) -> String {
    let (before, rest) = text.split_once("[clinics.riverside.staff]").unwrap();
    let (_, after) = rest.split_once("[clinics.lakeside]").unwrap();
    format!("{before}[clinics.lakeside]{after}")
}

on_both_databases! {
    async fn staff_sign_in_at_a_provider_that_nobody_here_wrote(database) {
        use crate::support::browser::walk;
        use crate::support::parts::part;
        let Some(issuer) = part("MOSTIK_TEST_AUTHORIZATION_SERVER", "the identity provider oidc-provider") else { return };
        let postbox = Postbox::open();
        let staff = staff_setting("riverside", &issuer, "portal")
            + &secret_setting(&database, crate::support::provider::SECRET)
            + "scopes = \"openid groups\"\n";
        let text = portal_config(&database, "http://127.0.0.1:9/fhir", &postbox) + &staff;
        let portal = Portal::open_at(database, &text, postbox, present()).await;
        for (account, may) in [("nurse-of-telemedicine", true), ("cook", false)] {
            let mut browser = portal.browser();
            browser.get("/clinic/sign-in").await;
            let url = leads_on(&browser.post("/clinic/sign-in", &[("clinic", "riverside")]).await);
            let back = walk(url, &[("patient", account)], &format!("{PORTAL}/clinic/return")).await;
            let page = browser.get(&format!("/clinic/return?{}", back.query().unwrap())).await;
            assert_eq!(is_in(&page), may, "{account}: {} {}", page.status, page.body);
        }
    }
}
