//! How it gets into the EHR.

mod corrections;
mod desks;
mod entries;
mod misbehaving;
mod plans;
mod queue;
mod updates;
mod versions;
mod withheld;
