//! What is sealed, handed out and erased.

pub(crate) mod canaries;
pub(crate) mod columns;
pub(crate) mod erasing;
mod erasure_api;
pub(crate) mod export;
mod restored;
mod rotation;
mod sealing;
mod swaps;
