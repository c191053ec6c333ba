//! What one process holds in memory of one member's access to one clinic.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::tokens::TokenSet;
use crate::delivery::smart_auth::error::TokenError;
use crate::delivery::smart_auth::token::AccessToken;

/// One member's access.
#[derive(Debug, Default)]
pub struct Entry {
    /// Held by the one who renews; the others wait for it.
    pub in_flight: tokio::sync::Mutex<()>,
    held: Mutex<Held>,
}

/// The state of an [`Entry`].
#[derive(Debug, Default)]
pub struct Held {
    /// What is stored, ready to be sent, and the rotation it belongs to.
    pub token: Option<(i64, Arc<AccessToken>)>,
    /// The rotation whose access token the EHR refused, although it had not ended.
    pub spent: Option<i64>,
    /// What a renewal gave and is not stored yet: it must not be used, and not be lost.
    pub unstored: Option<Arc<Unstored>>,
    /// Why there was no token the last time, and until when that stands.
    pub failed: Option<(Timestamp, TokenError)>,
    /// What is missing of the scopes asked for.
    pub missing: Vec<String>,
}

/// What a renewal gave.
#[derive(Debug)]
pub struct Unstored {
    /// The rotation that it replaces.
    pub rotation: i64,
    /// What was given.
    pub tokens: TokenSet,
}

impl Entry {
    /// The state.
    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token, if it need not be renewed.
    pub fn at_hand(&self, now: Timestamp) -> Option<Arc<AccessToken>> {
        self.token().filter(|token| now < token.renew_at)
    }

    /// The token, if it has not ended.
    pub fn still_good(&self, now: Timestamp) -> Option<Arc<AccessToken>> {
        self.token().filter(|token| now < token.expires_at)
    }

    fn token(&self) -> Option<Arc<AccessToken>> {
        self.held().token.as_ref().map(|(_, token)| Arc::clone(token))
    }
}
