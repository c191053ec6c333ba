//! A community's or a clinic's identity provider (OpenID Connect Core 1.0, authorization code flow with PKCE): where a browser is
//! sent to sign in, and what the code is worth that it brings back. The `openidconnect` crate forms requests and verifies
//! ID tokens; requests leave by the one way out.
//!
//! [`metadata`] checks whether a provider is fit, [`provider`] sends a browser there and redeems its code, [`believe`] is
//! what an ID token is believed for, [`check`] is the same way for an operator. What came of it is stored by whoever called.

mod believe;
mod check;
mod failure;
mod metadata;
mod provider;
mod types;
mod way;

pub use believe::{Admission, Identity};
pub use check::check;
pub use failure::{Failure, Unfit};
pub use provider::{Provider, ProviderSettings, Secrets};
