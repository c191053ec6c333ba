//! SMART Backend Services (SMART App Launch 2.2.0): how the bridge proves to a clinic's EHR who it is.
//!
//! The way of a token: [`discovery`] finds the authorization server, [`assertion`] signs who asks, [`token`] asks and
//! reads the answer, [`scopes`] compares what was granted. [`client`] keeps the token of one clinic for all workers.

mod assertion;
mod client;
mod discovery;
mod error;
mod scopes;
mod token;

pub use client::{AuthState, ClientSettings, SmartAuth};
pub use discovery::AuthorizationServer;
pub use error::{OAuthCode, Refused, TokenError, Why};
pub use token::AccessToken;
