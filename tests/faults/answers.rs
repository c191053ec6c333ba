//! Answers of an EHR, or of whatever stands before it, that are no plain yes.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState::{Rejected, Retry, Unknown};

use serde_json::Value;

use super::scene::{MOODS, Scene, assert_all_once, queue};
use crate::on_both_databases;
use crate::support::bridge::mood;
use crate::support::ehr::Ehr;
use crate::support::gate::{Gate, Tokens};
use crate::support::proxy::{Fault, On};
use crate::support::smart::{smart_bridge, use_unknown_key};

const OUTCOME: &str = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing"}]}"#;
const FHIR: &str = "content-type: application/fhir+json\r\n";
const HTML: &str = "content-type: text/html\r\n";
const PAGE: &str = "<!doctype html><title>Please sign in</title><p>To go on, accept our terms of use.";

const fn says(status: &'static str) -> Fault {
    Fault::Instead(status, FHIR, OUTCOME)
}

/// Waits as long as the answer stands, and arrives afterwards.
macro_rules! arrives_in_the_end {
    ($($name:ident: $on:expr, $fault:expr => $first:ident $why:literal, then $later:ident $later_why:literal;)*) => {$(
        on_both_databases! {
            async fn $name(database) {
                let scene = Scene::new(database).await;
                scene.proxy.strike($on, $fault);
                scene.is_seen_as($first, $why).await;
                scene.an_hour_later($later, $later_why).await;
                scene.proxy.heal();
                scene.all_arrive_once().await;
            }
        }
    )*};
}

arrives_in_the_end! {
    a_401_waits_for_better_credentials:
        On::Posts, says("401 Unauthorized") => Retry "http-401", then Retry "http-401";
    a_404_of_the_patient_is_no_fault_of_the_mood_and_waits:
        On::Posts, says("404 Not Found") => Retry "http-404", then Retry "http-404";
    a_409_may_have_been_stored_and_is_searched_for:
        On::Every, says("409 Conflict") => Unknown "http-409", then Unknown "search-http-409";
    a_412_may_have_been_stored_and_is_searched_for:
        On::Every, says("412 Precondition Failed") => Unknown "http-412", then Unknown "search-http-412";
    a_429_that_says_no_time_is_followed_by_patience:
        On::Every, says("429 Too Many Requests") => Retry "http-429", then Retry "http-429";
    a_500_may_have_been_stored_and_is_searched_for:
        On::Every, says("500 Internal Server Error") => Unknown "http-500", then Unknown "search-http-500";
    a_503_may_come_from_a_gateway_after_the_ehr_has_stored:
        On::Every, says("503 Service Unavailable") => Unknown "http-503", then Unknown "search-http-503";
    a_504_may_come_from_a_gateway_after_the_ehr_has_stored:
        On::Every, says("504 Gateway Timeout") => Unknown "http-504", then Unknown "search-http-504";
    an_html_error_page_says_nothing_about_the_resource:
        On::Every, Fault::Instead("500 Internal Server Error", HTML, PAGE) =>
        Unknown "http-500", then Unknown "search-http-500";
    a_sign_in_page_with_a_200_is_no_confirmation:
        On::Every, Fault::Instead("200 OK", HTML, PAGE) => Unknown "no-location", then Unknown "search-no-json";
    an_empty_200_is_no_confirmation_and_no_empty_search_result:
        On::Every, Fault::Instead("200 OK", FHIR, "") => Unknown "no-location", then Unknown "search-no-json";
    json_that_breaks_off_is_no_confirmation_and_no_search_result:
        On::Every, Fault::Instead("201 Created", FHIR, r#"{"resourceType":"Obse"#) =>
        Unknown "no-location", then Unknown "search-http-201";
    a_redirect_is_not_followed:
        On::Every, Fault::Instead("307 Temporary Redirect", "location: /elsewhere\r\n", "") =>
        Retry "http-307", then Retry "http-307";
}

on_both_databases! {
    async fn json_that_breaks_off_in_a_search_result_decides_nothing(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Posts, Fault::LostAnswer);
        scene.is_seen_as(Unknown, "no-answer").await;
        let posts = scene.proxy.posts();
        scene.proxy.strike(On::Every, Fault::Instead("200 OK", FHIR, r#"{"resourceType":"Bundle","entry":["#));
        scene.an_hour_later(Unknown, "search-no-json").await;
        assert_eq!(scene.proxy.posts(), posts, "nothing is sent again on such a word");
        scene.proxy.heal();
        scene.all_arrive_once().await;
    }
}

/// Stays for a human, who tries it again once the reason is gone.
macro_rules! waits_for_a_human {
    ($($name:ident: $status:literal => $why:literal;)*) => {$(
        on_both_databases! {
            async fn $name(database) {
                let scene = Scene::new(database).await;
                scene.proxy.strike(On::Posts, says($status));
                scene.is_seen_as(Rejected, $why).await;
                scene.an_hour_later(Rejected, $why).await;
                scene.bridge.deliver_in_time().await;
                scene.proxy.heal();
                scene.waits_for_a_human($why).await;
            }
        }
    )*};
}

waits_for_a_human! {
    a_400_is_for_a_human: "400 Bad Request" => "http-400";
    a_403_is_for_a_human: "403 Forbidden" => "http-403";
    a_410_is_for_a_human: "410 Gone" => "http-410";
    a_422_is_for_a_human: "422 Unprocessable Entity" => "http-422";
}

on_both_databases! {
    async fn a_401_in_the_middle_of_the_work_keeps_what_has_arrived_and_what_has_not(database) {
        let scene = Scene::new(database).await;
        scene.bridge.send(&mood("0", "sparrow", 3)).await;
        scene.come_to_rest().await;
        scene.proxy.strike(On::Posts, says("401 Unauthorized"));
        scene.is_seen_as(Retry, "http-401").await;
        let lines = queue(&scene.bridge).await;
        assert!(lines.iter().any(|line| line.state == "confirmed" && line.items == 1), "{lines:?}");
        scene.proxy.heal();
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn a_wrong_content_type_does_not_make_two_of_one(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Every, Fault::ContentType("text/plain"));
        scene.report().await;
        scene.all_arrive_once().await;
        assert!(scene.proxy.posts() as usize <= MOODS, "where it was stored is said in the head");
    }
}

/// Not a second early, and at the second: the clock is moved to just before, and then to it.
macro_rules! comes_back_when_asked_to {
    ($($name:ident: $status:literal, $why:literal;)*) => {$(
        on_both_databases! {
            async fn $name(database) {
                let scene = Scene::new(database).await;
                let headers = "content-type: application/fhir+json\r\nretry-after: 900\r\n";
                scene.proxy.strike(On::Every, Fault::Instead($status, headers, OUTCOME));
                scene.is_seen_as(Retry, $why).await;
                let posts = scene.proxy.posts();
                scene.proxy.heal();
                scene.bridge.deliver_in_time_of(SignedDuration::from_mins(14)).await;
                scene.bridge.clock.advance(SignedDuration::from_secs(59));
                scene.come_to_rest().await;
                assert_eq!(scene.proxy.posts(), posts, "not a second early");
                scene.stands(Retry, $why).await;
                scene.bridge.clock.advance(SignedDuration::from_secs(1));
                scene.come_to_rest().await;
                assert!(scene.proxy.posts() > posts, "and not much later");
                scene.all_arrive_once().await;
            }
        }
    )*};
}

comes_back_when_asked_to! {
    a_429_that_says_when_to_come_back_is_obeyed: "429 Too Many Requests", "http-429";
    a_503_that_says_when_to_come_back_is_obeyed: "503 Service Unavailable", "http-503";
}

on_both_databases! {
    async fn a_409_that_stays_although_nothing_is_there_is_a_dead_letter_and_can_be_sent_again(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Posts, says("409 Conflict"));
        scene.is_seen_as(Unknown, "http-409").await;
        let mut hours = 0;
        while scene.bridge.open_items().await > 0 {
            scene.bridge.clock.advance(SignedDuration::from_hours(1));
            scene.come_to_rest().await;
            hours += 1;
            assert!(hours < 24 * 30, "it never ends");
        }
        let made = scene.proxy.requests();
        assert!(made < hours * 2 + 100, "{made} requests in {hours} hours are a busy loop");
        let lines = queue(&scene.bridge).await;
        assert!(lines.iter().all(|line| line.state == "dead"), "{lines:?}");
        scene.proxy.heal();
        assert_eq!(scene.replay(None).await, MOODS as u64);
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn tokens_that_are_taken_back_in_the_middle_of_the_work_are_replaced(database) {
        let ehr = Ehr::without_conditional_create().await;
        let gate = Gate::before(&ehr.base, Tokens::Own);
        use_unknown_key(&database);
        let bridge = smart_bridge(database, &gate.base, "mostik").await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let moods: Value = (0..100).map(|n| mood(&n.to_string(), "sparrow", 3)).collect();
        assert_eq!(bridge.send(&moods).await.status, 200);
        let working = bridge.deliver_aside();
        let mut taken_back = 0;
        for passed in [10, 40, 70] {
            while gate.refused_and_passed().1 < passed && !working.is_finished() {
                tokio::task::yield_now().await;
            }
            taken_back += u32::from(!working.is_finished());
            gate.revoke_all();
        }
        assert!(working.await.unwrap());
        assert!(taken_back > 0, "all was over before it began");
        bridge.deliver_in_time().await;
        assert_all_once(&ehr, 100).await;
        let (refused, _) = gate.refused_and_passed();
        assert!((1..=30).contains(&refused), "{refused} requests with a token that was taken back");
        assert!(gate.asked() <= 3 + refused, "{} tokens", gate.asked());
    }
}
