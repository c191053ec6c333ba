//! Group sessions and webinars: places in them, what the EHR and everybody else see of who takes part, and who gets the last one.

mod canaries;
mod ehr;
mod ends;
mod open;
mod places;
mod race;
mod staff;
