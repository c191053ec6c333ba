#![no_main]
//! Health Connect's database. SQLite reads it, from a file: this one is slow.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::devices::health_connect;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));

fuzz_target!(|bytes: &[u8]| {
    let (whose, mut lines) = (mostik_fuzz::whose(), 0_usize);
    let mut count = |_| {
        lines += 1;
        ControlFlow::Continue(())
    };
    let _within = RUNTIME.enter();
    let _ = health_connect::read(bytes, None, &whose, &mut count);
    assert!(lines <= bytes.len() * 8 + 16, "the reading does not end");
});
