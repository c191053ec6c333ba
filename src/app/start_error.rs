//! Why a bridge cannot start.

use std::io;

use crate::audit;
use crate::config::ConfigError;
use crate::consent::receipt;
use crate::delivery::egress::EgressError;
use crate::domain::entropy::NoEntropy;
use crate::domain::ids::{ClinicId, CommunityId};
use crate::erasure::ErasureError;
use crate::store::StoreError;
use crate::vault::signing::SigningKeyError;
use crate::vault::{MasterKeyError, SealError, SecretFileError};
use crate::web::StateError;

/// A bridge that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A master key cannot be had.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// A secret cannot be had.
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    /// A signing key cannot be used.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// A clinic wants assertions, and nothing can sign them.
    #[error("the clinic {0} wants signed assertions, and there is no signing key: run mostik keys sign-create")]
    NoSigningKey(ClinicId),
    /// The database cannot be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key is not the one this database was made with.
    #[error("the master key is not the one this database was made with ({0})")]
    Seal(#[from] SealError),
    /// It cannot be told who must not come back.
    #[error(transparent)]
    Erasure(#[from] ErasureError),
    /// There is no key to sign receipts with.
    #[error(transparent)]
    ReceiptKey(#[from] receipt::KeyError),
    /// Outbound calls cannot be set up.
    #[error("outbound calls cannot be set up: {0}")]
    Egress(#[from] EgressError),
    /// Messages are to go by the community's platform, and none is named.
    #[error("the community {0} has no [communities.….connector]")]
    NoConnector(CommunityId),
    /// A platform is nowhere. A defect.
    #[error("a platform has no address")]
    Platform,
    /// The rules of a community cannot be used.
    #[error(transparent)]
    Rules(#[from] ConfigError),
    /// There is no randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The schemas are broken.
    #[error("{0}")]
    Schemas(String),
    /// The API and the portal cannot begin.
    #[error(transparent)]
    State(#[from] StateError),
    /// The address cannot be listened on, or the server failed.
    #[error("the HTTP server cannot run")]
    Server(#[from] io::Error),
    /// A part of the process ended without being told to. A defect.
    #[error("a part of the bridge ended without being told to; the log says more")]
    EndedEarly,
}

impl From<audit::OpenError> for StartError {
    fn from(error: audit::OpenError) -> Self {
        match error {
            audit::OpenError::Store(error) => Self::Store(error),
            audit::OpenError::Seal(error) => Self::Seal(error),
        }
    }
}
