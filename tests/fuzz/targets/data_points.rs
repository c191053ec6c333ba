#![no_main]
//! The body of a request with data points, in any of the shapes that are told apart.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::domain::zone::Zone;
use mostik_fuzz::inbound::data_point::{DataPointSchemas, Given, parse_body};
use mostik_fuzz::inbound::event::Subject;

static SCHEMAS: LazyLock<DataPointSchemas> = LazyLock::new(|| DataPointSchemas::compile().expect("the schemas"));

fuzz_target!(|bytes: &[u8]| {
    let whose = mostik_fuzz::whose();
    let (subject, zone) = (Subject::Member(whose.member), Zone::named("Europe/Berlin").expect("the time zone database"));
    let _ = parse_body(&SCHEMAS, bytes, &Given { subject: Some(&subject), zone: Some(&zone), now: whose.now });
});
