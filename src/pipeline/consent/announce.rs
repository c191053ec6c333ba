//! What a clinic is told of how a consent stands: one Consent for each grant, brought up to date in place, on the lane of
//! everything else that it is told about the member.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Bridge, ConsentError, record};
use crate::consent::decide::{Request, decide};
use crate::consent::notice::{Notice, Part};
use crate::consent::words;
use crate::domain::consented::Practitioner;
use crate::domain::delivery::Operation;
use crate::domain::grant::{Addressee, Grant, GrantState, Standing};
use crate::domain::ids::GrantId;
use crate::domain::language::Language;
use crate::enrolment::join::PATIENT_COLUMN;
use crate::mapping::to_fhir::{self, Paper, Recipient};
use crate::outbox::enqueue::{Letter, Parcel, enqueue};
use crate::store::{LaneKey, Tx};
use crate::vault::MemberKey;

/// Tells the clinic how a grant stands, if it is one that hears of consents and has a Patient for the member. One that
/// never heard of a grant is not told that it ended.
pub(super) async fn announce(
    bridge: &Bridge,
    tx: &mut Tx,
    grant: &Grant,
    notice: Option<Notice>,
    practitioner: Option<&Practitioner>,
    now: Timestamp,
) -> Result<(), ConsentError> {
    if !bridge.house.clinics.get(&grant.clinic).is_some_and(|clinic| clinic.hears_of_consent) {
        return Ok(());
    }
    let key = record::member_key(bridge, tx, grant.member).await?;
    let Some(patient) = patient(tx, &key, grant).await? else { return Ok(()) };
    let identifier = identifier(bridge, grant.id);
    let was_told = tx.newest_versions(&[identifier.to_string()]).await?.contains_key(&identifier.to_string());
    let operation = match (was_told, grant.state) {
        (true, _) => Operation::Correct,
        (false, GrantState::Active) => Operation::Create,
        (false, GrantState::Paused | GrantState::Superseded | GrantState::Revoked) => return Ok(()),
    };
    // Never without the one whom it is for.
    if practitioner.is_none() && grant.terms.recipient != Addressee::Clinic {
        return Ok(());
    }
    let language = notice.map_or(Language::default(), |notice| notice.language);
    let (grants, standing) = (std::slice::from_ref(grant), Standing(grant));
    let permit =
        decide(grants, Request::to_record(&standing, &grant.clinic, now)).map_err(|_| ConsentError::NotOurs)?;
    let words = in_words(grant, practitioner, language);
    let recipient = Recipient { patient: &patient, identifier, source: &bridge.source, recorded: now, practitioner };
    let shown = notice.map(|notice| (title(notice), notice.text));
    let paper = Paper { recipient, is_first: !was_told, language, notice: shown, words: &words };
    let outbound = to_fhir::consent(&permit, paper)?;
    let parcel = Parcel::new(permit, Letter { operation, outbound, content: None }, &key);
    enqueue(tx, &[parcel], &[], bridge.keyring.entropy(), now).await?;
    // Even where everything else waits for the end of a pause.
    Ok(tx.wake_lane(&LaneKey { clinic: grant.clinic.clone(), member: grant.member }).await?)
}

/// The identifier of a grant's Consent: the same for all its versions.
pub fn identifier(bridge: &Bridge, grant: GrantId) -> Uuid {
    bridge.keyring.index().uuid("consent", &[grant.0.as_bytes()])
}

/// How a grant stands, in words for people at the clinic.
pub fn in_words(grant: &Grant, practitioner: Option<&Practitioner>, language: Language) -> Vec<(&'static str, String)> {
    let named = practitioner.map(|named| named.display.as_str());
    let name = match language {
        Language::En => "Consent",
        Language::Ru => "Согласие",
    };
    let state = (name, words::state(grant.state, language).to_owned());
    let terms = words::terms(&grant.terms, named, language).into_iter().map(|row| (row.name, row.value));
    std::iter::once(state).chain(terms).collect()
}

/// What a notice is called.
pub fn title(notice: Notice) -> &'static str {
    let title = notice.parts().find_map(|part| match part {
        Part::Title(title) => Some(title),
        Part::Heading(_) | Part::Paragraph(_) => None,
    });
    title.unwrap_or_default()
}

async fn patient(tx: &mut Tx, key: &MemberKey, grant: &Grant) -> Result<Option<String>, ConsentError> {
    let links = tx.links(&[grant.member]).await?;
    let Some(link) = links.into_iter().find(|link| link.clinic == grant.clinic) else { return Ok(None) };
    let opened = key.open(PATIENT_COLUMN, link.clinic.as_str().as_bytes(), &link.sealed_patient)?;
    Ok(String::from_utf8(opened).ok())
}
