use super::*;
use crate::domain::delivery::DeliveryState::{Dead, Retry, Unknown};
use crate::domain::entropy::SeededEntropy;
use crate::domain::grant::Addressee;
use crate::domain::ids::{DeliveryId, MemberId};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// An item that was sent so many times.
fn item(matter: Matter, attempts: i32) -> Delivery {
    Delivery {
        id: DeliveryId(uuid::Uuid::nil()),
        clinic: "riverside".parse().unwrap(),
        member: MemberId(uuid::Uuid::nil()),
        seq: 1,
        grant: None,
        matter,
        addressee: Addressee::Clinic,
        cleared_under: None,
        operation: Operation::Create,
        resource_type: "Appointment".to_owned(),
        is_part: false,
        identifier: "ours".to_owned(),
        state: DeliveryState::Ready,
        attempts,
        reason: None,
        sealed_payload: None,
        stored: None,
    }
}

/// Where an item stands that was sent so many times before, and when it is looked at again, in seconds.
fn after(matter: Matter, attempts: i32, sent: Sent) -> (DeliveryState, i64) {
    let entropy = Entropy::Seeded(SeededEntropy::new(1));
    let rules = Rules { entropy: &entropy, doubt: SignedDuration::from_secs(30) };
    let known = Known { item: item(matter, attempts), from: DeliveryState::Sending, verdict: Verdict::Sent(sent) };
    let outcome = outcome(known, rules, NOW).unwrap();
    assert_eq!(outcome.attempts, attempts + 1);
    (outcome.state, outcome.due_at.duration_since(NOW).as_secs())
}

fn lost() -> Sent {
    Sent::Unknown { reason: "no-answer".to_owned() }
}

fn refused(asked: Option<i64>) -> Sent {
    Sent::NotStored { reason: "http-429".to_owned(), retry_after: asked.map(SignedDuration::from_secs) }
}

#[test]
fn what_somebody_sits_and_waits_for_is_tried_again_at_once_six_times_and_then_as_ever() {
    for matter in [Matter::Booking { says_why: true }, Matter::Booking { says_why: false }, Matter::Cancelling] {
        for attempts in 0..6 {
            for (sent, expected) in [(lost(), Unknown), (refused(None), Retry)] {
                let (state, wait) = after(matter.clone(), attempts, sent);
                assert!(state == expected && (4..=10).contains(&wait), "{matter:?}, {attempts}: {state:?} {wait}");
            }
        }
        assert!((240..=360).contains(&after(matter.clone(), 6, lost()).1), "an EHR in trouble like any other");
        assert_eq!(after(matter.clone(), 14, lost()).0, Dead);
        assert_eq!(after(matter, 0, refused(Some(90))), (Retry, 90), "the EHR has asked for patience");
    }
}

#[test]
fn what_nobody_waits_for_is_left_to_the_usual_schedule() {
    assert!((240..=360).contains(&after(Matter::Answer, 1, lost()).1));
    assert_eq!(after(Matter::Word, 9, lost()).0, Dead);
}
