//! Every page and every form of the portal, as everybody: made from the table of routes, so that a page that is added is
//! asked, too.

use mostik::web::portal::ROUTES;
use reqwest::Method;

use crate::on_both_databases;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::portal::{PORTAL, Portal};

/// What somebody sees who is not signed in.
const OPEN: [&str; 23] = [
    "/connect",
    "/rules/{community}",
    "/moderate/sign-in",
    "/moderate/return",
    "/moderate/language",
    "/announcements",
    "/materials",
    "/materials/{material}",
    "/materials/{material}/{version}",
    "/",
    "/clinic/sign-in",
    "/clinic/return",
    "/clinic/language",
    "/visits/camera",
    "/sign-in",
    "/sign-in/sent",
    "/sign-in/provider",
    "/sign-in/return",
    "/sign-in/link/{secret}",
    "/erase/certificate",
    "/language",
    "/assets/{version}/{name}",
    "/push-worker.js",
];

/// Where whoever is not signed in is led: what is a clinic's staff's, or a community's own people's, has a door of its own.
fn door(pattern: &str) -> &'static str {
    match pattern.split('/').nth(1) {
        Some("clinic") => "/clinic/sign-in",
        Some("moderate") => "/moderate/sign-in",
        _ => "/sign-in",
    }
}

fn is_of_staff(pattern: &str) -> bool {
    door(pattern) != "/sign-in"
}

/// An address of a route.
fn address(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| match part {
        "{clinic}" => "riverside",
        "{secret}" => "0000000000000000000000000000000000000000000000000000000000000000",
        part if part.starts_with('{') => "01a20677-edf1-7058-8494-38af47edf4fc",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn addresses(method: &str) -> impl Iterator<Item = (&'static str, String)> {
    ROUTES.iter().filter(move |route| route.methods == method).map(|route| (route.path, address(route.path)))
}

const OWN: [(&str, &str); 2] = [("origin", PORTAL), ("sec-fetch-site", "same-origin")];

on_both_databases! {
    async fn whoever_is_not_signed_in_is_led_to_the_door(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        let mut asked = 0;
        for (pattern, path) in addresses("GET").filter(|(pattern, _)| !OPEN.contains(pattern)) {
            let page = browser.get(&path).await;
            assert_eq!((page.status, page.location()), (303, door(pattern)), "{pattern}");
            asked += 1;
        }
        for (pattern, path) in addresses("POST").filter(|(pattern, _)| !OPEN.contains(pattern)) {
            let answer = browser.post(&path, &[]).await;
            assert_eq!((answer.status, answer.location()), (303, door(pattern)), "{pattern}");
            asked += 1;
        }
        assert!(asked > 8, "{asked}");
    }
}

on_both_databases! {
    async fn no_form_is_taken_without_its_token(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        let mut browser = portal.sign_in(&sparrow).await;
        browser.get("/settings").await;
        let own = browser.csrf.clone();
        let mut other = portal.sign_in(&wren).await;
        other.get("/settings").await;
        // No member gets as far as a form of the staff's.
        for (pattern, path) in addresses("POST").filter(|(pattern, _)| !is_of_staff(pattern)) {
            for token in ["", &"x".repeat(own.len()), &other.csrf.clone(), &own[1..]] {
                let answer = browser.request(Method::POST, &path, &OWN, Some(&[("csrf", token)])).await;
                assert_eq!(answer.status, 403, "{pattern}");
            }
            for header in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
                let answer = browser.request(Method::POST, &path, &[header], Some(&[("csrf", &own)])).await;
                assert_eq!(answer.status, 403, "{pattern} {header:?}");
            }
        }
        assert_eq!(browser.get("/sharing").await.status, 200, "still signed in");
    }
}

on_both_databases! {
    async fn another_host_and_another_method_get_nothing(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        for route in ROUTES {
            let path = address(route.path);
            let method: Method = route.methods.parse().unwrap();
            let headers = [("host", "evil.example"), OWN[0], OWN[1]];
            assert_eq!(browser.request(method, &path, &headers, None).await.status, 421, "{}", route.path);
            assert_eq!(browser.request(Method::DELETE, &path, &OWN, None).await.status, 405, "{}", route.path);
        }
    }
}
