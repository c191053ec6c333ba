//! Named places at which tests kill the process, to see that nothing is lost and nothing happens twice.

/// Every place, in the order of the way. Tests walk through all of them.
pub const CRASH_POINTS: [&str; 14] = [
    "accept:before-commit",
    "accept:after-commit",
    "revoke:before-commit",
    "revoke:after-commit",
    "deliver:leased",
    "deliver:marked-sending",
    "deliver:answered",
    "deliver:before-settled",
    "deliver:settled",
    "tell:taken",
    "tell:closed",
    "tell:sent",
    "alarm:taken",
    "alarm:sent",
];

/// Dies here, as if by `kill -9`, if the environment variable `MOSTIK_CRASH_AT` names this place. With `name#3` it dies
/// the third time it comes by. Release builds have no such places.
#[cfg(debug_assertions)]
pub fn crash_point(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static AT: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static PASSED: AtomicU32 = AtomicU32::new(0);

    debug_assert!(CRASH_POINTS.contains(&name), "{name} is not listed");
    let at = AT.get_or_init(|| {
        let wanted = std::env::var("MOSTIK_CRASH_AT").ok()?;
        match wanted.split_once('#') {
            Some((place, turn)) => Some((place.to_owned(), turn.parse().ok()?)),
            None => Some((wanted, 1)),
        }
    });
    let Some((wanted, turn)) = at else { return };
    if wanted == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *turn {
        // A signal that cannot be caught: nothing is flushed, closed or unwound, as when the power fails.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Release builds have no crash points.
#[cfg(not(debug_assertions))]
pub fn crash_point(_name: &str) {}
