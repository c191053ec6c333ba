//! A member is told when a questionnaire falls due that clinics ask them for: once each time, by the ways that they chose, and
//! when they wish to hear it.

use jiff::Timestamp;
use uuid::Uuid;

use super::due::asked;
use super::standing::Standing;
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
    let (due, later): (Vec<_>, Vec<_>) =
        asked(bridge, tx, standing, now).await?.into_iter().partition(|asked| asked.from <= today);
    let reminded = &standing.settings.reminded;
    let fresh = due.iter().filter(|asked| reminded.get(&asked.instrument).is_none_or(|on| *on < asked.from));
    let fresh: Vec<Instrument> = fresh.map(|asked| asked.instrument).collect();
    for instrument in &fresh {
        tx.put_telling(standing.member, reminder(bridge, standing.member, *instrument), now).await?;
    }
    if !fresh.is_empty() {
        let reminded = fresh.into_iter().map(|instrument| (instrument, today)).collect();
        change_settings(tx, &standing.key, Change { reminded, ..Change::default() }, now).await?;
    }
    Ok(later.iter().map(|asked| standing.days.start_of(asked.from)).min())
}
