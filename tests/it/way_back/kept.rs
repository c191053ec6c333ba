//! What is kept of what clinics have for members, and what members do with it.

use jiff::SignedDuration;
use mostik::domain::recommendation::{Answer, RecommendationState, Said, Source};
use mostik::pipeline::answers::{self, AnswerError};
use mostik::recommendations;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, riverside};
use crate::support::outbox::execute;
use crate::support::recommendations::{all, answer, key, open_person, put, put_with_focus, said};

async fn state(bridge: &TestBridge, person: &Person) -> RecommendationState {
    all(bridge, person).await[0].state
}

fn question(text: &str) -> Answer {
    Answer::Question { text: text.to_owned() }
}

on_both_databases! {
    async fn a_recommendation_is_delivered_seen_accepted_and_done(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", "pat-1").await;
        let id = put(&bridge, &sparrow, &said("Walk half an hour")).await;
        let waiting = bridge.bridge.store.read().await.unwrap().undelivered_recommendations(10).await.unwrap();
        assert_eq!(waiting.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        answers::delivered(&bridge.bridge, &mut tx, sparrow.id, id, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(state(&bridge, &sparrow).await, RecommendationState::Delivered);
        assert!(bridge.bridge.store.read().await.unwrap().undelivered_recommendations(10).await.unwrap().is_empty());
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        answers::seen(&bridge.bridge, &mut tx, sparrow.id, id, bridge.now()).await.unwrap();
        answers::delivered(&bridge.bridge, &mut tx, sparrow.id, id, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(state(&bridge, &sparrow).await, RecommendationState::Seen, "late news changes nothing");
        answer(&bridge, &sparrow, id, Answer::Accept).await.unwrap();
        let asked = answer(&bridge, &sparrow, id, question("  How\u{7} far? ")).await.unwrap();
        assert_eq!(asked.state, RecommendationState::Accepted, "a question leaves it as it is");
        let twice = answer(&bridge, &sparrow, id, Answer::Accept).await;
        assert!(matches!(twice, Err(AnswerError::NotNow)));
        answer(&bridge, &sparrow, id, Answer::Done).await.unwrap();
        let late = answer(&bridge, &sparrow, id, Answer::Decline { reason: None }).await;
        assert!(matches!(late, Err(AnswerError::NotNow)));
        let key = key(&bridge.bridge, &sparrow).await;
        let kept = recommendations::answers(&mut bridge.bridge.store.read().await.unwrap(), &key, Some(id)).await.unwrap();
        let kept: Vec<Answer> = kept.into_iter().map(|(_, answered)| answered.answer).collect();
        assert_eq!(kept, [Answer::Accept, question("How far?"), Answer::Done]);
    }
}

on_both_databases! {
    async fn nobody_answers_what_is_not_theirs_or_cannot_be_answered(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", "pat-1").await;
        let (wren, _) = open_person(&bridge, "wren", "pat-2").await;
        let id = put(&bridge, &sparrow, &said("Walk")).await;
        assert!(matches!(answer(&bridge, &wren, id, Answer::Done).await, Err(AnswerError::NotFound)));
        let news = Said { is_actionable: false, ..said("The clinic is closed on Monday") };
        let news = put(&bridge, &sparrow, &news).await;
        assert!(matches!(answer(&bridge, &sparrow, news, Answer::Accept).await, Err(AnswerError::NotNow)));
        assert!(answer(&bridge, &sparrow, news, question("And Tuesday?")).await.is_ok());
        for text in ["", " \n ", &"x".repeat(2001)] {
            assert!(matches!(answer(&bridge, &sparrow, id, question(text)).await, Err(AnswerError::Text)), "{text}");
        }
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let row = tx.recommendation(sparrow.id, id).await.unwrap().unwrap();
        tx.set_recommendation_state(&row, RecommendationState::Retracted, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(answer(&bridge, &sparrow, id, question("Why?")).await, Err(AnswerError::NotNow)));
        let retracted = all(&bridge, &sparrow).await.into_iter().find(|found| found.id == id).unwrap();
        assert_eq!(retracted.says, None, "nothing of it is kept");
    }
}

on_both_databases! {
    async fn what_a_task_asks_to_do_is_not_told_beside_it(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let sparrow = bridge.unlinked_person("sparrow").await;
        let order = Source { resource_type: "ServiceRequest".to_owned(), id: "order-1".to_owned(), part: None };
        put(&bridge, &sparrow, &Said { source: order.clone(), ..said("Psychotherapy") }).await;
        let task = put_with_focus(&bridge, &sparrow, &said("Call to make an appointment"), Some(&order)).await;
        assert_eq!(all(&bridge, &sparrow).await.iter().map(|found| found.id).collect::<Vec<_>>(), [task]);
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let row = tx.recommendation(sparrow.id, task).await.unwrap().unwrap();
        tx.set_recommendation_state(&row, RecommendationState::Retracted, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(all(&bridge, &sparrow).await.len(), 2, "it stands for itself again");
    }
}

on_both_databases! {
    async fn answers_that_change_places_do_not_open(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", "pat-1").await;
        let ids = [put(&bridge, &sparrow, &said("a")).await, put(&bridge, &sparrow, &said("bb")).await];
        for (id, text) in ids.into_iter().zip(["first", "second"]) {
            answer(&bridge, &sparrow, id, question(text)).await.unwrap();
            answer(&bridge, &sparrow, id, question(&format!("{text} again"))).await.unwrap();
        }
        let key = key(&bridge.bridge, &sparrow).await;
        let opened = async || {
            let mut tx = bridge.bridge.store.read().await.unwrap();
            recommendations::answers(&mut tx, &key, None).await.unwrap().len()
        };
        assert_eq!(opened().await, 4);
        // Within one, and between two.
        execute(&bridge, "UPDATE recommendation_answers SET ordinal = 3 - ordinal + 10").await;
        assert_eq!(opened().await, 0);
        execute(&bridge, "UPDATE recommendation_answers SET ordinal = 13 - ordinal").await;
        assert_eq!(opened().await, 4);
        execute(&bridge, "UPDATE recommendation_answers SET sealed_answer = (SELECT o.sealed_answer \
            FROM recommendation_answers o WHERE o.ordinal = recommendation_answers.ordinal \
            ORDER BY o.recommendation_id LIMIT 1)").await;
        assert_eq!(opened().await, 2, "each opens only where it was given");
    }
}

on_both_databases! {
    async fn pages_of_recommendations_go_on_where_the_last_one_ended(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let sparrow = bridge.unlinked_person("sparrow").await;
        for text in ["a", "bb", "ccc", "dddd", "eeeee"] {
            put(&bridge, &sparrow, &said(text)).await;
            bridge.clock.advance(SignedDuration::from_mins(1));
        }
        let key = key(&bridge.bridge, &sparrow).await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let (mut after, mut texts) = (None, Vec::new());
        loop {
            let page = recommendations::page(&mut tx, &key, after, 2).await.unwrap();
            texts.extend(page.recommendations.into_iter().filter_map(|found| Some(found.says?.text)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(texts, ["eeeee", "dddd", "ccc", "bb", "a"]);
        assert_eq!(tx.forget_recommendations(sparrow.id, &riverside()).await.unwrap(), 5);
        assert!(recommendations::page(&mut tx, &key, None, 2).await.unwrap().recommendations.is_empty());
    }
}
