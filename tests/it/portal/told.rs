//! *How you are told*, as members set it; and notes in their browsers.

use jiff::civil::time;
use mostik::domain::settings::Change;
use mostik::domain::telling::{Closed, Grade, Quiet, Subject, Wishes};

use crate::on_both_databases;
use crate::support::bridge::Person;
use crate::support::database::Database;
use crate::support::own::BROWSER_KEYS;
use crate::support::portal::{Browser, Page, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::receiver::PUSH;

async fn open(database: Database, push: bool) -> (Portal, Person, Browser) {
    let postbox = Postbox::open();
    let text = portal_config(&database, "http://127.0.0.1:9/fhir", &postbox);
    let text = if push { text + PUSH } else { text };
    let portal = Portal::open_with(database, &text, postbox).await;
    let sparrow = portal.bridge.unlinked_person("sparrow").await;
    let browser = portal.sign_in(&sparrow).await;
    (portal, sparrow, browser)
}

fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}

/// What a browser sends of a page that nobody touched.
fn untouched(page: &Page) -> Vec<(String, String)> {
    let html = page.html();
    let main = html.named("main")[0];
    let given = |field: &&crate::support::html::Element| match field.get("type") {
        "radio" | "checkbox" => field.attributes.contains_key("checked"),
        _ => field.get("name") != "csrf",
    };
    let inputs = main.named("input").into_iter().filter(given);
    let mut fields: Vec<_> = inputs.map(|it| (it.get("name").to_owned(), it.get("value").to_owned())).collect();
    for select in main.named("select") {
        let chosen = select.all(&|option| option.attributes.contains_key("selected"));
        fields.push((select.get("name").to_owned(), chosen[0].get("value").to_owned()));
    }
    fields
}

async fn save(browser: &mut Browser, fields: &[(String, String)], with: &[(&str, &str)]) -> Page {
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (name, value) in with {
        fields.retain(|(found, _)| found != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    browser.post("/settings/messages", &fields).await
}

on_both_databases! {
    async fn the_defaults_do_no_harm_and_stay_when_nobody_touches_them(database) {
        let (portal, sparrow, mut browser) = open(database, true).await;
        assert!(browser.get("/settings").await.html().links().contains(&"/settings/messages"));
        let page = browser.get("/settings/messages").await;
        assert!(main_text(&page).contains("Only that there is a message, with a link") && main_text(&page).contains("By your clock: UTC."));
        let fields = untouched(&page);
        assert_eq!(save(&mut browser, &fields, &[]).await.location(), "/settings/messages");
        let wishes = portal.bridge.settings(&sparrow).await.told;
        let order = ["push", "community:forum"].map(|name| name.parse().unwrap()).into();
        assert!(wishes == Wishes { order, ..Wishes::default() }, "the order that was shown is now said");
        assert_eq!((wishes.grade, wishes.quiet, wishes.daily), (Grade::Notice, Some(Quiet::NIGHT), None));
    }
}

on_both_databases! {
    async fn what_a_member_wishes_is_kept_and_shown_again(database) {
        let (portal, sparrow, mut browser) = open(database, true).await;
        portal.bridge.move_to(&sparrow, "Asia/Tokyo").await;
        let page = browser.get("/settings/messages").await;
        let wishes = [("grade", "summary"), ("when", "daily"), ("daily-at", "07:30"), ("quiet-from", "21:15"), ("quiet-until", "06:45"),
            ("tell-appointment", ""), ("way-community:forum", "1"), ("way-push", "0")];
        let fields = untouched(&page);
        assert_eq!(save(&mut browser, &fields, &wishes).await.status, 303);
        let told = portal.bridge.settings(&sparrow).await.told;
        assert_eq!((told.grade, told.daily), (Grade::Summary, Some(time(7, 30, 0, 0))));
        assert_eq!(told.quiet, Some(Quiet { from: time(21, 15, 0, 0), until: time(6, 45, 0, 0) }));
        assert_eq!((told.silent, told.unused), ([Subject::Appointment].into(), ["push".parse().unwrap()].into()));
        let again = browser.get("/settings/messages").await;
        assert!(main_text(&again).contains("Saved.") && main_text(&again).contains("By your clock: Asia/Tokyo."));
        let shown = untouched(&again);
        for (name, value) in wishes.into_iter().filter(|(_, value)| !value.is_empty()) {
            assert!(shown.contains(&(name.to_owned(), value.to_owned())), "{name}: {shown:?}");
        }
        assert!(!shown.iter().any(|(name, _)| name == "tell-appointment"), "{shown:?}");
        let nights = save(&mut browser, &shown, &[("quiet", "")]).await;
        assert_eq!((nights.status, portal.bridge.settings(&sparrow).await.told.quiet), (303, None));
    }
}

on_both_databases! {
    async fn a_time_that_is_none_changes_nothing(database) {
        let (portal, sparrow, mut browser) = open(database, false).await;
        let page = browser.get("/settings/messages").await;
        let fields = untouched(&page);
        for wrong in [[("quiet-from", "late"), ("quiet", "yes")], [("when", "daily"), ("daily-at", "25:00")]] {
            let refused = save(&mut browser, &fields, &wrong).await;
            assert_eq!(refused.status, 422, "{wrong:?}");
            assert!(main_text(&refused).contains("Please enter times such as 22:00. Nothing was changed."));
        }
        assert_eq!(save(&mut browser, &fields, &[("grade", "everything")]).await.status, 400);
        assert!(portal.bridge.settings(&sparrow).await.told == Wishes::default());
    }
}

on_both_databases! {
    async fn a_channel_that_was_closed_is_opened_again_by_whom_it_leads_to(database) {
        let (portal, sparrow, mut browser) = open(database, false).await;
        let closed = Closed { channel: "community:forum".parse().unwrap(), at: portal.bridge.now(), said: true };
        portal.bridge.set(&sparrow, Change { closed: Some(closed), ..Change::default() }).await;
        let page = browser.get("/settings/messages").await;
        assert!(main_text(&page).contains("Switched off on 20 November 2026: nobody could be reached there any more."));
        assert_eq!(save(&mut browser, &untouched(&page), &[]).await.status, 303);
        assert_eq!(portal.bridge.settings(&sparrow).await.closed.len(), 1, "saving alone does not");
        browser.get("/settings/messages").await;
        assert_eq!(browser.post("/settings/messages", &[("open", "community:forum")]).await.status, 303);
        assert!(portal.bridge.settings(&sparrow).await.closed.is_empty());
        assert_eq!(browser.post("/settings/messages", &[("open", "pigeon")]).await.status, 400);
    }
}

/// Switches notes on, as the page's script does.
async fn switch_on(browser: &mut Browser, endpoint: &str) -> Page {
    let [point, auth] = BROWSER_KEYS;
    browser.get("/settings/messages").await;
    browser.post("/settings/push", &[("endpoint", endpoint), ("p256dh", point), ("auth", auth)]).await
}

async fn browsers(portal: &Portal, person: &Person) -> usize {
    portal.bridge.bridge.store.read().await.unwrap().subscriptions(person.id).await.unwrap().len()
}

on_both_databases! {
    async fn a_browser_is_switched_on_and_off_and_belongs_to_whoever_is_signed_in_in_it(database) {
        let (portal, sparrow, mut browser) = open(database, true).await;
        assert_eq!(switch_on(&mut browser, "http://127.0.0.1:9/push/1").await.location(), "/settings/push");
        let page = browser.get("/settings/push").await;
        assert!(page.body.contains("Switched on in this browser.") && page.body.contains("A browser, since 20 November 2026"));
        assert!(!page.body.contains("127.0.0.1:9"), "its address is not shown");
        switch_on(&mut browser, "http://127.0.0.1:9/push/1").await;
        assert_eq!(browsers(&portal, &sparrow).await, 1, "the same browser is one");
        let wren = portal.bridge.unlinked_person("wren").await;
        let mut other = portal.sign_in(&wren).await;
        switch_on(&mut other, "http://127.0.0.1:9/push/1").await;
        assert_eq!((browsers(&portal, &sparrow).await, browsers(&portal, &wren).await), (0, 1));
        let id = portal.bridge.bridge.store.read().await.unwrap().subscriptions(wren.id).await.unwrap()[0].id.to_string();
        browser.get("/settings/messages").await;
        assert_eq!(browser.post("/settings/push/off", &[("browser", &id)]).await.status, 303);
        assert_eq!(browsers(&portal, &wren).await, 1, "not by somebody else");
        other.get("/settings/messages").await;
        assert_eq!(other.post("/settings/push/off", &[("browser", &id)]).await.status, 303);
        assert_eq!(browsers(&portal, &wren).await, 0);
    }
}

on_both_databases! {
    async fn only_browsers_that_can_be_told_are_taken_and_not_endlessly_many(database) {
        let (portal, sparrow, mut browser) = open(database, true).await;
        for elsewhere in ["https://evil.example/", "http://127.0.0.2/", "file:///etc/passwd", "javascript:alert(1)", "", "http://u:p@127.0.0.1/"] {
            let refused = switch_on(&mut browser, elsewhere).await;
            assert_eq!((refused.status, refused.body.contains("named a service that cannot be used here")), (422, true), "{elsewhere}");
        }
        for number in 0..10 {
            assert_eq!(switch_on(&mut browser, &format!("http://127.0.0.1/{number}")).await.status, 303);
        }
        assert_eq!(switch_on(&mut browser, "http://127.0.0.1/10").await.status, 422);
        assert_eq!(browsers(&portal, &sparrow).await, 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_page_has_a_script_of_the_portal_itself_and_says_why() {
    let (portal, _, mut browser) = open(Database::sqlite(), true).await;
    let page = browser.get("/settings/push").await;
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("script-src 'self'; worker-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let script = page.body.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(page.body.matches("<script").count(), 1);
    assert!(page.body.contains("this page needs JavaScript"));
    let key = portal.bridge.bridge.signing.push().unwrap().public();
    assert!(page.body.contains(&format!("data-key=\"{key}\"")));
    for (path, cached) in [(script.as_str(), "immutable"), ("/push-worker.js", "no-cache")] {
        let file = browser.get(path).await;
        assert_eq!((file.status, file.header("content-type")), (200, "text/javascript; charset=utf-8"), "{path}");
        assert!(file.header("cache-control").contains(cached), "{path}");
    }
    for other in ["/settings/messages", "/messages", "/settings"] {
        assert!(!browser.get(other).await.header("content-security-policy").contains("script-src"), "{other}");
    }
    let (_, _, mut without) = open(Database::sqlite(), false).await;
    assert_eq!(without.get("/settings/push").await.status, 404, "where notes are off");
    assert!(!without.get("/settings/messages").await.body.contains("/settings/push"));
}
