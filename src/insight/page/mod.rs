//! One page about a member for whoever treats them. [`work_out`] says what stands on it, [`text`] and [`pdf`] write it down, and
//! [`make`] puts it on its way when its week is over, before a visit, when something changed, or when somebody asks.
//!
//! What it may tell is decided category by category, and of each as finely as it is shared: where no more than weeks may be
//! told, no day can be read from it. That it speaks of several at once gives it a permit of its own: every part must be
//! covered, when it is made and again when it is sent.

mod before;
mod make;
pub mod pdf;
mod recommended;
mod scores;
pub mod text;
mod versions;
mod wish;
mod words;
mod words_recommended;
mod words_scored;
mod work_out;

pub(super) use make::make_due;
pub use make::{Asked, ask};
pub use wish::{LONGEST_AGENDA, Wishes, wishes, write_agenda};
pub use work_out::{Whose, work_out};
