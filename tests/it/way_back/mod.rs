//! The way back: what clinics have for members, and what members answer.

mod answering;
mod canaries;
mod each_kind;
mod faults;
mod kept;
mod looking;
mod notifying;
