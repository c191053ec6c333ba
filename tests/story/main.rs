//! Stories: the whole way, from the member's phone to the EHR, on each database and each EHR.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on must fail")]

#[path = "../support/mod.rs"]
mod support;

mod app;
mod audit;
mod demo;
mod diary;
mod forum;
mod group;
mod matrix;
mod telegram;
