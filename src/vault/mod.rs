//! The vault: every personal field is sealed with its member's own key, or with the key of its lane, which the member's
//! key wraps; members' keys are wrapped by the master key.
//!
//! The master key is never in the database. Names that must be found again (a handle, an API key) are kept as keyed
//! indexes, which nobody can compute without the vault.

mod content;
mod index;
mod key;
mod keyring;
mod public_keys;
mod seal;
pub mod signing;

pub use content::ContentKey;
pub use index::{Index, IndexKey};
pub use key::{Key, KeyFileError};
pub use keyring::{Keyring, MemberKey};
pub use public_keys::{PublicKey, PublicKeys, UnusableKey};
pub use seal::{Place, SealError};
