//! Whatever a consent can be asked about, at random.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use mostik::consent::decide::{DenyReason, Direction, Disclosable, Obligations, Reader, Request, decide};
use mostik::domain::category::{Category, Detail};
use mostik::domain::grant::{Addressee, Grant, GrantState, Purpose, Terms, WayBack};
use mostik::domain::ids::{ClinicId, GrantId, MemberId, PractitionerId};
use mostik::domain::label::Label;
use mostik::domain::language::Language;
use mostik::domain::matter::{Fact, Matter, Parts};
use mostik::domain::warning::{Decided, WarningPolicy, WarningPurpose};
use proptest::prelude::*;
use uuid::Uuid;

/// Something about a member, as far as the decision looks at it.
#[derive(Clone, Debug)]
pub struct Item {
    pub member: MemberId,
    pub matter: Matter,
}

impl Disclosable for Item {
    fn member(&self) -> MemberId {
        self.member
    }

    fn matter(&self) -> Matter {
        self.matter.clone()
    }
}

/// A request whose parts are its own.
#[derive(Clone, Debug)]
pub struct Asked {
    pub item: Item,
    pub reader: Reader,
    pub purpose: Purpose,
    pub direction: Direction,
    pub now: Timestamp,
}

impl Asked {
    /// Which grant permits it and what that obliges to, or why none does.
    pub fn of(&self, grants: &[Grant]) -> Result<(GrantId, i32, Obligations), BTreeSet<DenyReason>> {
        let (reader, purpose, direction, now) = (self.reader, self.purpose, self.direction, self.now);
        let clinic = &clinic(0);
        match decide(grants, Request { item: &self.item, clinic, reader, purpose, direction, now }) {
            Ok(permit) => {
                let (id, version) = permit.grant().unwrap();
                Ok((id, version, permit.obliges().clone()))
            }
            Err(denied) => Err(denied.reasons().collect()),
        }
    }
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn clinic(n: u8) -> ClinicId {
    format!("clinic-{n}").parse().unwrap()
}

pub fn member(n: u8) -> MemberId {
    MemberId(Uuid::from_u128(n.into()))
}

pub fn practitioner(n: u8) -> PractitionerId {
    PractitionerId(Uuid::from_u128(n.into()))
}

pub fn any_of<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(all.to_vec())
}

pub fn any_labels() -> impl Strategy<Value = BTreeSet<Label>> {
    prop::collection::btree_set(any_of(&Label::ALL), 0..2)
}

pub fn any_addressee() -> impl Strategy<Value = Addressee> {
    prop_oneof![Just(Addressee::Clinic), (0u8..2).prop_map(|n| Addressee::Practitioner(practitioner(n)))]
}

prop_compose! {
    pub fn any_terms()(
        categories in prop::collection::btree_map(any_of(&Category::ALL), any_of(&Detail::ALL), 0..4),
        purposes in prop::collection::btree_set(any_of(&[Purpose::Treatment, Purpose::CareManagement]), 0..3),
        from in -5i64..3, length in 0i64..12, data_from in prop::option::of(-5i64..5),
        recipient in any_addressee(), way_back in any_of(&[WayBack::None, WayBack::Notice, WayBack::Full]),
        withheld in any_labels(),
    ) -> Terms {
        let (valid_from, valid_until) = (at(from), at(from + length));
        let data_from = data_from.map(at);
        Terms { categories, purposes, valid_from, valid_until, data_from, recipient, way_back, withheld }
    }
}

prop_compose! {
    pub fn any_grant()(
        id in 0u128..4, version in 1i32..4, whose in 0u8..2, towards in 0u8..2,
        state in any_of(&[GrantState::Active, GrantState::Active, GrantState::Paused, GrantState::Superseded, GrantState::Revoked]),
        terms in any_terms(),
    ) -> Grant {
        let (id, member, clinic, created_at) = (GrantId(Uuid::from_u128(id)), member(whose), clinic(towards), terms.valid_from);
        Grant { id, version, member, clinic, state, terms, created_at, ended_at: None }
    }
}

/// Grants as they can be: of each there is one version with a number.
pub fn any_grants() -> impl Strategy<Value = Vec<Grant>> {
    prop::collection::vec(any_grant(), 0..6).prop_map(|grants| {
        let unique: BTreeMap<_, _> = grants.into_iter().map(|grant| ((grant.id, grant.version), grant)).collect();
        unique.into_values().collect()
    })
}

prop_compose! {
    pub fn any_fact()(
        category in any_of(&Category::ALL), detail in any_of(&Detail::ALL), labels in any_labels(), second in -6i64..6,
    ) -> Fact {
        Fact { category, detail, labels, measured_at: at(second) }
    }
}

pub fn any_matter() -> impl Strategy<Value = Matter> {
    prop_oneof![
        6 => any_fact().prop_map(Matter::Fact),
        4 => (prop::collection::vec(any_fact(), 0..3), any::<bool>())
            .prop_map(|(facts, answers)| Matter::Page(Parts { facts, answers })),
        1 => (0u128..4).prop_map(|id| Matter::Consent(GrantId(Uuid::from_u128(id)))),
        1 => any_fact().prop_map(Matter::Mark),
        2 => Just(Matter::Word),
        2 => Just(Matter::Answer),
        1 => any_decided().prop_map(Matter::Warning),
        2 => any::<bool>().prop_map(|says_why| Matter::Booking { says_why }),
        1 => Just(Matter::Cancelling),
    ]
}

pub fn any_reader() -> impl Strategy<Value = Reader> {
    prop_oneof![
        Just(Reader::Record),
        Just(Reader::Anyone),
        (0u8..2).prop_map(|n| Reader::Practitioner(practitioner(n)))
    ]
}

prop_compose! {
    pub fn any_asked()(
        whose in 0u8..2, matter in any_matter(), reader in any_reader(), second in -6i64..16,
        purpose in any_of(&[Purpose::Treatment, Purpose::CareManagement]),
        direction in any_of(&[Direction::ToClinic, Direction::ToClinic, Direction::ToMember]),
    ) -> Asked {
        Asked { item: Item { member: member(whose), matter }, reader, purpose, direction, now: at(second) }
    }
}

pub fn any_purpose() -> impl Strategy<Value = WarningPurpose> {
    any_of(&[WarningPurpose::EmergencyTreatment, WarningPurpose::Threat])
}

prop_compose! {
    pub fn any_decided()(purpose in any_purpose(), hours in -30i64..30) -> Decided {
        Decided { at: at(0) + SignedDuration::from_hours(hours), purpose }
    }
}

pub fn policy(purpose: WarningPurpose) -> WarningPolicy {
    let legal_basis = [(Language::En, "A law that allows it".to_owned())].into();
    WarningPolicy { purpose, legal_basis, tell_member: true, language: Language::En }
}
