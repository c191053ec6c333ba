//! Stage one: authenticate the sender, check the form, parse into domain types, drop what came twice.

pub mod mood;
