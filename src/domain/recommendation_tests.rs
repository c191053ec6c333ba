use super::RecommendationState::{Accepted, Declined, Delivered, Done, Received, Retracted, Seen};
use super::*;

#[test]
fn words_and_kinds_name_each_other() {
    for kind in RecommendationKind::ALL {
        assert_eq!(RecommendationKind::from_name(kind.as_str()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    for state in RecommendationState::ALL {
        assert_eq!(RecommendationState::from_name(state.as_str()), Some(state));
    }
}

#[test]
fn a_life_goes_forward() {
    for (from, to) in [
        (Received, Delivered),
        (Received, Done),
        (Delivered, Seen),
        (Seen, Accepted),
        (Seen, Declined),
        (Accepted, Done),
        (Accepted, Declined),
        (Done, Retracted),
        (Retracted, Received),
        (Done, Received),
    ] {
        assert_eq!(from.step(to), Ok(to), "{from:?} to {to:?}");
    }
    for (from, to) in [
        (Declined, Accepted),
        (Declined, Done),
        (Done, Accepted),
        (Done, Declined),
        (Retracted, Seen),
        (Retracted, Delivered),
        (Retracted, Accepted),
    ] {
        assert!(from.step(to).is_err(), "{from:?} to {to:?}");
    }
}

#[test]
fn what_comes_late_changes_nothing() {
    for (from, late) in [(Seen, Delivered), (Accepted, Seen), (Declined, Delivered), (Done, Seen)] {
        assert_eq!(from.step(late), Ok(from));
    }
}

#[test]
fn nothing_personal_is_shown() {
    let source = Source { resource_type: "Task".to_owned(), id: "hunter2".to_owned(), part: None };
    assert_eq!(format!("{source:?}"), "Source(Task)");
    let answer = Answer::Question { text: "hunter2".to_owned() };
    assert_eq!(format!("{answer:?}"), "Answer(question)");
    assert_eq!(Answer::from_parts("question", answer.text().map(str::to_owned)), Some(answer));
}
