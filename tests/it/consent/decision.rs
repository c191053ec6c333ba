//! The decision, as properties.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use mostik::consent::decide::{DenyReason, Direction, Reader, warn};
use mostik::domain::category::{Category, Detail};
use mostik::domain::grant::{Addressee, Grant, GrantState, Purpose, Terms, WayBack};
use mostik::domain::ids::GrantId;
use mostik::domain::label::Label;
use mostik::domain::matter::{Fact, Matter, Parts};
use proptest::prelude::*;
use uuid::Uuid;

use super::any::*;

/// Said again in other words, from the definition of a grant: the judge of the properties.
fn plainly_covered(grant: &Grant, asked: &Asked) -> bool {
    let terms = &grant.terms;
    let is_theirs = grant.member == asked.item.member && grant.clinic == clinic(0);
    let is_in_force = grant.state == GrantState::Active && (terms.valid_from..terms.valid_until).contains(&asked.now);
    let is_for_that = terms.purposes.contains(&asked.purpose);
    let reader_is_named = match terms.recipient {
        Addressee::Clinic => true,
        Addressee::Practitioner(named) => [Reader::Record, Reader::Practitioner(named)].contains(&asked.reader),
    };
    let is_outward = asked.direction == Direction::ToClinic;
    let is_covered = |fact: &Fact| {
        let shared = terms.categories.get(&fact.category);
        let inherent: BTreeSet<Label> = fact.category.labels().iter().copied().collect();
        is_outward
            && is_in_force
            && is_for_that
            && reader_is_named
            && shared.is_some_and(|detail| fact.detail <= *detail)
            && terms.withheld.is_disjoint(&fact.labels)
            && terms.withheld.is_disjoint(&inherent)
            && terms.data_from.is_none_or(|from| from <= fact.measured_at)
    };
    let may_answer = is_outward && is_in_force && is_for_that && reader_is_named && terms.way_back > WayBack::None;
    let shares_reasons = terms.categories.contains_key(&Category::Agenda)
        && Category::Agenda.labels().iter().all(|label| !terms.withheld.contains(label));
    is_theirs
        && match &asked.item.matter {
            Matter::Fact(fact) => is_covered(fact),
            Matter::Page(Parts { facts, answers }) => {
                (*answers || !facts.is_empty()) && facts.iter().all(is_covered) && (!answers || may_answer)
            }
            Matter::Word => !is_outward && is_in_force && is_for_that && terms.way_back > WayBack::None,
            Matter::Answer => may_answer,
            Matter::Consent(about) => is_outward && grant.id == *about,
            Matter::Booking { says_why } => {
                is_outward
                    && is_in_force
                    && is_for_that
                    && reader_is_named
                    && terms.way_back > WayBack::None
                    && (!says_why || shares_reasons)
            }
            Matter::Mark(_) | Matter::Cancelling => is_outward,
            // No consent lets a warning go.
            Matter::Warning(_) => false,
        }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_policy_lets_a_warning_go_for_its_own_purpose_and_for_a_day_and_nothing_else_ever(
        asked in any_asked(), purpose in proptest::option::of(any_purpose()), hours in -1i64..30,
    ) {
        let (clinic, now) = (clinic(0), at(0) + SignedDuration::from_hours(hours));
        let policy = purpose.map(policy);
        let permitted = warn(policy.as_ref(), &asked.item, &clinic, now);
        let plainly = match (&asked.item.matter, purpose) {
            (Matter::Warning(decided), Some(purpose)) => {
                decided.purpose == purpose && now < decided.at + SignedDuration::from_hours(24)
            }
            _ => false,
        };
        prop_assert_eq!(permitted.is_ok(), plainly);
        if let Ok(permit) = permitted {
            prop_assert_eq!((permit.grant(), permit.obliges().addressee), (None, Addressee::Clinic));
            prop_assert_eq!(permit.obliges().way_back, WayBack::None);
        }
    }

    #[test]
    fn it_permits_exactly_what_some_active_grant_covers(grants in any_grants(), asked in any_asked()) {
        match asked.of(&grants) {
            Ok((id, version, obliges)) => {
                let by = grants.iter().find(|grant| (grant.id, grant.version) == (id, version)).unwrap();
                prop_assert!(plainly_covered(by, &asked));
                prop_assert_eq!((obliges.addressee, obliges.way_back), (by.terms.recipient, by.terms.way_back));
                let facts = match &asked.item.matter {
                    Matter::Fact(fact) => std::slice::from_ref(fact),
                    Matter::Page(parts) => &parts.facts,
                    _ => &[],
                };
                if let [fact] = facts {
                    prop_assert!(fact.detail <= obliges.aggregate_to);
                }
                for fact in facts {
                    prop_assert!(by.terms.categories[&fact.category] >= obliges.aggregate_to);
                    prop_assert!(obliges.labels.is_superset(&fact.labels), "no label is lost");
                    let of_category = fact.category.labels();
                    prop_assert!(of_category.iter().all(|label| obliges.labels.contains(label)), "nor one of its category");
                    prop_assert!(obliges.labels.is_disjoint(&by.terms.withheld));
                }
                let shares_notes = by.terms.categories.get(&Category::Note) == Some(&Detail::EveryEntry);
                prop_assert_eq!(obliges.strip_note, !shares_notes);
            }
            Err(reasons) => {
                prop_assert!(!grants.iter().any(|grant| plainly_covered(grant, &asked)));
                prop_assert!(!reasons.is_empty(), "a deny has a reason");
            }
        }
    }

    #[test]
    fn the_order_of_grants_does_not_matter(grants in any_grants().prop_shuffle(), asked in any_asked()) {
        let mut sorted = grants.clone();
        sorted.sort_by_key(|grant| (grant.id, grant.version));
        prop_assert_eq!(asked.of(&grants), asked.of(&sorted));
    }

    #[test]
    fn without_a_grant_everything_is_denied(asked in any_asked()) {
        prop_assert_eq!(asked.of(&[]), Err(BTreeSet::from([DenyReason::NoGrant])));
    }

    #[test]
    fn taking_a_grant_back_never_widens(grants in any_grants(), which: prop::sample::Index, asked in any_asked()) {
        prop_assume!(!grants.is_empty());
        let mut fewer = grants.clone();
        fewer[which.index(grants.len())].state = GrantState::Revoked;
        prop_assert!(asked.of(&grants).is_ok() || asked.of(&fewer).is_err());
    }

    #[test]
    fn what_a_member_takes_away_or_withholds_never_widens(
        grants in any_grants(), which: prop::sample::Index, how in 0usize..8, label in any_of(&Label::ALL),
        category in any_of(&Category::ALL), asked in any_asked(),
    ) {
        prop_assume!(!grants.is_empty());
        let mut narrower = grants.clone();
        let terms = &mut narrower[which.index(grants.len())].terms;
        match how {
            0 => drop(terms.withheld.insert(label)),
            1 => drop(terms.categories.remove(&category)),
            2 => terms.categories.values_mut().for_each(|detail| *detail = Detail::WeeklySummary),
            3 => drop(terms.purposes.pop_first()),
            4 => terms.valid_until -= SignedDuration::from_secs(3),
            5 => terms.data_from = Some(terms.data_from.map_or(at(0), |from| from + SignedDuration::from_secs(3))),
            6 => terms.way_back = WayBack::None,
            _ if terms.recipient == Addressee::Clinic => terms.recipient = Addressee::Practitioner(practitioner(0)),
            _ => {}
        }
        prop_assert!(asked.of(&grants).is_ok() || asked.of(&narrower).is_err());
    }
}

fn everything() -> Grant {
    Grant {
        id: GrantId(Uuid::nil()),
        version: 1,
        member: member(0),
        clinic: clinic(0),
        state: GrantState::Active,
        terms: Terms {
            categories: Category::ALL.into_iter().map(|category| (category, Detail::EveryEntry)).collect(),
            purposes: BTreeSet::from([Purpose::Treatment]),
            valid_from: at(0),
            valid_until: at(10),
            data_from: Some(at(0)),
            recipient: Addressee::Clinic,
            way_back: WayBack::Full,
            withheld: BTreeSet::new(),
        },
        created_at: at(0),
        ended_at: None,
    }
}

fn a_mood() -> Asked {
    let matter = Matter::Fact(Fact::entry(Category::Mood, at(0)));
    let item = Item { member: member(0), matter };
    Asked { item, reader: Reader::Record, purpose: Purpose::Treatment, direction: Direction::ToClinic, now: at(0) }
}

fn foremost(grant: &Grant, asked: &Asked) -> Result<(), DenyReason> {
    asked.of(std::slice::from_ref(grant)).map(drop).map_err(|reasons| *reasons.last().unwrap())
}

#[test]
fn it_begins_and_ends_at_the_very_instant() {
    let micro = SignedDuration::from_micros(1);
    let ask = |now: Timestamp| foremost(&everything(), &Asked { now, ..a_mood() });
    assert_eq!(ask(at(0) - micro), Err(DenyReason::NotYetValid));
    assert_eq!(ask(at(0)), Ok(()));
    assert_eq!(ask(at(10) - micro), Ok(()));
    assert_eq!(ask(at(10)), Err(DenyReason::Expired));
    assert_eq!(ask(Timestamp::MAX), Err(DenyReason::Expired));
}

#[test]
fn every_deny_says_what_stands_in_the_way() {
    let with = |narrow: fn(&mut Grant)| {
        let mut grant = everything();
        narrow(&mut grant);
        foremost(&grant, &a_mood())
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(with(|grant| grant.clinic = clinic(1)), Err(DenyReason::NoGrant));
    assert_eq!(with(|grant| grant.member = member(1)), Err(DenyReason::NoGrant));
    assert_eq!(with(|grant| grant.state = GrantState::Revoked), Err(DenyReason::Ended));
    assert_eq!(with(|grant| grant.state = GrantState::Paused), Err(DenyReason::Paused));
    assert_eq!(with(|grant| grant.terms.purposes.clear()), Err(DenyReason::PurposeNotGranted));
    assert_eq!(with(|grant| grant.terms.categories.clear()), Err(DenyReason::CategoryNotShared));
    let coarser = |grant: &mut Grant| grant.terms.categories = [(Category::Mood, Detail::DailySummary)].into();
    assert_eq!(with(coarser), Err(DenyReason::SummaryOnly));
    assert_eq!(with(|grant| grant.terms.withheld = [Label::Psychiatry].into()), Err(DenyReason::LabelWithheld));
    assert_eq!(with(|grant| grant.terms.data_from = Some(at(1))), Err(DenyReason::BeforeDataPeriod));
    let back = Asked { direction: Direction::ToMember, ..a_mood() };
    assert_eq!(foremost(&everything(), &back), Err(DenyReason::DirectionNotGranted));
}

#[test]
fn where_one_practitioner_is_named_nobody_else_reads_and_nor_does_somebody_unknown() {
    let mut grant = everything();
    grant.terms.recipient = Addressee::Practitioner(practitioner(1));
    let ask = |reader| foremost(&grant, &Asked { reader, ..a_mood() });
    assert_eq!(ask(Reader::Practitioner(practitioner(1))), Ok(()));
    assert_eq!(ask(Reader::Practitioner(practitioner(2))), Err(DenyReason::RecipientNotNamed));
    assert_eq!(ask(Reader::Anyone), Err(DenyReason::RecipientNotNamed));
    let (_, _, obliges) = a_mood().of(std::slice::from_ref(&grant)).unwrap();
    assert_eq!(obliges.addressee, Addressee::Practitioner(practitioner(1)), "the record gets it addressed");
}

#[test]
fn a_page_goes_only_as_long_as_each_of_its_parts_may() {
    let part = |category| Fact { detail: Detail::DailySummary, ..Fact::entry(category, at(0)) };
    let page = |parts: Vec<Fact>| {
        let mut asked = a_mood();
        asked.item.matter = Matter::Page(Parts { facts: parts, answers: false });
        asked
    };
    let both = vec![part(Category::Mood), part(Category::Sleep)];
    let turned = both.iter().rev().cloned().collect();
    assert_eq!(
        foremost(&everything(), &page(vec![])),
        Err(DenyReason::CategoryNotShared),
        "of nothing there is no page"
    );
    for parts in [both.clone(), turned] {
        let with = |narrow: fn(&mut Grant)| {
            let mut grant = everything();
            narrow(&mut grant);
            foremost(&grant, &page(parts.clone()))
        };
        let without = |grant: &mut Grant| {
            grant.terms.categories.remove(&Category::Sleep);
        };
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(without), Err(DenyReason::CategoryNotShared));
        let weekly = |grant: &mut Grant| {
            grant.terms.categories.insert(Category::Sleep, Detail::WeeklySummary);
        };
        assert_eq!(with(weekly), Err(DenyReason::SummaryOnly));
        assert_eq!(with(|grant| grant.terms.withheld = [Label::Psychiatry].into()), Err(DenyReason::LabelWithheld));
        let paused = |grant: &mut Grant| {
            grant.state = GrantState::Paused;
            grant.terms.categories.remove(&Category::Sleep);
        };
        assert_eq!(with(paused), Err(DenyReason::CategoryNotShared), "a pause that ends would not make it go");
    }
    let (_, _, obliges) = page(both).of(&[everything()]).unwrap();
    assert_eq!(obliges.labels, [Label::Psychiatry].into(), "those of all its parts");
}
