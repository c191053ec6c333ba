//! Which questionnaires clinics ask a member for, and since when: by the member's own days.

use jiff::Timestamp;
use jiff::civil::Date;

use super::standing::Standing;
use crate::consent::share::Share;
use crate::domain::category::Category;
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::questionnaire::{Instrument, Rhythm};
use crate::domain::reading::{Measure, Reading};
use crate::domain::settings::Change;
use crate::pipeline::{AcceptError, Bridge};
use crate::readings::kept;
use crate::readings::settings::change_settings;
use crate::store::{ReadingSearch, Tx};

/// The most readings that are looked at for when a questionnaire was filled in last.
const MOST: i64 = 500;

/// A questionnaire that is asked for now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// Which.
    pub instrument: Instrument,
    /// Who asks.
    pub clinics: Vec<ClinicId>,
}

/// A questionnaire that clinics ask for, now or later.
pub(super) struct Asked {
    pub instrument: Instrument,
    clinics: Vec<ClinicId>,
    /// The day from which on it is asked for.
    pub from: Date,
    /// Until when a member has peace who leaves it out today.
    next: Date,
}

/// What a member is asked for today. Only clinics ask that may see what is answered.
///
/// # Errors
/// [`AcceptError`].
pub async fn due(bridge: &Bridge, tx: &mut Tx, member: MemberId) -> Result<Vec<Due>, AcceptError> {
    let now = bridge.clock.now();
    let Some(standing) = Standing::load(bridge, tx, member).await? else { return Ok(Vec::new()) };
    let today = standing.days.day_of(now);
    let asked = asked(bridge, tx, &standing, now).await?.into_iter().filter(|asked| asked.from <= today);
    Ok(asked.map(|Asked { instrument, clinics, .. }| Due { instrument, clinics }).collect())
}

/// A member leaves out a questionnaire that they are asked for: until it is asked for the next time. Nobody is told.
/// Returns whether it was asked for.
///
/// # Errors
/// [`AcceptError`]; the transaction must then be dropped.
pub async fn leave_out(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    instrument: Instrument,
) -> Result<bool, AcceptError> {
    let now = bridge.clock.now();
    let Some(standing) = Standing::load(bridge, tx, member).await? else { return Ok(false) };
    let today = standing.days.day_of(now);
    let asked = asked(bridge, tx, &standing, now).await?;
    let Some(asked) = asked.into_iter().find(|it| it.instrument == instrument && it.from <= today) else {
        return Ok(false);
    };
    let change = Change { left_out: Some((instrument, asked.next)), ..Change::default() };
    change_settings(tx, &standing.key, change, now).await?;
    Ok(true)
}

/// What a member is asked for, now or later.
pub(super) async fn asked(
    bridge: &Bridge,
    tx: &mut Tx,
    standing: &Standing,
    now: Timestamp,
) -> Result<Vec<Asked>, AcceptError> {
    let share = Share::at(standing.member, Category::Questionnaires, now);
    let may_see = |clinic: &ClinicId| standing.decide(&share, clinic, now).is_ok();
    let asking = bridge.house.clinics.iter().filter(|(clinic, _)| may_see(clinic));
    let asking: Vec<(&ClinicId, Instrument, Rhythm)> = asking
        .flat_map(|(clinic, told)| told.asks_for.iter().map(move |(instrument, every)| (clinic, *instrument, *every)))
        .collect();
    if asking.is_empty() {
        return Ok(Vec::new());
    }
    let search = ReadingSearch {
        category: Some(Category::Questionnaires),
        from: Timestamp::MIN,
        until: Timestamp::MAX,
        after: None,
        limit: MOST,
    };
    let filled_in = kept::page(tx, &standing.key, &search).await?.readings;
    let of = |instrument| of(standing, &asking, &filled_in, instrument, now);
    Ok(Instrument::ALL.into_iter().filter_map(of).collect())
}

/// How an instrument is asked for by those who ask. The one who asks most often counts: filled in once, it is filled in for
/// all of them.
fn of(
    standing: &Standing,
    asking: &[(&ClinicId, Instrument, Rhythm)],
    filled_in: &[Reading],
    instrument: Instrument,
    now: Timestamp,
) -> Option<Asked> {
    let by: Vec<(&ClinicId, Rhythm)> = asking
        .iter()
        .filter(|(_, asked, _)| *asked == instrument)
        .map(|(clinic, _, every)| (*clinic, *every))
        .collect();
    let is_it = |reading: &&Reading| matches!(&reading.measure, Measure::Questionnaire(answers) if answers.instrument() == instrument);
    let last = filled_in.iter().find(is_it).map(|reading| standing.days.day_of(reading.moment.at));
    let today = standing.days.day_of(now);
    let from = by.iter().map(|(_, every)| last.map_or(Date::MIN, |last| every.after(last))).min()?;
    let left_out = standing.settings.left_out.get(&instrument).copied().unwrap_or(Date::MIN);
    Some(Asked {
        instrument,
        from: from.max(left_out),
        next: by.iter().map(|(_, every)| every.after(today)).min()?,
        clinics: by.into_iter().map(|(clinic, _)| clinic.clone()).collect(),
    })
}
