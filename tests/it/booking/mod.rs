//! Visits: asked for, chosen, held, booked, moved and cancelled in a clinic's own schedule.

mod calendars;
mod changes;
mod clocks;
mod consent;
mod feeds;
mod here;
mod holds;
mod join;
mod lost;
mod operations;
mod portal;
mod rated;
mod reminders;
mod rooms;
mod slots;
