//! Messages of clinics in the portal: listed, read, answered; taken back; and each for nobody but whom they are for.

use jiff::SignedDuration;
use mostik::domain::ids::RecommendationId;
use mostik::domain::questionnaire::Instrument;
use mostik::domain::recommendation::{AppointmentNews, RecommendationState, Said, When};
use mostik::domain::settings::Change;
use mostik::domain::telling::{Channel, Closed};

use crate::on_both_databases;
use crate::support::bridge::Person;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::{Browser, Page, Portal};
use crate::support::recommendations::{all, put, put_with_focus, said, task, write};

async fn open(database: Database) -> (Portal, Person, Browser) {
    let portal = Portal::open(database, "http://127.0.0.1:9/fhir").await;
    let sparrow = portal.bridge.person("sparrow", "patient-of-sparrow").await;
    portal
        .bridge
        .share_by(&sparrow, serde_json::json!({"categories": {"mood": "every-entry"}, "way_back": "notice"}))
        .await;
    let browser = portal.sign_in(&sparrow).await;
    (portal, sparrow, browser)
}

fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}

fn nav(page: &Page) -> String {
    page.html().named("nav")[0].text()
}

async fn state(portal: &Portal, person: &Person) -> RecommendationState {
    all(&portal.bridge, person).await[0].state
}

async fn take_back(portal: &Portal, person: &Person, id: RecommendationId) {
    let mut tx = portal.bridge.bridge.store.begin().await.unwrap();
    let row = tx.recommendation(person.id, id).await.unwrap().unwrap();
    tx.set_recommendation_state(&row, RecommendationState::Retracted, portal.bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
}

on_both_databases! {
    async fn a_message_is_listed_read_accepted_and_done_and_says_at_each_step_where_it_stands(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let empty = browser.get("/messages").await;
        assert!(main_text(&empty).contains("Nothing yet."));
        assert!(!nav(&empty).contains("new)"), "{}", nav(&empty));
        let id = put(&portal.bridge, &sparrow, &said("Walk half an hour\nevery other day")).await;
        let home = browser.get("/settings").await;
        assert!(nav(&home).contains("Messages (1 new)"), "{}", nav(&home));
        let list = browser.get("/messages").await;
        assert!(main_text(&list).contains("New: Something to do Walk half an hour Riverside, 20 November 2026 · waiting for you"), "{}", main_text(&list));
        assert_eq!(state(&portal, &sparrow).await, RecommendationState::Delivered, "whoever sees the list knows");
        assert!(main_text(&browser.get("/messages").await).contains("· you were told"));

        let path = format!("/messages/{id}");
        assert!(list.html().links().contains(&path.as_str()));
        let message = browser.get(&path).await;
        let said = main_text(&message);
        assert_eq!(message.html().by_id("said").exactly(), "Walk half an hour\nevery other day");
        for words in ["Written by those who treat you at Riverside, not by your community.", "From Riverside",
            "Who recommends it Dr. Ada Example", "Arrived here 20 November 2026, 12:00", "Where it stands read"] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(!nav(&message).contains("new)"), "it counts as read: {}", nav(&message));
        assert_eq!(state(&portal, &sparrow).await, RecommendationState::Seen);

        let accepted = browser.post_and_follow(&path, &[("answer", "accept")]).await;
        let said = main_text(&accepted);
        assert!(said.contains("Noted: you want to do it.") && said.contains("Where it stands accepted"), "{said}");
        assert!(!said.contains("I will do it") && said.contains("I have done it"), "{said}");
        portal.bridge.clock.advance(SignedDuration::from_mins(5));
        let done = main_text(&browser.post_and_follow(&path, &[("answer", "done")]).await);
        assert!(done.contains("Where it stands done") && !done.contains("I have done it"), "{done}");
        assert!(done.contains("12:00 You want to do it") && done.contains("12:05 You have done it"), "{done}");
        assert_eq!(state(&portal, &sparrow).await, RecommendationState::Done);
        assert_eq!(browser.post(&path, &[("answer", "accept")]).await.status, 409, "in another window");
    }
}

on_both_databases! {
    async fn whoever_declines_may_say_why_and_need_not(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let first = put(&portal.bridge, &sparrow, &said("a")).await;
        let second = put(&portal.bridge, &sparrow, &said("bb")).await;
        browser.get(&format!("/messages/{first}")).await;
        let told = main_text(&browser.post_and_follow(&format!("/messages/{first}"), &[("answer", "decline"), ("reason", " ")]).await);
        assert!(told.contains("Where it stands declined") && told.contains("You do not want to do it"), "{told}");
        let reason = "My knee hurts.\n<b>Please</b> call.";
        let page = browser.post_and_follow(&format!("/messages/{second}"), &[("answer", "decline"), ("reason", reason)]).await;
        assert_eq!(page.html().by_id("answers").of_class("said")[0].exactly(), reason, "as they wrote it");
        let long = "x".repeat(2001);
        let third = put(&portal.bridge, &sparrow, &said("ccc")).await;
        let refused = browser.post(&format!("/messages/{third}"), &[("answer", "decline"), ("reason", &long)]).await;
        assert_eq!(refused.status, 422);
        assert!(main_text(&refused).contains("at most 2000 characters. Nothing was sent."));
        assert_eq!(refused.html().by_id("reason").exactly(), long, "nothing is lost");
    }
}

on_both_databases! {
    async fn a_question_never_looks_as_if_somebody_read_it_at_once(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let id = put(&portal.bridge, &sparrow, &said("Walk half an hour")).await;
        let path = format!("/messages/{id}");
        let page = browser.get(&path).await;
        let question = page.html();
        let question = question.named("details").into_iter().find(|part| part.text().contains("I have a question")).unwrap();
        let text = question.text();
        for words in ["This is not a chat.", "that can take several days", "Nobody reads it at once, and not at night.",
            "This is not an emergency line.", "In an emergency: 112"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(question.links().iter().any(|link| link.starts_with("http")), "where help is: {text}");
        let before = text.find("This is not an emergency line").unwrap() < text.find("Your question").unwrap();
        assert!(before, "before they write");
        let empty = browser.post(&path, &[("answer", "question"), ("question", "  ")]).await;
        assert_eq!((empty.status, main_text(&empty).contains("Please write your question")), (422, true));
        let asked = browser.post_and_follow(&path, &[("answer", "question"), ("question", "How far?")]).await;
        let told = main_text(&asked);
        assert!(told.contains("It can take several days until somebody reads it."), "{told}");
        assert!(told.contains("You asked something How far?") && told.contains("Where it stands read"), "{told}");
    }
}

on_both_databases! {
    async fn what_was_taken_back_says_so_and_nothing_else(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let id = put(&portal.bridge, &sparrow, &said("Two tablets at night")).await;
        browser.get(&format!("/messages/{id}")).await;
        take_back(&portal, &sparrow, id).await;
        let page = browser.get(&format!("/messages/{id}")).await;
        let text = main_text(&page);
        assert!(text.contains("Your clinic has taken this back. It no longer counts."), "{text}");
        assert!(text.contains("Where it stands taken back by the clinic"), "{text}");
        assert!(!page.body.contains("Two tablets") && !text.contains("Your answer") && !text.contains("Dr. Ada"), "{text}");
        let list = browser.get("/messages").await;
        assert!(!list.body.contains("Two tablets") && main_text(&list).contains("· taken back by the clinic"));
        assert_eq!(browser.post(&format!("/messages/{id}"), &[("answer", "done")]).await.status, 409);
    }
}

on_both_databases! {
    async fn what_may_be_misread_is_said_with_care(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let show = async |browser: &mut Browser, says: Said| {
            let id = put(&portal.bridge, &sparrow, &says).await;
            main_text(&browser.get(&format!("/messages/{id}")).await)
        };
        let not = show(&mut browser, Said { is_not_to_be_done: true, ..said("Take aspirin") }).await;
        assert!(not.contains("This says what you should not do: Take aspirin"), "{not}");
        let unclear = show(&mut browser, Said { is_unclear: true, text: String::new(), is_actionable: false, ..said("unclear") }).await;
        assert!(unclear.contains("Please ask the clinic what it says.") && !unclear.contains("I will do it"), "{unclear}");
        let urgent = show(&mut browser, Said { is_urgent: true, until: Some(When::Day("2026-11-23".parse().unwrap())), ..said("urgent!") }).await;
        assert!(urgent.contains("more urgent than usual") && urgent.contains("Until when 23 November 2026"), "{urgent}");
        let hostile = show(&mut browser, said("<script>alert(1)</script><img src=x onerror=alert(1)>")).await;
        assert!(hostile.contains("<script>alert(1)</script>"), "as text: {hostile}");
        let read_only = show(&mut browser, Said { is_actionable: false, is_answerable: false, ..said("for your information") }).await;
        assert!(!read_only.contains("Your answer"), "{read_only}");
    }
}

on_both_databases! {
    async fn an_appointment_says_what_became_of_it_also_where_nobody_wrote_anything(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let from = Some(When::At("2026-12-01T09:00:00Z".parse().unwrap()));
        let visit = |news, text: &str| Said { appointment: Some(news), from, is_actionable: false, text: text.to_owned(), ..said(text) };
        for (news, text, words) in [
            (AppointmentNews::Pending, "x", "not confirmed yet"),
            (AppointmentNews::Booked, "First talk", "This appointment is booked."),
            (AppointmentNews::Cancelled, "", "This appointment was cancelled. It does not take place."),
        ] {
            let id = put(&portal.bridge, &sparrow, &visit(news, text)).await;
            let page = main_text(&browser.get(&format!("/messages/{id}")).await);
            assert!(page.contains(words) && page.contains("From when on 1 December 2026"), "{page}");
            let list = main_text(&browser.get("/messages").await);
            assert!(list.contains(words), "{list}");
        }
        put(&portal.bridge, &sparrow, &Said { is_not_to_be_done: true, ..said("Take aspirin") }).await;
        let list = main_text(&browser.get("/messages").await);
        assert!(list.contains("This says what you should not do: Take aspirin"), "{list}");
    }
}

on_both_databases! {
    async fn the_list_says_what_became_of_each_answer(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
        let terms = serde_json::json!({"categories": {"mood": "every-entry"}, "way_back": "notice"});
        let grant = portal.bridge.share_by(&sparrow, terms).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let task = write(&ehr.base, task(&ehr.patient, "Walk half an hour")).await;
        let mut says = said("Walk half an hour");
        task["id"].as_str().unwrap().clone_into(&mut says.source.id);
        let path = format!("/messages/{}", put(&portal.bridge, &sparrow, &says).await);
        browser.get(&path).await;
        let untold = main_text(&browser.get("/messages").await);
        assert!(!untold.contains("your answer"), "{untold}");
        browser.post_and_follow(&path, &[("answer", "accept")]).await;
        let waits = main_text(&browser.get("/messages").await);
        assert!(waits.contains("· accepted · your answer is on its way"), "{waits}");
        portal.bridge.deliver().await;
        let told = main_text(&browser.get("/messages").await);
        assert!(told.contains("· accepted · your clinic has your answer"), "{told}");
        browser.post_and_follow(&path, &[("answer", "done")]).await;
        portal.bridge.change_grant(&sparrow, &grant, "revoke").await;
        let lost = main_text(&browser.get("/messages").await);
        assert!(lost.contains("· done · your answer did not arrive"), "{lost}");
    }
}

on_both_databases! {
    async fn while_it_is_paused_nothing_can_be_answered_and_it_says_why(database) {
        let portal = Portal::open(database, "http://127.0.0.1:9/fhir").await;
        let sparrow = portal.bridge.person("sparrow", "patient-of-sparrow").await;
        let terms = serde_json::json!({"categories": {"mood": "every-entry"}, "way_back": "notice"});
        let grant = portal.bridge.share_by(&sparrow, terms).await;
        let mut browser = portal.sign_in(&sparrow).await;
        let id = put(&portal.bridge, &sparrow, &said("Walk half an hour")).await;
        let path = format!("/messages/{id}");
        browser.get(&path).await;
        portal.bridge.change_grant(&sparrow, &grant, "pause").await;
        let late = browser.post(&path, &[("answer", "question"), ("question", "How far?")]).await;
        let text = main_text(&late);
        assert_eq!(late.status, 422);
        assert!(text.contains("This was not sent.") && text.contains("How far?"), "nothing they wrote is lost: {text}");
        let page = browser.get(&path).await;
        let text = main_text(&page);
        assert!(text.contains("You have paused what you share with Riverside.") && text.contains("Walk half an hour"), "{text}");
        assert!(page.html().by_id("why-not").links().contains(&"/sharing") && !page.body.contains("name=\"answer\""), "{text}");
        portal.bridge.change_grant(&sparrow, &grant, "resume").await;
        assert!(browser.get(&path).await.body.contains("name=\"answer\""));
        portal.bridge.change_grant(&sparrow, &grant, "revoke").await;
        let text = main_text(&browser.get(&path).await);
        assert!(text.contains("You do not share with Riverside any more") && !text.contains("I will do it"), "{text}");
    }
}

on_both_databases! {
    async fn a_questionnaire_that_is_asked_for_leads_to_it_and_what_a_task_tells_is_not_told_twice(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let asked = Said { questionnaire: Some(Instrument::Phq9), ..said("Please fill in PHQ-9") };
        let order = said("the order itself, told by the task");
        put(&portal.bridge, &sparrow, &order).await;
        let id = put_with_focus(&portal.bridge, &sparrow, &asked, Some(&order.source)).await;
        let list = browser.get("/messages").await;
        assert!(nav(&list).contains("Messages (1 new)"), "{}", nav(&list));
        assert_eq!(list.html().by_id("messages").named("li").len(), 1);
        let page = browser.get(&format!("/messages/{id}")).await;
        assert!(page.html().links().contains(&"/questionnaires/phq-9"), "{}", page.body);
    }
}

on_both_databases! {
    async fn nobody_reads_or_answers_what_is_for_somebody_else(database) {
        let (portal, sparrow, _) = open(database).await;
        let id = put(&portal.bridge, &sparrow, &said("Walk half an hour")).await;
        let wren = portal.bridge.person("wren", "patient-of-wren").await;
        let mut other = portal.sign_in(&wren).await;
        let list = other.get("/messages").await;
        assert!(!list.body.contains("Walk") && !nav(&list).contains("new)"));
        assert_eq!(other.get(&format!("/messages/{id}")).await.status, 404);
        assert_eq!(other.post(&format!("/messages/{id}"), &[("answer", "accept")]).await.status, 404);
        assert_eq!(other.get("/messages/x").await.status, 404);
        assert_eq!(state(&portal, &sparrow).await, RecommendationState::Received, "nothing happened");
    }
}

on_both_databases! {
    async fn many_messages_come_page_by_page_and_in_the_language_of_the_reader(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        for number in 0..33 {
            portal.bridge.clock.advance(SignedDuration::from_secs(1));
            put(&portal.bridge, &sparrow, &said(&"m".repeat(number + 1))).await;
        }
        browser.get("/settings").await;
        browser.post("/language", &[("language", "ru"), ("back", "/messages")]).await;
        let first = browser.get("/messages").await;
        assert!(nav(&first).contains("Сообщения (новых: 33)"), "{}", nav(&first));
        assert!(main_text(&first).contains("Новое: То, что нужно сделать"), "{}", main_text(&first));
        let page = first.html();
        let ids = |page: &Page| page.html().by_id("messages").links().iter().map(|link| (*link).to_owned()).collect::<Vec<_>>();
        let next = page.links().into_iter().find(|link| link.starts_with("/messages?before=")).unwrap();
        let mut all = ids(&first);
        all.extend(ids(&browser.get(next).await));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 33, "each once");
        for none in ["x", "1.x", "x.01a20677-edf1-7058-8494-38af47edf4fc", "99999999999999999999.1"] {
            assert_eq!(browser.get(&format!("/messages?before={none}")).await.status, 404, "{none}");
        }
    }
}

on_both_databases! {
    async fn a_channel_that_was_closed_is_said_in_the_inbox(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let channel: Channel = "community:forum".parse().unwrap();
        let closed = Closed { channel: channel.clone(), at: portal.bridge.now(), said: false };
        portal.bridge.set(&sparrow, Change { closed: Some(closed), ..Change::default() }).await;
        let list = browser.get("/messages").await;
        let told = main_text(&list);
        assert!(told.contains("Through The forum: this way to you no longer works and was switched off on 20 November 2026."), "{told}");
        assert!(list.html().links().contains(&"/settings/messages"));
        portal.bridge.set(&sparrow, Change { opened: Some(channel), ..Change::default() }).await;
        assert!(!main_text(&browser.get("/messages").await).contains("no longer works"));
    }
}
