//! From what is known to FHIR JSON, beside writing the same finished resource and doing nothing else, which is the limit: a
//! mapper that makes a typed resource may take twice as long as that for it (`mapped`), and one that writes straight away for
//! everything (`mapped_to_json`).
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
use fhir_codec::Decimals;
use fhir_codec::resources::Resource;
use mostik::consent::decide::{Request, decide, warn};
use mostik::domain::concern::Rule;
use mostik::domain::grant::{Standing, WayBack};
use mostik::domain::ids::ConcernId;
use mostik::domain::language::Language;
use mostik::domain::outbound::Outbound;
use mostik::domain::reading::Reading;
use mostik::domain::recommendation::{Answer, Reply, Says, Source};
use mostik::domain::summary::Summary;
use mostik::domain::warning::{Decided, Warning, WarningPolicy, WarningPurpose};
use mostik::insight::page::text::text;
use mostik::mapping::to_fhir::{
    Operator, Paper, Recipient, Sheet, consent, message, page_to_fhir, part_resources, parts_to_fhir, report_to_fhir,
    resource, summary_resource, summary_to_fhir, to_fhir, warning,
};
use serde_json::Value;
use support::sample;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECIPIENT: Recipient<'_> = Recipient {
    patient: "example",
    identifier: Uuid::from_u128(3),
    source: "urn:mostik:bridge",
    recorded: jiff::Timestamp::UNIX_EPOCH,
    practitioner: None,
};

fn mappings(criterion: &mut Criterion) {
    reading(criterion, "mood", &sample::mood());
    reading(criterion, "note", &sample::note());
    reading(criterion, "tags", &sample::tags());
    reading(criterion, "sleep", &sample::sleep());
    reading(criterion, "heart_rate", &sample::heart_rate());
    reading(criterion, "questionnaire_total", &sample::questionnaire());
    parts(criterion, &sample::questionnaire());
    summary(criterion, "week_of_moods", &sample::week_of_moods());
    summary(criterion, "week_of_tags", &sample::week_of_tags());
    page(criterion);
    standing(criterion);
    answer(criterion);
    alarm(criterion);
}

/// The same for a mapper that makes no typed resource on its way: it is read back as one.
fn compare_read(criterion: &mut Criterion, name: &str, map: impl Fn() -> Outbound) {
    let typed: Resource = serde_json::from_slice(&map().body).unwrap();
    let alone = || fhir_codec::to_bytes(black_box(&typed), &Decimals::new()).unwrap().len();
    compare(criterion, name, || vec![map().body], alone);
}

/// Measures a mapper with its writing, the writing of the typed resource that it made, and that of the same as plain JSON.
fn compare(criterion: &mut Criterion, name: &str, map: impl Fn() -> Vec<Vec<u8>>, alone: impl Fn() -> usize) {
    let made = map();
    let json: Vec<Value> = made.iter().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect();
    let mut group = criterion.benchmark_group(format!("mapping_{name}"));
    group.throughput(Throughput::Bytes(made.iter().map(|bytes| bytes.len() as u64).sum()));
    group.bench_function("mapped_to_json", |bencher| bencher.iter(&map));
    group.bench_function("typed_resource_to_json", |bencher| bencher.iter(&alone));
    group.bench_function("json_value_to_json", |bencher| {
        bencher.iter(|| black_box(&json).iter().map(|json| serde_json::to_vec(json).unwrap()).collect::<Vec<_>>());
    });
    group.finish();
}

/// A mapper that makes a typed resource, and writes nothing.
fn unwritten<T>(criterion: &mut Criterion, name: &str, map: impl Fn() -> T) {
    criterion.benchmark_group(format!("mapping_{name}")).bench_function("mapped", |bencher| bencher.iter(&map));
}

fn reading(criterion: &mut Criterion, name: &str, reading: &Reading) {
    let (clinic, grants) = (sample::clinic(), [sample::grant(1, sample::MEMBER, sample::clinic())]);
    let permit = decide(&grants, Request::to_record(reading, &clinic, sample::now())).unwrap();
    let (typed, decimals) = resource(&permit, RECIPIENT).unwrap();
    let map = || vec![to_fhir(black_box(&permit), black_box(RECIPIENT)).unwrap().body];
    let alone = || fhir_codec::to_bytes(black_box(&typed), black_box(&decimals)).unwrap().len();
    compare(criterion, name, map, alone);
    unwritten(criterion, name, || resource(black_box(&permit), black_box(RECIPIENT)).unwrap());
}

/// Everything that goes beside a total: the form, each answer, and the panel.
fn parts(criterion: &mut Criterion, reading: &Reading) {
    let (clinic, grants) = (sample::clinic(), [sample::grant(1, sample::MEMBER, sample::clinic())]);
    let permit = decide(&grants, Request::to_record(reading, &clinic, sample::now())).unwrap();
    let typed = part_resources(&permit, RECIPIENT).unwrap();
    let map = || {
        let parts = parts_to_fhir(black_box(&permit), black_box(RECIPIENT)).unwrap();
        parts.into_iter().map(|part| part.body).collect()
    };
    let alone = || {
        let written = |(_, _, (typed, decimals)): &(_, _, (_, _))| fhir_codec::to_bytes(typed, decimals).unwrap().len();
        black_box(&typed).iter().map(written).sum()
    };
    compare(criterion, "questionnaire_parts", map, alone);
    unwritten(criterion, "questionnaire_parts", || part_resources(black_box(&permit), black_box(RECIPIENT)).unwrap());
}

fn summary(criterion: &mut Criterion, name: &str, summary: &Summary) {
    let (clinic, grants) = (sample::clinic(), [sample::grant(1, sample::MEMBER, sample::clinic())]);
    let permit = decide(&grants, Request::to_record(summary, &clinic, sample::now())).unwrap();
    let (typed, decimals) = summary_resource(&permit, RECIPIENT).unwrap();
    let map = || vec![summary_to_fhir(black_box(&permit), black_box(RECIPIENT)).unwrap().body];
    let alone = || fhir_codec::to_bytes(black_box(&typed), black_box(&decimals)).unwrap().len();
    compare(criterion, name, map, alone);
    unwritten(criterion, name, || summary_resource(black_box(&permit), black_box(RECIPIENT)).unwrap());
}

/// A page as a document and as a report. Its text and its PDF, as large as they are, are made before.
fn page(criterion: &mut Criterion) {
    let (clinic, grants) = (sample::clinic(), [sample::grant(1, sample::MEMBER, sample::clinic())]);
    let (page, pdf) = (sample::page(), vec![0x25; 40_000]);
    let permit = decide(&grants, Request::to_record(&page, &clinic, sample::now())).unwrap();
    let words = text(&page, None, Language::En);
    let map = || page_to_fhir(black_box(&permit), black_box(RECIPIENT), &sheet(&words, &pdf), None).unwrap();
    compare_read(criterion, "page", map);
    let results = [Uuid::from_u128(5), Uuid::from_u128(6)];
    let map = || report_to_fhir(black_box(&permit), black_box(RECIPIENT), &sheet(&words, &pdf), &results).unwrap();
    compare_read(criterion, "report", map);
}

fn sheet<'a>(text: &'a str, pdf: &'a [u8]) -> Sheet<'a> {
    Sheet { title: "Summary of the patient's own notes", language: Language::En, text, pdf: Some(pdf) }
}

fn standing(criterion: &mut Criterion) {
    let grants = [sample::grant(1, sample::MEMBER, sample::clinic())];
    let (clinic, item) = (sample::clinic(), Standing(&grants[0]));
    let permit = decide(&grants, Request::to_record(&item, &clinic, sample::now())).unwrap();
    let words = [("Mood", "every entry".to_owned()), ("Until", "1 January 2027".to_owned())];
    let paper = Paper {
        recipient: RECIPIENT,
        is_first: true,
        language: Language::En,
        notice: Some(("Sharing what you note with your clinic", "What you decide here, you can change at any time.")),
        words: &words,
        now: sample::now(),
    };
    compare_read(criterion, "consent", || consent(black_box(&permit), black_box(paper)).unwrap());
}

/// What a member asks about something that the clinic has for them.
fn answer(criterion: &mut Criterion) {
    let (clinic, mut grant) = (sample::clinic(), sample::grant(1, sample::MEMBER, sample::clinic()));
    grant.terms.way_back = WayBack::Full;
    let question = Answer::Question { text: "Is rain an excuse, or the week after next?".to_owned() };
    let to = Source { resource_type: "Task".to_owned(), id: "task-1".to_owned(), part: None };
    let reply = Reply { member: sample::MEMBER, to: &to, says: Says::Answer(&question) };
    let grants = [grant];
    let permit = decide(&grants, Request::to_record(&reply, &clinic, sample::now())).unwrap();
    let map = || message(black_box(&permit), black_box(RECIPIENT), false, Language::En).unwrap().unwrap();
    compare_read(criterion, "answer", map);
}

/// That a patient may be in danger.
fn alarm(criterion: &mut Criterion) {
    let basis = "Article 9(2)(c) GDPR (vital interests)".to_owned();
    let (purpose, language) = (WarningPurpose::EmergencyTreatment, Language::En);
    let policy =
        WarningPolicy { purpose, legal_basis: [(language, basis.clone())].into(), tell_member: true, language };
    let about = Warning {
        member: sample::MEMBER,
        concern: ConcernId(Uuid::from_u128(7)),
        rule: Rule::SelfHarm,
        raised_at: sample::now(),
        decided: Decided { at: sample::now(), purpose },
        legal_basis: basis,
    };
    let clinic = sample::clinic();
    let permit = warn(Some(&policy), &about, &clinic, sample::now()).unwrap();
    let operator = Operator { name: "The forum e.V.", contact: "privacy@forum.example" };
    let map = || warning(black_box(&permit), black_box(RECIPIENT), language, operator).unwrap();
    compare_read(criterion, "warning", map);
}

criterion_group!(benches, mappings);
criterion_main!(benches);
