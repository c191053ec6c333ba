//! Reading → FHIR JSON, beside writing the same finished resource and doing nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that cannot go on ends, and tells a terminal what it found"
)]

mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mostik::consent::decide::{Request, decide};
use mostik::domain::reading::Reading;
use mostik::mapping::to_fhir::{Recipient, resource, to_fhir};
use support::sample;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn mappings(criterion: &mut Criterion) {
    map(criterion, "mood", &sample::mood());
    map(criterion, "note", &sample::note());
    map(criterion, "tags", &sample::tags());
}

fn map(criterion: &mut Criterion, name: &str, reading: &Reading) {
    let clinic = sample::clinic();
    let grants = [sample::grant(1, sample::MEMBER, sample::clinic())];
    let permit = decide(&grants, Request::to_record(reading, &clinic, sample::now())).unwrap();
    let recipient = Recipient {
        patient: "example",
        identifier: Uuid::from_u128(3),
        source: "urn:mostik:bridge",
        recorded: jiff::Timestamp::UNIX_EPOCH,
        practitioner: None,
    };
    let (typed, decimals) = resource(&permit, recipient).unwrap();
    let bytes = to_fhir(&permit, recipient).unwrap().body;
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();

    let mut group = criterion.benchmark_group(format!("mapping_{name}"));
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("reading_to_json", |bencher| {
        bencher.iter(|| to_fhir(black_box(&permit), black_box(recipient)));
    });
    group.bench_function("typed_resource_to_json", |bencher| {
        bencher.iter(|| fhir_codec::to_bytes(black_box(&typed), black_box(&decimals)));
    });
    group.bench_function("limit_json_value_to_json", |bencher| bencher.iter(|| serde_json::to_vec(black_box(&json))));
    group.finish();
}

criterion_group!(benches, mappings);
criterion_main!(benches);
