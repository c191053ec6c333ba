#![no_main]
//! Webhooks of Discourse.

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::connectors::discourse::{Said, read};

fuzz_target!(|bytes: &[u8]| {
    for event in ["post_created", "post_destroyed", "post_liked", "ping"] {
        match read(event, bytes, ("bridge", &BTreeSet::from([5])), jiff::Timestamp::UNIX_EPOCH) {
            Ok(Said::Public(heard)) => assert!(heard.len() <= 3),
            Ok(Said::Private(said)) => assert!(said.author != "bridge" && event == "post_created"),
            Err(_) => {}
        }
    }
});
