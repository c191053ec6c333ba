//! A community whose members write by XMPP, on a server that nobody here wrote: the bridge is a component of it.

use jiff::SignedDuration;

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, forum};
use crate::support::database::Database;
use crate::support::prosody::{Cut, HELPER, Program, Prosody, listens};
use crate::support::receiver::{Telling, any_time};
use crate::support::recommendations::said;
use crate::support::story::linked;

const EHR: &str = "http://127.0.0.1:9/fhir";

async fn bridge(prosody: &Prosody, database: Database, more: &str) -> TestBridge {
    let text = prosody.settings(&database, EHR, more);
    TestBridge::start_with(database, &text).await
}

/// A server, a bridge that listens, and sparrow, who sees it.
async fn together(more: &str) -> Option<(Prosody, TestBridge, Program)> {
    let prosody = Prosody::start(&["sparrow", "wren"]).await?;
    let bridge = bridge(&prosody, Database::sqlite(), more).await;
    listens(&bridge);
    let mut sparrow = prosody.program("sparrow").await;
    sparrow.meets().await;
    Some((prosody, bridge, sparrow))
}

on_both_databases! {
    async fn somebody_joins_checks_in_and_stops_although_the_server_is_started_anew(database) {
        let Some(mut prosody) = Prosody::start(&["sparrow"]).await else { return };
        let bridge = bridge(&prosody, database, "").await;
        listens(&bridge);
        let mut sparrow = prosody.program("sparrow").await;
        sparrow.meets().await;
        let hello = sparrow.talks("hi").await;
        assert!(hello.contains("a program, no therapist") && hello.contains("You can say: Yes"), "{hello}");
        assert_eq!(bridge.database.count("members").await, 0);
        assert!(sparrow.talks("yes").await.starts_with("Welcome."));
        assert!(sparrow.talks("check in").await.contains("How are you"));
        // Answered, and known to be: or it would be answered once more by the next connection.
        sparrow.says_with("4", "<request xmlns='urn:xmpp:receipts'/>").await;
        assert!(sparrow.hears().await.contains("Shall I keep what you note, for you alone?"));
        sparrow.comes(|it| it.contains("<received")).await;
        prosody.stop();
        prosody.run().await;
        let mut sparrow = prosody.program("sparrow").await;
        sparrow.meets().await;
        let kept = sparrow.talks("keep it").await;
        assert!(kept.contains("Noted, for you alone."), "{kept}");
        assert_eq!(bridge.database.count("readings").await, 1);
        // The clinic links them, and they share something: so there is something to stop.
        let person = linked(&bridge, "forum", "sparrow@chat.test", "patient-of-sparrow").await;
        bridge.grant(&person, &["mood"]).await;
        let stopped = sparrow.talks("Stop everything!").await;
        assert!(stopped.contains("Everything is stopped."), "{stopped}");
        assert_eq!(audit::wrong(&bridge).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_spoke_is_answered_although_the_connection_is_cut_and_done_is_done_once() {
    let Some((prosody, bridge, mut sparrow)) = together("").await else { return };
    sparrow.talks("yes").await;
    sparrow.talks("mood").await;
    sparrow.talks("4").await;
    prosody.cuts(Cut::Before);
    assert!(sparrow.talks("keep it").await.contains("Noted"));
    assert_eq!(bridge.database.count("readings").await, 1);
    // The server had it: then it comes twice, and their program sees by its id that it is the same.
    prosody.cuts(Cut::After);
    sparrow.says("mood").await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = sparrow.comes(|it| it.contains("<body>")).await;
        let (_, rest) = answer.split_once(" id='").unwrap();
        ids.push(rest.split_once('\'').unwrap().0.to_owned());
    }
    assert_eq!(ids[0], ids[1]);
    sparrow.talks("2").await;
    let more = sparrow.everything().await;
    assert!(more.iter().all(|it| !it.contains("<body>")), "{more:?}");
    assert_eq!(bridge.database.count("readings").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_says_that_what_was_said_is_done() {
    let Some((_prosody, bridge, mut sparrow)) = together("").await else { return };
    sparrow.talks("hi").await;
    let id = sparrow.says_with("yes", "<request xmlns='urn:xmpp:receipts'/>").await;
    let receipt = sparrow.comes(|it| it.contains("<received")).await;
    assert!(receipt.contains("urn:xmpp:receipts") && receipt.contains(&format!(" id='{id}'")), "{receipt}");
    assert_eq!(bridge.database.count("members").await, 1);
    assert!(sparrow.hears().await.starts_with("Welcome."), "it was answered before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_elsewhere_or_encrypted_or_again_is_not_heard() {
    let Some((_prosody, bridge, mut sparrow)) = together("language = \"ru\"").await else { return };
    sparrow.talks("hi").await;
    let to = |kind: &str, to: &str, id: &str, more: &str| {
        format!("<message type='{kind}' to='{to}' id='{id}'><body>yes</body>{more}</message>")
    };
    for message in [
        to("groupchat", HELPER, "a", ""),
        to("headline", HELPER, "b", ""),
        to("chat", HELPER, "c", "<replace xmlns='urn:xmpp:message-correct:0' id='said-1'/>"),
        to("chat", HELPER, "d", "<x xmlns='http://jabber.org/protocol/muc#user'/>"),
    ] {
        sparrow.write(&message).await;
    }
    sparrow.write(&to("chat", HELPER, "e", "<encrypted xmlns='eu.siacs.conversations.axolotl'/>")).await;
    assert!(sparrow.hears().await.starts_with("Я не могу читать зашифрованное"));
    sparrow.write(&to("chat", "somebody@mostik.test", "f", "")).await;
    let refused = sparrow.comes(|it| it.contains("type='error'") && it.contains("id='f'")).await;
    assert!(refused.contains("service-unavailable"), "{refused}");
    assert!(sparrow.talks("xyzzy").await.contains("Хотите присоединиться?"), "nothing of it was heard");
    let more = sparrow.everything().await;
    assert!(more.iter().all(|it| !it.contains("<body>")), "{more:?}");
    assert_eq!(bridge.database.count("members").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_see_that_it_is_there_and_what_it_is() {
    let Some((_prosody, _bridge, mut sparrow)) = together("name = \"The helper\"").await else { return };
    let info = sparrow.asks("<query xmlns='http://jabber.org/protocol/disco#info'/>").await;
    assert!(info.contains("type='bot'") && info.contains("The helper") && info.contains("urn:xmpp:receipts"), "{info}");
    let unknown = sparrow.asks("<vCard xmlns='vcard-temp'/>").await;
    assert!(unknown.contains("type='error'") && unknown.contains("service-unavailable"), "{unknown}");
    // Whoever asked for their contacts is told of those that they get.
    sparrow.write("<iq type='get' id='contacts'><query xmlns='jabber:iq:roster'/></iq>").await;
    sparrow.comes(|it| it.starts_with("<iq") && it.contains("id='contacts'")).await;
    sparrow.write(&format!("<presence type='subscribe' to='{HELPER}'/>")).await;
    sparrow.comes(|it| it.contains(HELPER) && it.contains("subscription='to'")).await;
    sparrow.comes(|it| it.starts_with("<presence") && it.contains(HELPER) && !it.contains("type=")).await;
}

/// A server, a bridge that heard sparrow say hi and hears nothing from then on, sparrow and wren.
async fn deaf() -> Option<(Prosody, TestBridge, [Program; 2])> {
    let prosody = Prosody::start(&["sparrow", "wren"]).await?;
    let bridge = bridge(&prosody, Database::sqlite(), "").await;
    let (mut sparrow, wren) = (prosody.program("sparrow").await, prosody.program("wren").await);
    let hears = async {
        sparrow.meets().await;
        sparrow.says("hi").await;
    };
    let ((), is_ours) = tokio::join!(hears, bridge.listen());
    assert!(is_ours);
    sparrow.hears().await;
    Some((prosody, bridge, [sparrow, wren]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_answered_is_not_answered_again_because_somebody_else_was_not() {
    let Some((prosody, bridge, [mut sparrow, mut wren])) = deaf().await else { return };
    for program in [&mut sparrow, &mut wren] {
        program.says("who are you").await;
        program.meets().await;
    }
    prosody.cuts(Cut::Full("wren"));
    assert_eq!(bridge.ears.turn(&forum()).await.unwrap_err().to_string(), "what was heard could not be done: 503");
    assert!(bridge.listen().await, "what was not done is heard again");
    for program in [&mut sparrow, &mut wren] {
        assert!(program.hears().await.contains("helper"));
        let more = program.everything().await;
        assert!(more.iter().all(|it| !it.contains("<body>")), "once: {more:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_somebody_whose_server_sends_everything_back() {
    let Some((prosody, bridge, [mut sparrow, mut wren])) = deaf().await else { return };
    wren.says("who are you").await;
    wren.meets().await;
    for _ in 0..2 {
        sparrow.says("who are you").await;
        sparrow.meets().await;
        prosody.cuts(Cut::Full("wren"));
        assert!(bridge.ears.turn(&forum()).await.is_err(), "wren's is to be heard again");
        assert!(sparrow.hears().await.contains("helper"), "whoever comes after wren, then and later, is heard");
    }
    prosody.cuts(Cut::Full("wren"));
    assert!(bridge.listen().await, "wren is given up");
    for program in [&mut sparrow, &mut wren] {
        let more = program.everything().await;
        assert!(more.iter().all(|it| !it.contains("<body>")), "once: {more:?}");
    }
    wren.says("who are you").await;
    wren.meets().await;
    assert!(bridge.listen().await);
    assert!(wren.hears().await.contains("helper"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_not_heard_before_another_process_listens_is_told_so() {
    let Some((_prosody, bridge, [mut sparrow, _])) = deaf().await else { return };
    let id = sparrow.says("who are you").await;
    sparrow.meets().await;
    bridge.clock.advance(SignedDuration::from_secs(61));
    let (now, another) = (bridge.now(), uuid::Uuid::from_u128(7));
    let until = now.checked_add(SignedDuration::from_secs(60)).unwrap();
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    assert!(tx.hold_ear(&forum(), another, now, until).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!bridge.listen().await, "another process listens");
    let unheard = sparrow.comes(|it| it.contains("type='error'") && it.contains(&format!("id='{id}'"))).await;
    assert!(unheard.contains("recipient-unavailable") && unheard.contains("type='wait'"), "{unheard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_counts_anew_is_heard_and_one_that_says_it_again_is_answered_alike() {
    let Some((_prosody, bridge, mut sparrow)) = together("").await else { return };
    let message = |text: &str| format!("<message type='chat' to='{HELPER}' id='1'><body>{text}</body></message>");
    for (text, answer) in [("yes", "Welcome."), ("mood", "How are you"), ("4", "Shall I keep"), ("keep it", "Noted")] {
        sparrow.write(&message(text)).await;
        let heard = sparrow.hears().await;
        assert!(heard.contains(answer), "{text}: {heard}");
    }
    sparrow.write(&message("keep it")).await;
    assert!(sparrow.hears().await.contains("Noted"));
    assert_eq!(bridge.database.count("readings").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_more_than_is_kept_is_told_to_wait() {
    let Some((_prosody, bridge, [mut sparrow, mut wren])) = deaf().await else { return };
    for _ in 0..20 {
        sparrow.says("hi").await;
    }
    sparrow.meets().await;
    let refused = sparrow.everything().await;
    let refused = refused.iter().filter(|it| it.contains("type='error'") && it.contains("resource-constraint"));
    assert_eq!(refused.count(), 4);
    wren.says("hi").await;
    wren.meets().await;
    assert!(bridge.listen().await);
    wren.hears().await;
    for _ in 0..16 {
        sparrow.hears().await;
    }
}

on_both_databases! {
    async fn news_comes_from_the_component_once_the_server_has_it(database) {
        let Some(mut prosody) = Prosody::start(&["sparrow", "wren"]).await else { return };
        let bridge = bridge(&prosody, database, "").await;
        let telling = Telling::before(bridge);
        let sparrow = telling.member("sparrow@chat.test", "notice", any_time()).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telling.tell().await;
        assert_eq!(telling.open_tellings().await, 1, "nobody is connected");
        listens(&telling.bridge);
        prosody.program("wren").await.meets().await;
        // They are not there; and the server is started anew before they are.
        telling.bridge.clock.advance(SignedDuration::from_hours(1));
        telling.tell().await;
        assert_eq!(telling.open_tellings().await, 0);
        prosody.stop();
        prosody.run().await;
        let mut program = prosody.program("sparrow").await;
        let told = program.hears().await;
        assert!(told.contains("https://mostik.example/messages") && !told.contains("Walk"), "{told}");
        program.meets().await;
        assert!(program.everything().await.iter().all(|it| !it.contains("<body>")), "told once");
        let gone = telling.member("nobody@chat.test", "notice", any_time()).await;
        telling.comes(&gone, &said("Walk")).await;
        telling.tell().await;
        assert_eq!(telling.open_tellings().await, 0, "it waits in the portal");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_the_server_does_not_know_hears_nothing() {
    let Some(prosody) = Prosody::start(&[]).await else { return };
    let database = Database::sqlite();
    let wrong = database.secret_file("wrong.secret", "another secret");
    let text = prosody.settings(&database, EHR, "").replace("xmpp.secret", "wrong.secret");
    assert!(text.contains(&wrong));
    let bridge = TestBridge::start_with(database, &text).await;
    let refused = bridge.ears.turn(&forum()).await.unwrap_err();
    assert_eq!(refused.to_string(), "the answer was 401");
}
