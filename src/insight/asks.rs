//! Clinics ask for questionnaires that they did not ask for before, or more often: an operator says so, and no member has done
//! anything. Whoever consented before is looked at then, once, so that they are told when it is due.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::ids::{ClinicId, MemberId};
use crate::pipeline::Bridge;
use crate::store::StoreError;

/// For how long after a change other replicas may still be at work that do not know of it: whom they look at is looked at again
/// when they start anew.
const SETTLES: SignedDuration = SignedDuration::from_hours(24);

/// How many members in one transaction.
const MEMBERS_AT_ONCE: i64 = 1000;

/// Has members looked after whose clinics ask for something else than when a bridge was started before. For the start: any
/// number may start at once, and one that dies in between is followed by another one.
///
/// # Errors
/// [`StoreError`]; what is not done then is done at the next start.
pub async fn note_asks(bridge: &Bridge) -> Result<(), StoreError> {
    let now = bridge.clock.now();
    let known = {
        let mut tx = bridge.store.read().await?;
        tx.asks().await?
    };
    let clinics: BTreeSet<&ClinicId> = bridge.house.clinics.keys().chain(known.keys()).collect();
    for clinic in clinics {
        let rhythms = rhythms(bridge, clinic);
        let before = known.get(clinic);
        let is_news = before.map_or("", |before| before.rhythms.as_str()) != rhythms;
        let is_fresh = is_news || before.is_some_and(|before| now.duration_since(before.since) < SETTLES);
        if is_fresh && !rhythms.is_empty() {
            look_after_patients(bridge, clinic, now).await?;
        }
        if is_news {
            let mut tx = bridge.store.begin().await?;
            tx.note_asks(clinic, &rhythms, now).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// What a clinic asks for, and how often: `gad-7 P1M phq-9 P2W`. Nothing, if it is none of the house's any more.
fn rhythms(bridge: &Bridge, clinic: &ClinicId) -> String {
    let asks = bridge.house.clinics.get(clinic).map(|told| &told.asks_for).into_iter().flatten();
    let asks: Vec<String> = asks.map(|(instrument, every)| format!("{} {every}", instrument.as_str())).collect();
    asks.join(" ")
}

/// Has everybody looked at who consents to something towards a clinic.
async fn look_after_patients(bridge: &Bridge, clinic: &ClinicId, now: Timestamp) -> Result<(), StoreError> {
    let mut after = MemberId(Uuid::nil());
    loop {
        let mut tx = bridge.store.begin().await?;
        let members = tx.consenting(clinic, after, MEMBERS_AT_ONCE).await?;
        tx.look_after(&members.iter().map(|member| (*member, now)).collect::<Vec<_>>()).await?;
        tx.commit().await?;
        let Some(last) = members.last() else { return Ok(()) };
        after = *last;
    }
}
