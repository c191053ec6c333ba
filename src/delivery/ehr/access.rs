//! By what right the bridge speaks to an EHR.

use std::sync::Arc;

use crate::delivery::smart_auth::patient::PatientAuth;
use crate::delivery::smart_auth::{AccessToken, Connect, SmartAuth, TokenError};
use crate::domain::ids::MemberId;

/// By what right the bridge speaks to one clinic's EHR.
#[derive(Debug)]
pub enum Access {
    /// Nobody asks.
    Open,
    /// Its own: one token for everything.
    Own(Box<SmartAuth>),
    /// What each member lends; `None` where there is nobody to lend any, as when a clinic is only checked.
    Lent(Option<Box<PatientAuth>>),
}

/// A token, or nothing where none is asked for.
pub type Right = Option<Arc<AccessToken>>;

impl Access {
    /// The right to send something about a member, if nothing has to be asked for it.
    pub(super) fn at_hand(&self, member: MemberId) -> Option<Right> {
        match self {
            Self::Open => Some(None),
            Self::Own(auth) => auth.at_hand().map(Some),
            Self::Lent(auth) => auth.as_ref()?.at_hand(member).map(Some),
        }
    }

    /// The right to send something about a member.
    pub(super) async fn right(&self, member: MemberId) -> Result<Right, TokenError> {
        match self {
            Self::Open => Ok(None),
            Self::Own(auth) => auth.token().await.map(Some),
            Self::Lent(Some(auth)) => auth.token(member).await.map(Some),
            Self::Lent(None) => Err(TokenError::Connect(Connect::First)),
        }
    }

    /// The EHR refused a token.
    pub(super) fn forget(&self, member: MemberId, token: &Arc<AccessToken>) {
        match self {
            Self::Open | Self::Lent(None) => {}
            Self::Own(auth) => auth.forget(token),
            Self::Lent(Some(auth)) => auth.forget(member, token),
        }
    }

    /// Whether nothing may go without a token.
    pub(super) const fn wants_token(&self) -> bool {
        !matches!(self, Self::Open)
    }

    /// Whether one request may be about several members.
    pub(super) const fn is_shared(&self) -> bool {
        !matches!(self, Self::Lent(_))
    }
}
