use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn at(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

fn failed() -> Signal {
    Signal::Failed { reason: "http-500".to_owned() }
}

fn quick() -> Signal {
    Signal::Answered(SignedDuration::from_millis(2))
}

#[test]
fn failures_in_a_row_open_the_circuit_and_one_request_finds_out_how_it_is() {
    let throttle = Throttle::new(8);
    for _ in 0..FAILURES - 1 {
        throttle.learn(START, failed());
    }
    assert_eq!(throttle.limit(START), 8);
    throttle.learn(START, failed());
    // Those under way fail too, and make it no worse.
    throttle.learn(START, failed());
    assert_eq!((throttle.limit(START), throttle.limit(at(9)), throttle.limit(at(10))), (0, 0, 1));
    // The one that found out fails: left in peace twice as long.
    throttle.learn(at(10), failed());
    assert_eq!((throttle.limit(at(29)), throttle.limit(at(30))), (0, 1));
    assert_eq!(throttle.trouble().unwrap().reason, "http-500");
    throttle.learn(at(30), quick());
    assert_eq!(throttle.trouble(), None);
    assert!(throttle.limit(at(30)) >= 1);
}

#[test]
fn a_failure_among_good_answers_changes_nothing() {
    let throttle = Throttle::new(4);
    for _ in 0..100 {
        throttle.learn(START, failed());
        throttle.learn(START, quick());
    }
    assert_eq!((throttle.limit(START), throttle.trouble()), (4, None));
}

#[test]
fn too_much_halves_the_limit_and_good_answers_bring_it_back() {
    let throttle = Throttle::new(8);
    throttle.learn(START, Signal::TooMuch { reason: "http-429".to_owned(), retry_after: None });
    assert_eq!(throttle.limit(START), 4);
    for _ in 0..4 + 5 + 6 + 7 {
        throttle.learn(START, quick());
    }
    assert_eq!(throttle.limit(START), 8);
}

#[test]
fn what_the_ehr_asks_for_is_obeyed_by_every_lane() {
    let throttle = Throttle::new(8);
    let pause = Some(SignedDuration::from_secs(60));
    throttle.learn(START, Signal::TooMuch { reason: "http-429".to_owned(), retry_after: pause });
    assert_eq!((throttle.limit(at(59)), throttle.limit(at(60))), (0, 1));
    // An open circuit does not make it shorter.
    for _ in 0..FAILURES {
        throttle.learn(at(1), failed());
    }
    assert_eq!(throttle.limit(at(59)), 0);
}

#[test]
fn an_ehr_that_becomes_slow_is_pressed_less() {
    let throttle = Throttle::new(8);
    throttle.learn(START, quick());
    throttle.learn(START, Signal::Answered(SignedDuration::from_secs(3)));
    assert_eq!(throttle.limit(START), 4);
}

#[test]
fn the_quicker_the_ehr_the_more_is_decided_on_ahead_of_it() {
    for (millis, capacity) in [(0, 128), (2, 104), (10, 24), (40, 8), (60, 4), (3000, 4)] {
        let throttle = Throttle::new(4);
        assert_eq!(throttle.capacity(START), 4, "nothing is known of it yet");
        throttle.learn(START, Signal::Answered(SignedDuration::from_millis(millis)));
        assert_eq!(throttle.capacity(START), capacity, "{millis} ms");
    }
}

#[tokio::test]
async fn the_slots_follow_the_limit() {
    let throttle = Throttle::new(4);
    let held = [throttle.enter().await, throttle.enter().await, throttle.enter().await];
    throttle.learn(START, Signal::TooMuch { reason: String::new(), retry_after: None });
    assert_eq!(throttle.slots.available_permits(), 0);
    drop(held);
    assert_eq!(throttle.slots.available_permits(), throttle.limit(START));
}

proptest! {
    #[test]
    fn whatever_happens_the_slots_match_the_limit(steps in prop::collection::vec(0u8..4, 0..200)) {
        let throttle = Throttle::new(7);
        let mut held = Vec::new();
        for step in steps {
            match step {
                0 => throttle.learn(START, quick()),
                1 => throttle.learn(START, Signal::TooMuch { reason: String::new(), retry_after: None }),
                2 => {
                    if throttle.slots.available_permits() > 0 {
                        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                        held.push(runtime.block_on(throttle.enter()));
                    }
                }
                _ => { held.pop(); }
            }
            prop_assert!((1..=7).contains(&throttle.limit(START)));
        }
        held.clear();
        prop_assert_eq!(throttle.slots.available_permits(), throttle.limit(START));
    }
}
