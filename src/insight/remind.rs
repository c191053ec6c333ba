//! A member is told when a questionnaire falls due that clinics ask them for: once each time, by the ways that they chose, and
//! when they wish to hear it.

use jiff::Timestamp;
use uuid::Uuid;

use super::due::{Asked, asked};
use super::standing::Standing;
use crate::consent::share::Share;
use crate::domain::category::Category;
use crate::domain::ids::MemberId;
use crate::domain::questionnaire::Instrument;
use crate::domain::settings::Change;
use crate::pipeline::{AcceptError, Bridge};
use crate::readings::settings::change_settings;
use crate::store::Tx;

/// Under which name a member is told of a questionnaire: always the same, so that they are told of it once.
#[must_use]
pub fn reminder(bridge: &Bridge, member: MemberId, instrument: Instrument) -> Uuid {
    bridge.keyring.index().uuid("reminder", &[member.0.as_bytes(), instrument.as_str().as_bytes()])
}

/// Has a member, whom the caller has locked, told of the questionnaires that have fallen due since they were told last.
/// Returns when the next one does.
///
/// # Errors
/// [`AcceptError`].
pub(super) async fn remind(
    bridge: &Bridge,
    tx: &mut Tx,
    standing: &Standing,
    now: Timestamp,
) -> Result<Option<Timestamp>, AcceptError> {
    let today = standing.days.day_of(now);
    let asked = asked(bridge, tx, standing, now).await?;
    let mut reminded = standing.settings.reminded.clone();
    // Once it was filled in or left out, the next time is a new one; and once no consent covers it, what was filled in is
    // forgotten, and whoever consents anew is told anew. A pause is none of both.
    let is_covered = standing.is_covered(&Share::at(standing.member, Category::Questionnaires, now), None, now);
    reminded.retain(|instrument, on| {
        let asked = asked.iter().find(|asked| asked.instrument == *instrument);
        asked.map_or(is_covered, |asked| asked.from <= *on)
    });
    let (due, later): (Vec<&Asked>, Vec<&Asked>) = asked.iter().partition(|asked| asked.from <= today);
    for Asked { instrument, .. } in due {
        if !reminded.contains_key(instrument) {
            tx.put_telling(standing.member, reminder(bridge, standing.member, *instrument), now).await?;
            reminded.insert(*instrument, today);
        }
    }
    if reminded != standing.settings.reminded {
        let change = Change { reminded: Some(reminded), ..Change::default() };
        change_settings(tx, &standing.key, change, now).await?;
    }
    Ok(later.into_iter().map(|asked| standing.days.start_of(asked.from)).min())
}
