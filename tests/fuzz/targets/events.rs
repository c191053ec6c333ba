#![no_main]
//! The body of a request with CloudEvents.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::event::{EventSchemas, parse_body};

static SCHEMAS: LazyLock<EventSchemas> = LazyLock::new(|| EventSchemas::compile().expect("the schemas"));

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_body(&SCHEMAS, bytes, mostik_fuzz::whose().now);
});
