//! When the change of a score is more than chance: the reliable change index (Jacobson & Truax 1991, J Consult Clin Psychol
//! 59:12–19). A change is reliable when it is more than 1.96 standard errors of a difference.
//!
//! The papers could not be read where this was written: deviations and alphas are to be checked before clinical use.

use super::questionnaire::Instrument;

/// What is known of how a questionnaire varies in people who have what it asks about.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Variation {
    /// The standard deviation of its total.
    deviation: f64,
    /// Its reliability (Cronbach's alpha).
    reliability: f64,
}

/// PHQ-9: the deviation in patients with major depression (6.1) and alpha (0.89) of Kroenke, Spitzer & Williams 2001, J Gen
/// Intern Med 16:606–613. It comes to 6 points, as English talking therapies count (Gyani et al. 2013, Behav Res Ther
/// 51:597–606).
const PHQ_9: Variation = Variation { deviation: 6.1, reliability: 0.89 };

/// GAD-7: the deviation in patients with the disorder (4.7) and alpha (0.92) of Spitzer et al. 2006, Arch Intern Med
/// 166:1092–1097. It comes to 4 points, as there.
const GAD_7: Variation = Variation { deviation: 4.7, reliability: 0.92 };

/// From how many points on a change of a total is reliable; `None` where nobody has found that out.
#[must_use]
pub fn reliable_from(instrument: Instrument) -> Option<u32> {
    match instrument {
        Instrument::Phq2 => None,
        Instrument::Phq9 => Some(PHQ_9.reliable_from()),
        Instrument::Gad7 => Some(GAD_7.reliable_from()),
    }
}

impl Variation {
    fn reliable_from(self) -> u32 {
        let error_of_a_difference = self.deviation * (2.0 * (1.0 - self.reliability)).sqrt();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of points")]
        let points = (1.96 * error_of_a_difference).floor() as u32;
        points + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_to_the_points_that_are_used_in_practice() {
        assert_eq!(Instrument::ALL.map(reliable_from), [None, Some(6), Some(4)]);
    }
}
