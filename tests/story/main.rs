//! Stories: the whole way, from the member's phone to the EHR, on each database and each EHR.

#[path = "../support/mod.rs"]
mod support;

mod diary;
