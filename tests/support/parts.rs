//! Real parts that `tests/run` starts. A test that lacks one says so and passes, unless it must not.

use std::io::Write;

/// The value of an environment variable that `tests/run` sets; without it, `None` and a plain word on standard error.
pub fn part(variable: &str, what: &str) -> Option<String> {
    if let Ok(value) = std::env::var(variable) {
        return Some(value);
    }
    assert!(
        std::env::var("MOSTIK_TEST_REQUIRE").is_err(),
        "{what} is missing: {variable} is not set, and MOSTIK_TEST_REQUIRE asks for every part"
    );
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Written past the test runner's capture, so that it is seen although the test passes.
    let _ = writeln!(std::io::stderr(), "skipped: {test} needs {what} ({variable}); tests/run provides it");
    None
}
