use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn any_state() -> impl Strategy<Value = BookingState> {
    select(BookingState::ALL)
}

fn any_answer() -> impl Strategy<Value = Answered> {
    select(&[Answered::Done, Answered::No, Answered::Failed][..])
}

#[test]
fn a_booking_goes_the_way_it_should() {
    use BookingState::{Booked, Cancelled, Fulfilled, Held, NoShow, Offered, Requested, Rescheduled};
    for (from, to) in [
        (Requested, Offered),
        (Requested, Held),
        (Offered, Held),
        (Held, Booked),
        (Held, Offered),
        (Booked, Rescheduled),
    ] {
        assert_eq!(from.step(to), Ok(to));
    }
    for (from, to) in
        [(Booked, Held), (Booked, Requested), (Cancelled, Booked), (Rescheduled, Booked), (Fulfilled, Booked)]
    {
        assert!(from.step(to).is_err(), "{from:?} to {to:?}");
    }
    assert_eq!(NoShow.step(Fulfilled), Ok(Fulfilled), "the clinic puts it right");
    assert_eq!(Booked.step(Held).unwrap_err().to_string(), "a booking that is booked cannot become held");
}

#[test]
fn words_read_back() {
    assert!(BookingState::ALL.iter().all(|state| BookingState::from_name(state.as_str()) == Some(*state)));
    assert!(Wish::ALL.iter().all(|wish| Wish::from_name(wish.as_str()) == Some(*wish)));
    assert!(Note::ALL.iter().all(|note| Note::from_name(note.as_str()) == Some(*note)));
}

#[test]
fn whatever_a_clinic_answers_to_a_legal_wish_is_a_legal_step() {
    let answers = [Answered::Done, Answered::No, Answered::Failed];
    for (state, wish, answered) in every_legal(answers) {
        let after = wish.settled(state, answered);
        assert!(state.step(after.state).is_ok(), "{state:?} {wish:?} {answered:?}");
        assert!(
            after.state != BookingState::Booked
                || matches!(wish, Wish::Book | Wish::Give)
                || state == BookingState::Booked
        );
    }
}

/// Every legal wish of every state, with every answer.
fn every_legal(answers: [Answered; 3]) -> impl Iterator<Item = (BookingState, Wish, Answered)> {
    let wishes = BookingState::ALL.iter().flat_map(|state| Wish::ALL.iter().map(move |wish| (*state, *wish)));
    let legal = wishes.filter(|(state, wish)| wish.is_legal(*state));
    legal.flat_map(move |(state, wish)| answers.map(|answered| (state, wish, answered)))
}

/// A time.
fn an_hour() -> Time {
    Time { start: Timestamp::UNIX_EPOCH, end: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(50) }
}

fn booking(state: BookingState, time: Option<Time>) -> Booking {
    Booking {
        id: BookingId(uuid::Uuid::nil()),
        member: MemberId(uuid::Uuid::nil()),
        clinic: "riverside".parse().unwrap(),
        visit: "first-talk".parse().unwrap(),
        state,
        wish: None,
        note: None,
        time,
        hold_until: None,
        waits: false,
        replaces: None,
        seat: None,
        sequence: 0,
        details: Details::default(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

proptest! {
    #[test]
    fn whatever_a_clinic_says_of_a_visit_is_a_legal_step_and_no_news_twice(
        state in any_state(), said in select(&[Said::Kept, Said::Booked, Said::Fulfilled, Said::NoShow, Said::Cancelled][..]),
        has_time: bool,
    ) {
        let time = has_time.then(an_hour);
        let Some(after) = booking(state, None).told(said, time) else { return Ok(()) };
        prop_assert!(state.step(after.state).is_ok(), "{state:?} {said:?}");
        let again = booking(after.state, time).told(said, time);
        prop_assert!(again.is_none(), "{again:?}");
    }

    /// When a group session is, nobody says of one place in it alone.
    #[test]
    fn a_place_is_never_moved_by_itself(state in any_state(), has_time: bool) {
        let time = has_time.then(an_hour);
        let seat = Some(Seat { session: GroupSessionId(uuid::Uuid::nil()), is_known: true });
        let place = Booking { seat, ..booking(state, None) };
        let after = place.told(Said::Booked, time);
        prop_assert!(after.is_none_or(|after| after.note != Some(Note::ClinicMoved) && state == BookingState::Held), "{after:?}");
    }

    /// Whatever happens, a member who asks and gives up at last keeps no time from anybody: of what may be kept at the clinic
    /// it is either known that it is theirs, or it is to be let go.
    #[test]
    fn no_time_is_kept_for_nobody(answers in prop::collection::vec((any_answer(), any::<bool>()), 1..12)) {
        let (mut state, mut may_be_kept) = (BookingState::Offered, false);
        for (answered, goes_on) in answers {
            let wish = match state {
                BookingState::Offered => Wish::Hold,
                BookingState::Held if goes_on => Wish::Book,
                BookingState::Held => Wish::Release,
                _ => break,
            };
            let after = wish.settled(state, answered);
            may_be_kept = !matches!((wish, answered), (Wish::Release, _) | (Wish::Hold, Answered::No));
            let is_known = matches!(after.state, BookingState::Held | BookingState::Booked);
            prop_assert!(!may_be_kept || is_known || after.let_go, "{state:?} {wish:?} {answered:?}");
            state = after.state;
            if after.let_go {
                (state, may_be_kept) = (Wish::Release.settled(state, Answered::Done).state, false);
            }
        }
        prop_assert!(!may_be_kept || matches!(state, BookingState::Held | BookingState::Booked));
    }
}
