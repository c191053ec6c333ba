//! A community on a forum that nobody here wrote: Misago, in which the bridge has an account.

use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::Method;

use crate::support::audit;
use crate::support::bridge::{Person, TestBridge, forum};
use crate::support::database::Database;
use crate::support::misago::{COUNTED, ELSEWHERE, HELPERS, Misago, User};
use crate::support::prosody::listens;
use crate::support::receiver::{Telling, any_time};
use crate::support::recommendations::said;
use crate::support::server::moment;
use crate::support::story::linked;

const EHR: &str = "http://127.0.0.1:9/fhir";

async fn bridge(misago: &Misago, database: Database, account: &str, more: &str) -> TestBridge {
    let text = misago.settings(&database, EHR, account, more);
    TestBridge::start_with(database, &text).await
}

/// Waits until the bridge has so many readings.
async fn has_readings(bridge: &TestBridge, so_many: i64) {
    for _ in 0..3000 {
        if bridge.database.count("readings").await == so_many {
            return;
        }
        moment().await;
    }
    panic!("{} readings, not {so_many}", bridge.database.count("readings").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_joins_checks_in_is_told_something_and_stops() {
    let Some(misago) = Misago::start().await else { return };
    // Each database's bridge has an account and a member of its own.
    let each = Database::all().await.into_iter().zip(HELPERS).zip(["sparrow", "wren"]);
    join_all(each.map(|((database, helper), name)| Box::pin(whole_story(&misago, database, helper, name)))).await;
}

async fn whole_story(misago: &Misago, database: Database, helper: &str, name: &str) {
    let bridge = bridge(misago, database, helper, "").await;
    listens(&bridge);
    let member = misago.user(name).await;
    let thread = member.writes_to(&[helper], "hello").await;
    let hello = member.hears(thread, 1).await.remove(0);
    assert!(hello.contains("a program, no therapist") && hello.contains("You can say: Yes"), "{hello}");
    // As Misago is set up, it takes nothing shorter than five signs.
    assert!(hello.contains("put dots behind it"), "{hello}");
    assert_eq!(bridge.database.count("members").await, 0);
    assert!(member.talks(thread, "yes..").await.contains("Welcome."));
    assert!(member.talks(thread, "check in").await.contains("How are you"));
    let asked = member.talks(thread, "4....").await;
    assert!(asked.contains("Shall I keep what you note, for you alone?"), "{asked}");
    assert!(member.talks(thread, "keep it").await.contains("Noted, for you alone."));
    assert_eq!(bridge.database.count("readings").await, 1);

    let telling = Telling::before(bridge);
    let person = linked(&telling.bridge, "forum", &member.id.to_string(), "patient-of-theirs").await;
    telling.consent(&person, "notice").await;
    telling.wish(&person, any_time()).await;
    telling.comes(&person, &said("Walk half an hour")).await;
    telling.tell().await;
    assert_eq!(telling.open_tellings().await, 0);
    let told = member.hears(thread, 6).await.remove(5);
    assert!(told.contains("mostik.example/messages") && !told.contains("Walk"), "{told}");
    let stopped = member.talks(thread, "Stop everything!").await;
    assert!(stopped.contains("Everything is stopped."), "{stopped}");
    assert_eq!((member.heard(thread).await.len(), member.private_threads().await), (7, vec![thread]));
    assert_eq!(audit::wrong(&telling.bridge).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_in_public_is_counted_until_it_is_hidden_or_deleted() {
    let Some(misago) = Misago::start().await else { return };
    let (sparrow, wren, hawk) = (misago.user("sparrow").await, misago.user("wren").await, misago.user("hawk").await);
    let mut bridges = Vec::new();
    for (database, helper) in Database::all().await.into_iter().zip(HELPERS) {
        let bridge = bridge(&misago, database, helper, &format!("counted = [{COUNTED}]")).await;
        let person = bridge.person(&sparrow.id.to_string(), "patient-of-sparrow").await;
        bridge.grant(&person, &["community"]).await;
        listens(&bridge);
        bridges.push(bridge);
    }
    let each_has = async |so_many| {
        join_all(bridges.iter().map(|bridge| has_readings(bridge, so_many))).await;
    };
    sparrow.begins(ELSEWHERE, "Not for you").await;
    let thread = sparrow.begins(COUNTED, "Is anybody there?").await;
    wren.answers(thread, "I am, dear").await;
    let mut posts = Vec::new();
    for text in ["first", "second", "third"] {
        posts.push(sparrow.answers(thread, text).await);
    }
    each_has(4).await;
    let api = format!("/api/threads/{thread}/");
    hawk.hides(&format!("{api}posts/{}/", posts[2])).await;
    each_has(3).await;
    hawk.deletes(&format!("{api}posts/{}/", posts[1])).await;
    each_has(2).await;
    hawk.deletes(&api).await;
    each_has(0).await;
    for bridge in &bridges {
        let (read, members) = (bridge.database.count("readings").await, bridge.database.count("members").await);
        assert_eq!((read, members), (0, 1), "nobody else, and nothing elsewhere");
    }
    assert!(sparrow.private_threads().await.is_empty(), "nobody was told anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_that_is_longer_than_is_read_makes_nobody_else_unheard() {
    let Some(misago) = Misago::start().await else { return };
    misago.has_pages_as_usual().await;
    let (sparrow, wren, hawk) = (misago.user("sparrow").await, misago.user("wren").await, misago.user("hawk").await);
    let bridge = bridge(&misago, Database::sqlite(), HELPERS[0], &format!("counted = [{COUNTED}]")).await;
    let person = bridge.person(&wren.id.to_string(), "patient-of-wren").await;
    bridge.grant(&person, &["community"]).await;
    // As long as posts may be, and five times as long where they are shown.
    let long = "&".repeat(60_000);
    let (private, public) = (sparrow.writes_to(&[HELPERS[0]], &long).await, sparrow.begins(COUNTED, &long).await);
    for _ in 0..15 {
        sparrow.writes(private, &long).await;
        sparrow.answers(public, &long).await;
    }
    assert!(sparrow.first_page(private).await > 4 << 20, "no longer than is read");
    let thread = wren.writes_to(&[HELPERS[0]], "hello").await;
    let open = wren.begins(COUNTED, "Is anybody there?").await;
    listens(&bridge);
    wren.hears(thread, 1).await;
    has_readings(&bridge, 1).await;
    // What is taken back is seen, too; and sparrow is heard where they write less.
    hawk.deletes(&format!("/api/threads/{open}/")).await;
    has_readings(&bridge, 0).await;
    let second = sparrow.writes_to(&[HELPERS[0]], "hello").await;
    sparrow.hears(second, 1).await;
}

/// Sparrow on a forum, and a bridge that does not listen yet.
async fn together() -> Option<(Misago, TestBridge, User)> {
    let misago = Misago::start().await?;
    let bridge = bridge(&misago, Database::sqlite(), HELPERS[0], "").await;
    let sparrow = misago.user("sparrow").await;
    Some((misago, bridge, sparrow))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_while_no_bridge_listened_is_heard_afterwards_once() {
    let Some((_misago, bridge, sparrow)) = together().await else { return };
    let thread = sparrow.writes_to(&[HELPERS[0]], "hello").await;
    for text in ["yes..", "check in", "4....", "keep it", "hello", "hello"] {
        sparrow.writes(thread, text).await;
    }
    // It answers a page of them, and ends before it has marked them.
    assert!(bridge.listen().await);
    assert_eq!(sparrow.heard(thread).await.len(), 5);
    let successor = bridge.beside(SignedDuration::from_mins(2)).await;
    listens(&successor);
    let heard = sparrow.hears(thread, 7).await;
    assert!(sparrow.talks(thread, "hello").await.contains("What would you like to do?"), "{heard:?}");
    assert_eq!((sparrow.heard(thread).await.len(), bridge.database.count("readings").await), (8, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_is_not_said_again_although_the_answer_was_lost_or_the_session_has_ended() {
    let Some((misago, bridge, sparrow)) = together().await else { return };
    let telling = Telling::before(bridge);
    // Nobody wrote yet: the bridge begins a thread, and hears what is answered there.
    let person = telling.member(&sparrow.id.to_string(), "notice", any_time()).await;
    misago.loses("/api/private-threads/");
    comes(&telling, &person).await;
    misago.has_lost().await;
    assert_eq!(telling.open_tellings().await, 1, "nothing is known of it");
    tells_later(&telling).await;
    let threads = sparrow.private_threads().await;
    assert_eq!((threads.len(), telling.open_tellings().await), (1, 0));
    let heard = sparrow.heard(threads[0]).await;
    assert!(heard.len() == 1 && heard[0].contains("mostik.example/messages"), "{heard:?}");
    misago.loses("/posts/");
    comes(&telling, &person).await;
    misago.has_lost().await;
    misago.forgets_sessions().await;
    let sparrow = misago.user("sparrow").await;
    tells_later(&telling).await;
    assert_eq!((sparrow.heard(threads[0]).await.len(), telling.open_tellings().await), (2, 0));

    listens(&telling.bridge);
    misago.loses("/posts/");
    assert!(sparrow.talks(threads[0], "hello").await.contains("What would you like to do?"));
    misago.has_lost().await;
    misago.forgets_sessions().await;
    let sparrow = misago.user("sparrow").await;
    assert!(sparrow.talks(threads[0], "check in").await.contains("How are you"));
    assert_eq!((sparrow.heard(threads[0]).await.len(), sparrow.private_threads().await), (4, threads));
}

async fn comes(telling: &Telling, person: &Person) {
    telling.comes(person, &said("Walk half an hour")).await;
    telling.tell().await;
}

async fn tells_later(telling: &Telling) {
    telling.bridge.clock.advance(SignedDuration::from_hours(1));
    telling.tell().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_where_others_read_along_or_to_whom_it_is_not_wanted() {
    let Some((misago, bridge, sparrow)) = together().await else { return };
    let wren = misago.user("wren").await;
    let with_others = sparrow.writes_to(&[HELPERS[0], "wren"], "hello").await;
    let taken_back = sparrow.writes_to(&[HELPERS[0]], "hello").await;
    let post = sparrow.writes(taken_back, "Not this").await;
    sparrow.hides(&format!("/api/private-threads/{taken_back}/posts/{post}/")).await;
    listens(&bridge);
    sparrow.hears(taken_back, 1).await;
    assert_eq!((sparrow.heard(with_others).await.len(), bridge.database.count("members").await), (0, 0));
    // Nor is anything told where others have come in between.
    let thread = wren.writes_to(&[HELPERS[0]], "hello").await;
    wren.hears(thread, 1).await;
    let telling = Telling::before(bridge);
    let hawk = misago.user("hawk").await;
    wren.wants_no_private_threads().await;
    let come = serde_json::json!([{"op": "add", "path": "participants", "value": "hawk"}]);
    assert_eq!(wren.call(Method::PATCH, &format!("/api/private-threads/{thread}/"), Some(&come)).await.status, 200);
    for handle in [wren.id.to_string(), "999".to_owned(), "wren".to_owned()] {
        let person = telling.member(&handle, "notice", any_time()).await;
        comes(&telling, &person).await;
        assert_eq!(telling.open_tellings().await, 0, "it waits in the portal");
    }
    assert_eq!((wren.heard(thread).await.len(), hawk.private_threads().await), (1, vec![thread]));
    assert_eq!(sparrow.heard(taken_back).await.len(), 1, "nor what was taken back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_with_another_password_hears_nothing() {
    let Some(misago) = Misago::start().await else { return };
    let database = Database::sqlite();
    let wrong = database.secret_file("wrong.password", "another password");
    let text = misago.settings(&database, EHR, HELPERS[0], "").replace("misago.password", "wrong.password");
    assert!(text.contains(&wrong));
    let bridge = TestBridge::start_with(database, &text).await;
    assert_eq!(bridge.ears.turn(&forum()).await.unwrap_err().to_string(), "the answer was 401");
}
