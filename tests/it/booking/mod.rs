//! Visits: asked for, chosen, held, booked, moved and cancelled in a clinic's own schedule.

mod calendars;
mod changes;
mod clocks;
mod consent;
mod holds;
mod join;
mod lost;
mod operations;
mod portal;
mod rooms;
mod slots;
