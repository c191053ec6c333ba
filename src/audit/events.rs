//! The audit log as FHIR `AuditEvent`s: for the clinic, what concerns it and one member; for an operator, everything.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::sealed::opened;
use crate::domain::audit::{Chain, Event, Stage, Whereabouts};
use crate::domain::ids::{ClinicId, MemberId};
use crate::mapping::to_fhir::{Cast, audit_events};
use crate::store::{AuditPlace, AuditRow, AuditScope, ChainKey, StoreError, Tx, key_of};
use crate::vault::{Keyring, MemberKey};

/// The word of an entry that seals a Patient.
const LINKED: &str = "linked";

/// Tells the log, as long as the members' keys live. What it knows of the house is in it.
#[derive(Clone, Debug)]
pub struct Teller {
    keyring: Keyring,
    /// This installation: a URI.
    source: String,
    /// Where it is reached.
    url: String,
    clinics: BTreeMap<ClinicId, Told>,
}

/// What is told of a clinic.
#[derive(Clone, Debug)]
struct Told {
    name: String,
    /// Its FHIR endpoint, with a slash at its end.
    ehr: String,
}

/// A page of `AuditEvent`s.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The events, oldest first.
    pub events: Vec<Value>,
    /// From where the next page goes on, if there may be more.
    pub next: Option<i64>,
}

/// The chain whose entries are being told, and what opens them.
struct Open {
    chain: ChainKey,
    member: Option<MemberKey>,
    patient: Option<String>,
}

impl Teller {
    /// Whoever tells of this installation, with what people call its clinics and where their EHRs are.
    #[must_use]
    pub fn new(
        keyring: Keyring,
        (source, url): (&str, &str),
        clinics: impl IntoIterator<Item = (ClinicId, String, String)>,
    ) -> Self {
        let told = |(id, name, ehr): (ClinicId, String, String)| {
            let ehr = format!("{}/", ehr.trim_end_matches('/'));
            (id, Told { name, ehr })
        };
        let clinics = clinics.into_iter().map(told).collect();
        Self { keyring, source: source.to_owned(), url: url.to_owned(), clinics }
    }

    /// What a clinic may know of the log: what it was sent about one member and under which consent, and what it read
    /// itself, at or after `since`. Not what was denied or withdrawn: that would tell that there is something. `after` is
    /// the end of the page before, 0 for the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn for_clinic(
        &self,
        tx: &mut Tx,
        (clinic, member): (&ClinicId, MemberId),
        since: Timestamp,
        after: i64,
        limit: i64,
    ) -> Result<Page, StoreError> {
        let rows = tx.audit_chain(&Chain::between(clinic, member), after, since, limit).await?;
        let next = rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|count| count == limit));
        let next = next.map(|row| row.seq);
        let mut open = None;
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            if Event::from_json(&row.body).is_some_and(|event| is_for_clinics(&event)) {
                events.extend(self.tell(tx, row, &mut open).await?);
            }
        }
        Ok(Page { events, next })
    }

    /// Everything in a scope, chain by chain: tells each event to `hear`, and reads no more than a portion at once.
    ///
    /// # Errors
    /// [`StoreError`], or whatever `hear` says.
    pub async fn tell_all<E: From<StoreError>>(
        &self,
        tx: &mut Tx,
        scope: &AuditScope,
        mut hear: impl FnMut(Value) -> Result<(), E>,
    ) -> Result<(), E> {
        const PORTION: i64 = 500;
        let (mut after, mut open): (Option<AuditPlace>, Option<Open>) = (None, None);
        loop {
            let rows = tx.audit_entries(scope, after.as_ref(), PORTION).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.place());
            for row in &rows {
                for event in self.tell(tx, row, &mut open).await? {
                    hear(event)?;
                }
            }
        }
    }

    /// The events that tell of an entry. One with a word of a later version is told by its word alone.
    async fn tell(&self, tx: &mut Tx, row: &AuditRow, open: &mut Option<Open>) -> Result<Vec<Value>, StoreError> {
        let Ok(at) = Timestamp::from_microsecond(row.at) else { return Ok(Vec::new()) };
        let Some(event) = Event::from_json(&row.body) else { return Ok(Vec::new()) };
        if open.as_ref().is_none_or(|open| open.chain != row.chain()) {
            *open = Some(self.open(tx, row).await?);
        }
        let Some(open) = open else { return Ok(Vec::new()) };
        let opened = open.member.as_ref().and_then(|key| opened(key, row, &event));
        let whereabouts: Option<Whereabouts> = opened.as_deref().and_then(|text| serde_json::from_slice(text).ok());
        if let (Event::Linked(_), Some(patient)) = (&event, opened) {
            open.patient = String::from_utf8(patient).ok();
        }
        let clinic: Option<ClinicId> = row.clinic_id.parse().ok();
        let told = clinic.as_ref().and_then(|clinic| self.clinics.get(clinic));
        let cast = Cast {
            source: &self.source,
            url: &self.url,
            clinic: clinic.as_ref(),
            clinic_name: told.map(|told| told.name.as_str()),
            ehr: told.map(|told| told.ehr.as_str()),
            patient: open.patient.as_deref(),
        };
        let mut events = audit_events(&event, at, whereabouts.as_ref(), cast);
        for (number, event) in (0u32..).zip(&mut events) {
            if let Value::Object(members) = event {
                members.insert("id".to_owned(), Value::String(self.id(row, number)));
            }
        }
        Ok(events)
    }

    /// What opens the entries of a chain from this one on: the member's key, and which Patient they were then.
    async fn open(&self, tx: &mut Tx, row: &AuditRow) -> Result<Open, StoreError> {
        let none = Open { chain: row.chain(), member: None, patient: None };
        if row.member_id.is_nil() {
            return Ok(none);
        }
        let member = MemberId(row.member_id);
        let Some(wrapped) = tx.member_key(member).await? else { return Ok(none) };
        let Ok(key) = self.keyring.unwrap_member_key(member, &wrapped) else { return Ok(none) };
        let Ok(clinic) = row.clinic_id.parse() else { return Ok(Open { member: Some(key), ..none }) };
        let chain = Chain::between(&clinic, member);
        debug_assert_eq!(key_of(&chain), row.chain());
        let patient =
            tx.audit_of_kind(&chain, LINKED, row.seq.saturating_add(1), 1).await?.into_iter().find_map(|row| {
                let event = Event::from_json(&row.body)?;
                String::from_utf8(opened(&key, &row, &event)?).ok()
            });
        Ok(Open { member: Some(key), patient, ..none })
    }

    /// The same entry always tells the same events.
    fn id(&self, row: &AuditRow, number: u32) -> String {
        let place = [&row.seq.to_be_bytes()[..], &number.to_be_bytes()].concat();
        let parts: [&[u8]; 3] = [row.member_id.as_bytes(), row.clinic_id.as_bytes(), &place];
        self.keyring.index().uuid("audit-event", &parts).to_string()
    }
}

/// Whether a clinic may know of it: that something was denied or withdrawn is the member's own affair.
fn is_for_clinics(event: &Event) -> bool {
    match event {
        Event::Disclosed(_) | Event::ClinicAccess(_) | Event::StaffSaw(_) | Event::StaffDecided(_) => true,
        Event::Decision(decision) => decision.stage == Stage::Send && decision.denied.is_empty(),
        _ => false,
    }
}
