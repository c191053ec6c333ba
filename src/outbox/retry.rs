//! When to try again.

use jiff::{SignedDuration, Timestamp};

use crate::domain::entropy::{Entropy, NoEntropy};

/// Waits between attempts, in seconds: as Standard Webhooks recommends, 5 s to 24 h, 75.6 h in all.
const WAITS: [i64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];

/// Waits of what somebody sits and waits for, in seconds, before those of [`WAITS`] begin with their second: what was lost or
/// did not get there is done within the minute, or it is an EHR in trouble like any other.
const WATCHED: [i64; 6] = [5, 8, 8, 8, 8, 8];

/// The longest wait a server may ask for.
const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How soon something is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// As an EHR can bear that has trouble.
    Patient,
    /// Somebody sits before a time that they chose, and others want the same one: quickly at first, then as ever.
    Watched,
}

impl Pace {
    /// The wait after so many attempts, in seconds. `None` when all are used up.
    fn wait(self, attempts: i32) -> Option<i64> {
        let place = usize::try_from(attempts.saturating_sub(1)).ok()?;
        match self {
            Self::Patient => WAITS.get(place),
            Self::Watched => WATCHED.iter().chain(WAITS.iter().skip(1)).nth(place),
        }
        .copied()
    }
}

/// When to try again after `attempts` attempts, ± 20 % so that a crowd does not come back at once, and never before
/// what the server asked for (`Retry-After`, RFC 9110 section 10.2.3). `None` when all attempts are used up.
///
/// # Errors
/// [`NoEntropy`] when there are no random bytes to be had.
pub fn next_attempt(
    attempts: i32,
    pace: Pace,
    now: Timestamp,
    retry_after: Option<SignedDuration>,
    entropy: &Entropy,
) -> Result<Option<Timestamp>, NoEntropy> {
    let Some(seconds) = pace.wait(attempts) else { return Ok(None) };
    let [spread] = entropy.bytes::<1>()?;
    // 0..=255 becomes 80 % ..= 120 % of the wait.
    let millis = seconds * 1000 * (80 * 255 + 40 * i64::from(spread)) / (100 * 255);
    let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
    let wait = SignedDuration::from_millis(millis).max(asked);
    Ok(now.checked_add(wait).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;
    use proptest::prelude::*;

    fn wait_after(attempts: i32, retry_after: Option<SignedDuration>, seed: u64) -> Option<SignedDuration> {
        wait_of(Pace::Patient, attempts, retry_after, seed)
    }

    fn wait_of(pace: Pace, attempts: i32, asked: Option<SignedDuration>, seed: u64) -> Option<SignedDuration> {
        let entropy = Entropy::Seeded(SeededEntropy::new(seed));
        let now = Timestamp::UNIX_EPOCH;
        next_attempt(attempts, pace, now, asked, &entropy).unwrap().map(|at| at.duration_since(now))
    }

    proptest! {
        #[test]
        fn each_wait_is_within_a_fifth_of_the_schedule(attempts in 1i32..=9, seed: u64) {
            let wait = wait_after(attempts, None, seed).unwrap().as_millis();
            let planned = i128::from(WAITS[usize::try_from(attempts - 1).unwrap()]) * 1000;
            prop_assert!(planned * 8 / 10 <= wait && wait <= planned * 12 / 10, "{wait} for {planned}");
        }
    }

    proptest! {
        #[test]
        fn whoever_sits_and_waits_is_tried_for_again_within_ten_seconds_six_times_unless_the_server_asks_for_more(
            attempts in 1i32..=6, asked in prop::option::of(0i64..100_000), seed: u64,
        ) {
            let asked = asked.map(SignedDuration::from_secs);
            let wait = wait_of(Pace::Watched, attempts, asked, seed).unwrap();
            prop_assert!(wait >= asked.unwrap_or_default().min(LONGEST_RETRY_AFTER), "{wait}");
            prop_assert!(wait >= SignedDuration::from_secs(4), "not all at once: {wait}");
            prop_assert!(wait <= asked.unwrap_or_default().max(SignedDuration::from_secs(10)), "{wait}");
        }

        #[test]
        fn after_that_it_is_tried_for_them_as_ever(attempts in 7i32..=14, seed: u64) {
            prop_assert_eq!(wait_of(Pace::Watched, attempts, None, seed), wait_after(attempts - 5, None, seed));
        }
    }

    #[test]
    fn the_server_can_ask_for_more_time_but_not_for_ever() {
        assert_eq!(wait_after(1, Some(SignedDuration::from_secs(60)), 1), Some(SignedDuration::from_secs(60)));
        assert_eq!(wait_after(1, Some(SignedDuration::from_hours(999)), 1), Some(LONGEST_RETRY_AFTER));
        assert!(wait_after(9, Some(SignedDuration::ZERO), 1).unwrap() > SignedDuration::from_hours(19));
    }

    #[test]
    fn after_the_last_wait_nothing_follows() {
        assert_eq!(wait_after(10, None, 1), None);
        assert_eq!(wait_after(i32::MAX, None, 1), None);
        assert!(wait_of(Pace::Watched, 14, None, 1).is_some());
        assert_eq!(wait_of(Pace::Watched, 15, None, 1), None);
    }
}
