//! Tokens of members (SMART App Launch 2.2.0, app launch): for clinics that give the bridge no access of its own.
//!
//! A member's launch gives a [`TokenSet`], which [`connect`] seals and stores. [`PatientAuth`] renews it when it is used:
//! [`exchange`](super::exchange) asks the token endpoint, and what it gives is stored before it is used, because a server that rotates
//! refresh tokens takes each of them only once. What an interruption leaves behind:
//!
//! - Before the request, or when the server refuses for another reason than the token: nothing has changed.
//! - After the answer, before it is stored (the database fails, the desk is stopped): this process keeps the answer and
//!   stores it first thing the next time.
//! - When the answer is lost, or the process dies before it is stored: the stored refresh token is asked with again. A
//!   server that does not rotate, or allows for that, answers. One that takes it for a theft refuses, and then only the
//!   member can help, by connecting the clinic again: [`Connect::Refused`](super::Connect::Refused).

mod auth;
mod held;
mod tokens;

pub use auth::{PatientAuth, PatientSettings};
pub use tokens::{ConnectError, TokenSet, connect, lent};
