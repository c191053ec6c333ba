//! What operators see of a running bridge: logs without personal data, and the places where a crash is rehearsed.

mod crash;
pub mod logs;

pub use crash::{CRASH_POINTS, crash_point};
