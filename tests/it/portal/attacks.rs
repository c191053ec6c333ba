//! What is tried against the portal, and what comes of it.

use std::collections::BTreeSet;

use reqwest::Method;

use crate::on_both_databases;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::portal::{Browser, PORTAL, Page, Portal};

const OWN: [(&str, &str); 2] = [("origin", PORTAL), ("sec-fetch-site", "same-origin")];

on_both_databases! {
    async fn a_session_that_was_put_into_a_browser_is_not_the_one_it_gets(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        let attacker = portal.sign_in(&wren).await;
        // The attacker's own session, and one that was made up, planted before the member signs in.
        for planted in [attacker.cookies["__Host-session"].clone(), "a".repeat(64)] {
            let mut browser = portal.browser();
            let link = portal.link(&mut browser, &sparrow.handle).await;
            browser.get(&link).await;
            browser.cookies.insert("__Host-session".to_owned(), planted.clone());
            browser.get(&link).await;
            let entered = browser.post(&link, &[]).await;
            assert_eq!(entered.location(), "/sharing", "{}", entered.body);
            assert_ne!(browser.cookies["__Host-session"], planted);
            let mut with_planted = portal.browser();
            with_planted.cookies.insert("__Host-session".to_owned(), planted);
            assert_eq!(with_planted.get("/sharing").await.location(), "/sign-in", "what was planted is good for nothing");
        }
    }
}

on_both_databases! {
    async fn a_link_works_once(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        let link = portal.link(&mut browser, "sparrow").await;
        browser.get(&link).await;
        let mut twin = browser.clone();
        assert_eq!(browser.post(&link, &[]).await.location(), "/sharing");
        assert_eq!(twin.post(&link, &[]).await.status, 410);
        assert!(!twin.cookies.contains_key("__Host-session"));
    }
}

on_both_databases! {
    async fn of_many_who_use_a_link_at_once_one_gets_in(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        let link = portal.link(&mut browser, "sparrow").await;
        browser.get(&link).await;
        let tries = (0..8).map(|_| {
            let (mut twin, link) = (browser.clone(), link.clone());
            tokio::spawn(async move { twin.post(&link, &[]).await.status })
        });
        let mut let_in = 0;
        for tried in tries.collect::<Vec<_>>() {
            let_in += u32::from(tried.await.unwrap() == 303);
        }
        assert_eq!((let_in, portal.bridge.database.count("sessions").await), (1, 1));
    }
}

on_both_databases! {
    async fn a_stolen_link_lets_nobody_in_who_did_not_ask(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        let link = portal.link(&mut browser, "sparrow").await;
        let mut thief = portal.browser();
        let seen = thief.get(&link).await;
        assert!(seen.status == 403 && seen.body.contains("other browser"), "{}", seen.body);
        thief.get("/sign-in").await;
        assert_eq!(thief.post(&link, &[]).await.status, 403);
        assert!(!thief.cookies.contains_key("__Host-session"));
        // The other way about: a thief who asks, and makes the member open the link.
        let theirs = portal.link(&mut thief, "sparrow").await;
        browser.get("/sign-in").await;
        assert_eq!(browser.post(&theirs, &[]).await.status, 403);
        browser.get(&link).await;
        assert_eq!(browser.post(&link, &[]).await.location(), "/sharing", "the member's own link is none the worse");
    }
}

on_both_databases! {
    async fn an_altered_link_is_none(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        let link = portal.link(&mut browser, "sparrow").await;
        let last = link.chars().last().unwrap();
        let other = if last == '0' { '1' } else { '0' };
        let altered = format!("{}{other}", &link[..link.len() - 1]);
        for none in [altered.as_str(), &link[..link.len() - 1], "/sign-in/link/%00", "/sign-in/link/..%2f"] {
            assert_eq!(browser.get(none).await.status, 410, "{none}");
        }
    }
}

/// What a page looks like without what differs from visit to visit.
fn without_token(page: &Page, browser: &Browser) -> (u16, String, String) {
    (page.status, page.location().to_owned(), page.body.replace(&browser.csrf, ""))
}

on_both_databases! {
    async fn nobody_learns_who_is_a_member(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut seen = BTreeSet::new();
        for handle in ["sparrow", "nobody"] {
            let mut browser = portal.browser();
            browser.get("/sign-in").await;
            let asked = browser.post("/sign-in", &[("community", "forum"), ("handle", handle)]).await;
            let after = browser.get("/sign-in/sent").await;
            assert!(!after.body.contains(handle));
            seen.insert((without_token(&asked, &browser), without_token(&after, &browser)));
        }
        assert_eq!(seen.len(), 1, "{seen:?}");
        // The same was done for both: a row each, and nobody was looked up.
        assert_eq!(portal.bridge.database.count("sign_in_links").await, 2);
        portal.send_links().await;
        assert_eq!(portal.postbox.letters().len(), 1);
    }
}

on_both_databases! {
    async fn links_cannot_be_asked_for_without_end(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        for handle in ["sparrow", "nobody"] {
            let mut statuses = Vec::new();
            for _ in 0..6 {
                let mut browser = portal.browser();
                browser.get("/sign-in").await;
                let asked = browser.post("/sign-in", &[("community", "forum"), ("handle", handle)]).await;
                statuses.push((asked.status, asked.header("retry-after").to_owned()));
            }
            let last = statuses.pop().unwrap();
            assert!(statuses.iter().all(|(status, _)| *status == 303), "{handle}");
            assert_eq!((last.0, last.1.is_empty()), (429, false), "{handle}: the same for a member and for nobody");
        }
        portal.bridge.clock.advance(jiff::SignedDuration::from_mins(5));
        let mut browser = portal.browser();
        portal.link(&mut browser, "sparrow").await;
        let mut address = Vec::new();
        for n in 0..30 {
            let asked = browser.post("/sign-in", &[("community", "forum"), ("handle", &format!("n{n}"))]).await;
            address.push(asked.status);
        }
        assert!(address.contains(&303) && address.last() == Some(&429), "{address:?}");
    }
}

on_both_databases! {
    async fn nobody_is_led_to_another_site(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        for back in ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", ""] {
            let answer = browser.post("/language", &[("language", "en"), ("back", back)]).await;
            assert_eq!((answer.status, answer.location()), (303, "/"), "{back:?}");
        }
    }
}

on_both_databases! {
    async fn what_a_request_says_of_its_host_leads_nowhere(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        let fields = [("community", "forum"), ("handle", "sparrow"), ("csrf", &browser.csrf.clone())];
        for host in ["evil.example", "mostik.example.evil.example", "mostik.example:8443", "127.0.0.1"] {
            let headers = [("host", host), OWN[0], OWN[1]];
            let answer = browser.request(Method::POST, "/sign-in", &headers, Some(&fields)).await;
            assert_eq!(answer.status, 421, "{host}");
            assert!(!answer.body.contains("evil"), "{}", answer.body);
            assert_eq!(browser.request(Method::GET, "/", &[("host", host)], None).await.location(), "");
        }
        // Headers of proxies are not asked either.
        let headers = [
            ("x-forwarded-host", "evil.example"),
            ("forwarded", "host=evil.example;proto=http"),
            ("x-original-url", "//evil.example"),
            OWN[0],
        ];
        assert_eq!(browser.request(Method::POST, "/sign-in", &headers, Some(&fields)).await.location(), "/sign-in/sent");
        portal.send_links().await;
        let letters = portal.postbox.letters();
        assert_eq!(letters.len(), 1);
        assert!(letters[0].link().starts_with(&format!("{PORTAL}/sign-in/link/")) && !letters[0].raw.contains("evil"));
    }
}

on_both_databases! {
    async fn cookies_are_for_this_host_over_tls_and_not_for_scripts(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.browser();
        let first = browser.get("/sign-in").await;
        let link = portal.link(&mut browser, "sparrow").await;
        browser.get(&link).await;
        let entered = browser.post(&link, &[]).await;
        browser.get("/settings").await;
        let spoken = browser.post("/settings", &[("language", "ru")]).await;
        let session = entered.set_cookie("__Host-session").unwrap();
        assert!(!session.contains("Max-Age"), "it ends with the browser: {session}");
        for (page, name) in
            [(&first, "__Host-visit"), (&entered, "__Host-session"), (&spoken, "__Host-language"), (&spoken, "__Host-flash")]
        {
            let cookie = page.set_cookie(name).unwrap();
            let attributes: BTreeSet<&str> = cookie.split("; ").skip(1).collect();
            for wanted in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(attributes.contains(wanted), "{cookie} lacks {wanted}");
            }
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
        assert!(entered.set_cookie("__Host-visit").unwrap().contains("Max-Age=0"), "who came in is known by another name");
    }
}

on_both_databases! {
    async fn every_page_keeps_to_itself(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let mut nobody = portal.browser();
        let mut pages = vec![nobody.get("/sign-in").await, nobody.get("/sign-in/sent").await];
        for path in [
            "/",
            "/sharing",
            "/sharing/riverside",
            "/clinics",
            "/clinics/riverside/connect",
            "/settings",
            "/sign-out",
            "/nowhere",
        ] {
            pages.push(nobody.get(path).await);
            pages.push(browser.get(path).await);
        }
        pages.push(browser.request(Method::DELETE, "/settings", &OWN, None).await);
        assert_eq!(pages.last().unwrap().status, 405);
        pages.push(browser.request(Method::GET, "/", &[("host", "evil.example")], None).await);
        for page in &pages {
            let policy = page.header("content-security-policy");
            for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(policy.contains(part), "{policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
            assert_eq!(page.header("cache-control"), "no-store");
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert_eq!(page.header("x-frame-options"), "DENY");
            assert_eq!(page.header("referrer-policy"), "same-origin");
            assert!(page.header("strict-transport-security").contains("max-age"));
            assert!(!page.body.contains("<script") && !page.body.contains("style="), "nothing inline");
        }
    }
}

on_both_databases! {
    async fn what_pages_need_may_be_kept_and_changes_its_address_with_its_content(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let mut browser = portal.browser();
        let page = browser.get("/sign-in").await;
        let style = page.body.split("href=\"").find_map(|rest| rest.split('"').next().filter(|url| url.ends_with("portal.css")));
        let style = style.unwrap().to_owned();
        let got = browser.get(&style).await;
        assert_eq!((got.status, got.header("content-type")), (200, "text/css; charset=utf-8"));
        assert_eq!(got.header("cache-control"), "public, max-age=31536000, immutable");
        let version = style.split('/').nth(2).unwrap();
        assert_eq!(browser.get(&style.replace(version, "0000000000000000")).await.status, 404);
        assert_eq!(browser.get(&format!("/assets/{version}/..%2f..%2fmod.rs")).await.status, 404);
    }
}

on_both_databases! {
    async fn the_api_is_where_it_was(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let client = crate::support::http::client();
        let lost = client.get(format!("{}/nowhere", portal.bridge.api)).send().await.unwrap();
        assert_eq!(lost.status(), 404);
        assert_eq!(lost.headers()["content-type"], "application/problem+json");
        // Probes and programs come by any name of the machine.
        assert_eq!(client.get(format!("{}/livez", portal.bridge.api)).send().await.unwrap().status(), 200);
    }
}
