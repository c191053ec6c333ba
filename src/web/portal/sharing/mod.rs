//! *My sharing*: what each clinic may see, and how a member changes or ends it.

mod decision;
mod draft;
mod edit;
mod stop;
pub mod words;

pub use edit::{Sent, form, save, sent, show as edit};
pub use stop::{ask as ask_to_stop, pause, resume, stop};

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use jiff::Timestamp;

use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, go_to, page};
use super::own::Own;
use crate::domain::day::Days;
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{ClinicId, MemberId};
use crate::insight::due;
use crate::pipeline::consent::version;
use crate::store::{ErasureState, Tx};
use crate::web::State;

#[derive(Template)]
#[template(path = "sharing.html")]
struct SharingPage {
    frame: Frame,
    clinics: Vec<Card>,
    erasing: Option<Erasing>,
    /// What clinics ask for now: the names of questionnaires.
    asked_for: Vec<&'static str>,
}

/// Everything about the member is to be erased, because they asked for that.
struct Erasing {
    has_begun: bool,
    day: String,
}

/// How it stands with a clinic.
struct Card {
    id: ClinicId,
    name: String,
    standing: Standing,
    /// What is shared, in words.
    shared: Vec<(&'static str, &'static str)>,
    until: Option<String>,
    /// The one practitioner whom it is for.
    practitioner: Option<String>,
    /// Whether the member has yet to read the text that is valid now.
    is_to_read: bool,
}

/// Where a member's consent towards a clinic stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is none.
    Nothing,
    /// What it covers is sent.
    Active,
    /// Nothing is sent at present.
    Paused,
    /// Its time is over.
    Over,
}

impl Standing {
    /// Where it stands.
    pub fn of(grant: Option<&Grant>, now: Timestamp) -> Self {
        match grant {
            None => Self::Nothing,
            Some(grant) if now >= grant.terms.valid_until => Self::Over,
            Some(grant) if grant.state == GrantState::Paused => Self::Paused,
            Some(_) => Self::Active,
        }
    }

    /// The key of the words for it.
    const fn text(self) -> &'static str {
        match self {
            Self::Nothing => "standing-nothing",
            Self::Active => "standing-active",
            Self::Paused => "standing-paused",
            Self::Over => "standing-over",
        }
    }

    const fn is_living(self) -> bool {
        matches!(self, Self::Active | Self::Paused)
    }
}

/// The front door.
pub async fn home(frame: Frame) -> HttpResponse {
    go_to(if frame.signed_in { "/sharing" } else { "/sign-in" })
}

/// Every clinic the member is linked to.
pub async fn overview(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.read().await?;
    let days = Own::open(&state.bridge, &mut tx, session.member).await?.days();
    let grants = tx.living_grants(&[session.member]).await?;
    let mut clinics: Vec<Card> = Vec::new();
    for link in tx.links(&[session.member]).await? {
        let Some(name) = state.portal.clinics.get(&link.clinic).cloned() else { continue };
        let grant = grants.iter().find(|grant| grant.clinic == link.clinic);
        let version = match grant {
            Some(grant) => Some(version(&state.bridge, &mut tx, grant.clone()).await?),
            None => None,
        };
        clinics.push(Card {
            is_to_read: version.as_ref().is_some_and(|version| version.needs_asking),
            practitioner: version.and_then(|version| version.practitioner).map(|named| named.display),
            standing: Standing::of(grant, now),
            shared: grant.map(|grant| words::shared(&grant.terms)).unwrap_or_default(),
            until: grant.map(|grant| frame.date(last_day(&days, grant))),
            id: link.clinic,
            name,
        });
    }
    clinics.sort_by(|one, other| one.name.cmp(&other.name));
    let erasure = tx.living_erasure(session.member).await?;
    let erasing = erasure.map(|erasure| Erasing {
        has_begun: erasure.state == ErasureState::Upstream,
        day: frame.date(days.day_of(erasure.due_at)),
    });
    let due = due::due(&state.bridge, &mut tx, session.member).await?;
    let asked_for = due.iter().map(|due| due.instrument.title()).collect();
    page(&SharingPage { frame, clinics, erasing, asked_for })
}

/// The last day on which a grant is in force.
fn last_day(days: &Days, grant: &Grant) -> jiff::civil::Date {
    let before = grant.terms.valid_until.checked_sub(jiff::SignedDuration::from_micros(1));
    days.day_of(before.unwrap_or(grant.terms.valid_until))
}

/// A clinic that the member is linked to, by its name in the address, with the living grant towards it. One that they are
/// not linked to is as good as none.
pub async fn linked(
    state: &State,
    tx: &mut Tx,
    member: MemberId,
    clinic: &Path<String>,
) -> Result<(ClinicId, String, Option<Grant>), PortalError> {
    let clinic: ClinicId = clinic.parse().map_err(|_| PortalError::NotFound)?;
    let name = state.portal.clinics.get(&clinic).cloned().ok_or(PortalError::NotFound)?;
    if !tx.links(&[member]).await?.iter().any(|link| link.clinic == clinic) {
        return Err(PortalError::NotFound);
    }
    let grant = tx.living_grants(&[member]).await?.into_iter().find(|grant| grant.clinic == clinic);
    Ok((clinic, name, grant))
}
