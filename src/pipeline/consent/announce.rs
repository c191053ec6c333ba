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
use crate::domain::grant::{Addressee, Grant, GrantState, Standing, Terms};
use crate::domain::ids::GrantId;
use crate::domain::language::Language;
use crate::enrolment::join::linked_patient;
use crate::mapping::to_fhir::{self, Paper, Recipient};
use crate::outbox::enqueue::{Letter, Parcel, enqueue};
use crate::store::{LaneKey, Tx};

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
    match linked_patient(tx, &bridge.keyring, grant.member, &grant.clinic).await? {
        Some(patient) => announce_for(bridge, tx, grant, &patient, notice, practitioner, now).await,
        None => Ok(()),
    }
}

/// The same, for a Patient of the member whose link may have ended in this transaction.
pub(super) async fn announce_for(
    bridge: &Bridge,
    tx: &mut Tx,
    grant: &Grant,
    patient: &str,
    notice: Option<Notice>,
    practitioner: Option<&Practitioner>,
    now: Timestamp,
) -> Result<(), ConsentError> {
    if !bridge.house.clinics.get(&grant.clinic).is_some_and(|clinic| clinic.hears_of_consent) {
        return Ok(());
    }
    let key = record::member_key(bridge, tx, grant.member).await?;
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
    let words = in_words(grant, practitioner, language, now);
    let recipient = Recipient { patient, identifier, source: &bridge.source, recorded: now, practitioner };
    let shown = notice.map(|notice| (title(notice), notice.text));
    let paper = Paper { recipient, is_first: !was_told, language, notice: shown, words: &words, now };
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
pub fn in_words(
    grant: &Grant,
    practitioner: Option<&Practitioner>,
    language: Language,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let named = practitioner.map(|named| named.display.as_str());
    let name = match language {
        Language::En => "Consent",
        Language::Ru => "Согласие",
    };
    let state = (name, words::stands(grant, now, language).to_owned());
    // What they withhold for its sensitivity is nobody's business there.
    let told = Terms { withheld: [].into(), ..grant.terms.clone() };
    let terms = words::terms(&told, named, language).into_iter().map(|row| (row.name, row.value));
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
