//! Clinics: their own systems that come in, and how the bridge shows them who it is.

mod authorization_server;
mod check;
mod check_more;
mod client;
mod jwks;
mod keys;
mod logs;
mod reads;
mod refusals;
mod smart_auth;
mod token;
