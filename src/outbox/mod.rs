//! The outbox: what may go out is stored in the same transaction as the fact that caused it.

pub mod enqueue;
pub mod retry;
