//! How the bridge proves to a clinic's EHR who it is (SMART App Launch 2.2.0).
//!
//! The way of a token: [`finding`] and [`discovery`] find the authorization server, [`assertion`] signs who asks,
//! [`token`] asks and reads the answer, [`scopes`] compares what was granted. [`client`] keeps the token of one clinic for
//! everything sent there (Backend Services). Where a clinic allows only that, [`patient`] keeps what each member lends.
//! By a [`launch`] members show who they are, and lend it.

mod assertion;
mod client;
mod discovery;
mod error;
mod exchange;
mod finding;
mod flow;
pub mod launch;
pub mod patient;
pub mod scopes;
mod token;

pub use client::{AuthState, ClientSettings, SmartAuth};
pub use discovery::AuthorizationServer;
pub use error::{Connect, OAuthCode, Refused, TokenError, Why};
pub use finding::Discovery;
pub use flow::Flow;
pub use token::AccessToken;
