//! How members are told that there is something for them: when, how much, by which channels; judged by receivers that others
//! wrote.

mod canaries;
mod channels;
mod consent;
mod from_the_ehr;
mod push;
mod reminders;
mod signatures;
mod telling;
mod times;
