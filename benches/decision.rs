//! The consent decision among 100 grants, beside the least that could tell them apart.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that cannot go on ends, and tells a terminal what it found"
)]

mod support;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mostik::consent::decide::{Request, decide};
use mostik::domain::grant::{Grant, GrantState};
use support::sample;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const GRANTS: u128 = 100;

fn decisions(criterion: &mut Criterion) {
    let (item, clinic, now) = (black_box(sample::mood()), black_box(sample::clinic()), sample::now());
    let ask = |grants| decide(black_box(grants), Request::to_record(&item, &clinic, black_box(now)));
    let mut matching_last = sample::other_grants(GRANTS - 1);
    matching_last.push(sample::grant(GRANTS, sample::MEMBER, sample::clinic()));
    let matching_none = sample::other_grants(GRANTS);
    let ended =
        |number| Grant { state: GrantState::Revoked, ..sample::grant(number, sample::MEMBER, sample::clinic()) };
    let all_ended: Vec<Grant> = (0..GRANTS).map(ended).collect();

    let mut group = criterion.benchmark_group("decision_among_100_grants");
    assert!(ask(&matching_last).is_ok());
    group.bench_function("permit_by_the_last", |bencher| bencher.iter(|| ask(&matching_last)));
    assert!(ask(&matching_none).is_err());
    group.bench_function("deny_none_matches", |bencher| bencher.iter(|| ask(&matching_none)));
    assert!(ask(&all_ended).is_err());
    group.bench_function("deny_all_match_and_ended", |bencher| bencher.iter(|| ask(&all_ended)));
    // The limit: look at each grant's member and clinic, and at nothing else.
    group.bench_function("limit_bare_scan", |bencher| {
        bencher.iter(|| {
            let (grants, item, clinic) = (black_box(&matching_last), black_box(&item), black_box(&clinic));
            grants.iter().filter(|grant| grant.member == item.member && grant.clinic == *clinic).count()
        });
    });
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
