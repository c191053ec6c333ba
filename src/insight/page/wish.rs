//! What a member wants to talk about, and what their clinics would be sent now.

use jiff::Timestamp;

use super::make::{last_week, page_for};
use super::text::text;
use crate::domain::category::Category;
use crate::domain::ids::{ClinicId, CommunityId, IMPORT_COMMUNITY, MemberId};
use crate::domain::reading::Measure;
use crate::inbound::event::{Entry, Event, Says, Subject, Version};
use crate::inbound::files::plain;
use crate::insight::standing::Standing;
use crate::pipeline::{self, AcceptError, Bridge, Outcome};
use crate::readings::kept;
use crate::store::StoreError;

/// The longest that somebody can write down to talk about, in characters: a page has no room for more.
pub const LONGEST_AGENDA: usize = 1_000;

/// What a member has written down, and what goes to whom.
#[derive(Debug)]
pub struct Wishes {
    /// What they want to talk about; empty: nothing.
    pub agenda: String,
    /// Each clinic that gets pages, and the text of what it would be sent now; `None` where that is nothing.
    pub pages: Vec<(ClinicId, Option<String>)>,
}

/// Looks at it.
///
/// # Errors
/// [`AcceptError`].
pub async fn wishes(bridge: &Bridge, member: MemberId) -> Result<Option<Wishes>, AcceptError> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.read().await?;
    let Some(standing) = Standing::load(bridge, &mut tx, member).await? else { return Ok(None) };
    let noted = kept::all(&mut tx, &standing.key, Some(Category::Agenda), Timestamp::MIN, Timestamp::MAX).await?;
    let agenda = match noted.into_iter().next_back().map(|reading| reading.measure) {
        Some(Measure::Agenda(words)) => words,
        _ => String::new(),
    };
    let mut pages = Vec::new();
    for patient in &standing.patients {
        let Some(rules) = bridge.house.pages(&patient.clinic) else { continue };
        let page = page_for(&mut tx, &standing, &patient.clinic, last_week(&standing, now), now).await?;
        // A paused consent shows nothing, and so does one that has ended.
        let words = page.map(|page| {
            let permit = standing.decide(&page, &patient.clinic, now);
            let practitioner = permit.as_ref().ok().and_then(|permit| standing.practitioner(permit));
            text(&page, practitioner.map(|named| named.display.as_str()), rules.language)
        });
        pages.push((patient.clinic.clone(), words));
    }
    Ok(Some(Wishes { agenda, pages }))
}

/// Writes down what a member wants to talk about, in place of what they wrote before. Empty: nothing any more. What no clinic
/// may see is not taken, unless they want everything kept.
///
/// # Errors
/// [`AcceptError`].
pub async fn write_agenda(bridge: &Bridge, member: MemberId, words: &str) -> Result<Outcome, AcceptError> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.read().await?;
    let standing = Standing::load(bridge, &mut tx, member).await?;
    drop(tx);
    let standing = standing.ok_or(StoreError::RowCount { expected: 1, changed: 0 })?;
    let entry = Entry { moment: standing.days.moment(now), measure: Measure::Agenda(plain(words)), labels: [].into() };
    // One for each member: what they write takes the place of what they wrote.
    let event = Event {
        source: format!("noted/{member}"),
        id: "agenda".to_owned(),
        subject: Subject::Member(member),
        says: Says::Reading(entry, Version::Current),
        flaw: None,
    };
    let community: CommunityId =
        IMPORT_COMMUNITY.parse().map_err(|_| StoreError::Corrupt("no community of its own"))?;
    let outcomes = pipeline::accept(bridge, &community, vec![Ok(event)]).await?;
    Ok(outcomes.into_iter().next().unwrap_or(Outcome::Duplicate))
}
