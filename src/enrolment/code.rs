//! One-time codes: a clinic hands one to a person, and who tells it is linked to that Patient.
//!
//! Of a code only a keyed index is kept, and the Patient opens with the code alone: whoever has the database, and even
//! the keys of this house, learns from it neither. 80 random bits, ten attempts an hour for a member and some hundreds at
//! a clinic: guessing is hopeless.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::join::patient_index;
use super::link::{LinkError, Proof};
use super::trouble::Trouble;
use crate::domain::entropy::NoEntropy;
use crate::domain::ids::{ClinicId, MemberId, is_fhir_id};
use crate::store::{NewLinkCode, Store, StoreError, Tx};
use crate::vault::{Index, Keyring, SealError, ToldKey};

/// The column a code's Patient is sealed for; its row is the code's index.
const PATIENT_COLUMN: &str = "link_codes.sealed_patient";

/// Crockford's base 32: no I, L, O and U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How many letters a code has, of five bits each.
const LENGTH: usize = 16;

/// How many codes a member may try in an hour.
const ATTEMPTS_OF_MEMBER: i64 = 10;

/// How many codes may be tried at a clinic in an hour, by whomever.
const ATTEMPTS_AT_CLINIC: i64 = 300;

const HOUR: i64 = 3600;

/// What a clinic wants a code for.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// Which clinic.
    pub clinic: &'a ClinicId,
    /// For which Patient, by FHIR id. Personal.
    pub patient: &'a str,
    /// How long it is good.
    pub validity: SignedDuration,
    /// Whether its holder takes the place of who is linked to the Patient.
    pub replaces: bool,
}

/// A code, shown once and nowhere kept.
#[derive(Debug)]
pub struct Issued {
    /// The code.
    pub code: SecretString,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// Whether somebody is linked to the Patient now.
    pub is_linked: bool,
}

/// A code that was not issued, or not taken; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// What was typed is no code at all. It was not counted.
    #[error("expected a code of 16 letters and digits")]
    Malformed,
    /// There is no such code: mistyped, used, replaced by a newer one, or over.
    #[error("there is no such code, or it was used already, or its time is over")]
    Unknown,
    /// Too many were tried.
    #[error("too many codes were tried; the next one may be tried at {until}")]
    TooMany {
        /// From when on it can be tried again.
        until: Timestamp,
    },
    /// The member cannot be linked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// There is no randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl CodeError {
    /// What the member is told.
    #[must_use]
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::Malformed => Trouble::CodeMalformed,
            Self::Unknown => Trouble::CodeUnknown,
            Self::TooMany { .. } => Trouble::CodeTooMany,
            Self::Link(error) => error.trouble(),
            Self::Store(_) | Self::Seal(_) | Self::NoEntropy(_) => Trouble::OurTrouble,
        }
    }
}

/// A code as it is compared: sixteen letters.
pub(super) struct Code(Zeroizing<String>);

/// Issues a code, in place of the one before it for the same Patient.
///
/// # Errors
/// [`CodeError`].
pub async fn issue(tx: &mut Tx, keyring: &Keyring, order: Order<'_>, now: Timestamp) -> Result<Issued, CodeError> {
    let Order { clinic, patient, validity, replaces } = order;
    if !is_fhir_id(patient) {
        return Err(LinkError::PatientId.into());
    }
    let code = Code::fresh(keyring)?;
    let code_index = code.index(keyring, clinic);
    let expires_at = now.checked_add(validity).unwrap_or(Timestamp::MAX);
    let row = clinic.as_str().as_bytes();
    let new = NewLinkCode {
        code_index,
        clinic,
        patient_index: keyring.index().index("code-patient", &[row, patient.as_bytes()]),
        sealed_patient: code.key(keyring, clinic).seal(PATIENT_COLUMN, &code_index, patient.as_bytes())?,
        replaces,
        expires_at,
    };
    tx.put_link_code(new, now).await?;
    let is_linked = tx.member_by_patient(clinic, patient_index(keyring, clinic, patient)).await?.is_some();
    Ok(Issued { code: code.shown(), expires_at, is_linked })
}

/// What a code that somebody told says. Personal.
pub struct Told {
    code_index: Index,
    /// The Patient's FHIR id.
    pub patient: Zeroizing<String>,
    /// That it was told, as the proof of a link.
    pub proof: Proof,
}

/// Reads a code that a member tells. Each attempt counts, before anything is looked up, for all replicas. The code stays
/// good until it is used up ([`use_up`]).
///
/// # Errors
/// [`CodeError`].
pub async fn told(
    store: &Store,
    keyring: &Keyring,
    member: MemberId,
    clinic: &ClinicId,
    typed: &str,
    now: Timestamp,
) -> Result<Told, CodeError> {
    let code = Code::read(typed).ok_or(CodeError::Malformed)?;
    count(store, member, clinic, now).await?;
    let code_index = code.index(keyring, clinic);
    let row = store.read().await?.link_code(code_index, now).await?.ok_or(CodeError::Unknown)?;
    let opened = code.key(keyring, clinic).open(PATIENT_COLUMN, &code_index, &row.sealed_patient)?;
    let patient = Zeroizing::new(String::from_utf8(opened).map_err(|_| SealError::DoesNotOpen)?);
    Ok(Told { code_index, patient, proof: Proof::ClinicCode { issued_at: row.issued_at, replaces: row.replaces } })
}

/// Uses a code up, in the transaction that links the member, after the members are held, as everywhere.
///
/// # Errors
/// [`CodeError::Unknown`] when somebody used it meanwhile; the transaction must then be dropped.
pub async fn use_up(tx: &mut Tx, told: &Told) -> Result<(), CodeError> {
    if tx.use_link_code(told.code_index).await? { Ok(()) } else { Err(CodeError::Unknown) }
}

/// Forgets codes that have ended, and attempts of earlier hours.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_ended(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    tx.forget_ended_link_codes(now, hour(now)).await
}

/// Counts an attempt. A member who has used theirs up does not use up the clinic's.
async fn count(store: &Store, member: MemberId, clinic: &ClinicId, now: Timestamp) -> Result<(), CodeError> {
    let mut tx = store.begin().await?;
    let too_many = tx.count_attempt_of(member, hour(now)).await? > ATTEMPTS_OF_MEMBER
        || tx.count_attempt_at(clinic, hour(now)).await? > ATTEMPTS_AT_CLINIC;
    tx.commit().await?;
    if too_many {
        tracing::warn!(clinic_id = %clinic, member_id = %member, "too many codes were tried");
        let until = Timestamp::from_second((hour(now) + 1) * HOUR).unwrap_or(Timestamp::MAX);
        return Err(CodeError::TooMany { until });
    }
    Ok(())
}

fn hour(now: Timestamp) -> i64 {
    now.as_second().div_euclid(HOUR)
}

impl Code {
    pub(super) fn fresh(keyring: &Keyring) -> Result<Self, NoEntropy> {
        let bytes: Zeroizing<[u8; LENGTH]> = Zeroizing::new(keyring.entropy().bytes()?);
        // Five bits of each byte: no letter is likelier than another.
        let letters = bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31)));
        Ok(Self(Zeroizing::new(letters.map(|letter| char::from(*letter)).collect())))
    }

    /// What somebody typed, forgivingly: any case, with or without dashes and spaces, with letters that look alike.
    pub(super) fn read(typed: &str) -> Option<Self> {
        let mut code = Zeroizing::new(String::with_capacity(LENGTH));
        for letter in typed.chars().filter(|letter| !is_gap(*letter)) {
            let letter = plain(letter);
            if code.len() == LENGTH || !letter.is_ascii() || !LETTERS.contains(&(letter as u8)) {
                return None;
            }
            code.push(letter);
        }
        (code.len() == LENGTH).then_some(Self(code))
    }

    /// Four times four letters.
    pub(super) fn shown(&self) -> SecretString {
        let mut shown = String::with_capacity(LENGTH + LENGTH / 4);
        for (position, letter) in self.0.chars().enumerate() {
            if position > 0 && position % 4 == 0 {
                shown.push('-');
            }
            shown.push(letter);
        }
        SecretString::from(shown)
    }

    fn index(&self, keyring: &Keyring, clinic: &ClinicId) -> Index {
        keyring.index().index("link-code", &[clinic.as_str().as_bytes(), self.0.as_bytes()])
    }

    /// The index of a code that belongs to a member, and to no clinic.
    pub(super) fn own_index(&self, keyring: &Keyring) -> Index {
        keyring.index().index("join-code", &[self.0.as_bytes()])
    }

    fn key(&self, keyring: &Keyring, clinic: &ClinicId) -> ToldKey {
        keyring.told_key("link-code-key", &[clinic.as_str().as_bytes(), self.0.as_bytes()])
    }
}

/// What stands between letters, or is pasted along with them.
fn is_gap(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '-' | '_' | '.' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The letter that is meant: Crockford's look-alikes, and those of a Cyrillic keyboard.
fn plain(letter: char) -> char {
    match letter {
        'o' | 'O' | 'о' | 'О' => '0',
        'i' | 'I' | 'l' | 'L' | 'і' | 'І' => '1',
        'а' | 'А' => 'A',
        'в' | 'В' => 'B',
        'с' | 'С' => 'C',
        'е' | 'Е' | 'ё' | 'Ё' => 'E',
        'н' | 'Н' => 'H',
        'к' | 'К' => 'K',
        'м' | 'М' => 'M',
        'р' | 'Р' => 'P',
        'т' | 'Т' => 'T',
        'х' | 'Х' => 'X',
        'у' | 'У' => 'Y',
        'з' | 'З' => '3',
        other => other.to_ascii_uppercase(),
    }
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Told({:?})", self.proof)
    }
}

impl std::fmt::Debug for Order<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Order(at {})", self.clinic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::{Entropy, SeededEntropy};
    use crate::vault::Key;
    use secrecy::ExposeSecret;

    fn keyring() -> Keyring {
        let entropy = Entropy::Seeded(SeededEntropy::new(3));
        let wrapped = Keyring::create_index_key(&Key::from_bytes([1; 32]), &entropy).unwrap();
        Keyring::open(Key::from_bytes([1; 32]), &wrapped, entropy).unwrap()
    }

    fn read(typed: &str) -> Option<String> {
        Code::read(typed).map(|code| code.0.to_string())
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        for typed in [
            "7K2M-P9QX-4TRD-0HVW",
            "7k2mp9qx4trd0hvw",
            " 7K2M P9QX 4TRD OHVW ",
            "7k2m\u{2013}p9qx\u{2014}4trd\u{a0}ohvw\n",
            "7К2М-Р9QХ-4ТRD-ОНVW", // with a Cyrillic keyboard
        ] {
            assert_eq!(read(typed).as_deref(), Some("7K2MP9QX4TRD0HVW"), "{typed}");
        }
        assert_eq!(read("iIlL-0000-0000-oOоО").as_deref(), Some("1111000000000000"));
        for none in ["", "7K2M-P9QX-4TRD", "7K2M-P9QX-4TRD-0HVW-1", "7K2M-P9QX-4TRD-0HVU", "7K2M-P9QX-4TRD-0HV?"] {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(read(&"é".repeat(16)), None);
    }

    #[test]
    fn fresh_codes_differ_and_read_back() {
        let keyring = keyring();
        let mut seen = std::collections::BTreeSet::new();
        let mut letters = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let shown = Code::fresh(&keyring).unwrap().shown();
            let shown = shown.expose_secret();
            assert_eq!(shown.len(), 19);
            letters.extend(shown.chars());
            assert_eq!(read(shown).unwrap(), shown.replace('-', ""));
            assert!(seen.insert(shown.to_owned()));
        }
        assert_eq!(letters.len(), 33, "every letter, and the dash");
    }

    #[test]
    fn a_code_is_another_one_at_another_clinic() {
        let (keyring, code) = (keyring(), Code::read("7K2MP9QX4TRD0HVW").unwrap());
        let [here, there]: [ClinicId; 2] = ["riverside", "hillside"].map(|clinic| clinic.parse().unwrap());
        assert_ne!(code.index(&keyring, &here), code.index(&keyring, &there));
        let sealed = code.key(&keyring, &here).seal(PATIENT_COLUMN, b"row", b"17").unwrap();
        assert!(code.key(&keyring, &there).open(PATIENT_COLUMN, b"row", &sealed).is_err());
    }
}
