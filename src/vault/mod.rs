//! The vault: every personal field is sealed with its member's own key, or with the key of its lane, which the member's
//! key wraps; members' keys are wrapped by the master key.
//!
//! The master key is never in the database; an older one may be known beside it while it is being replaced. Names that
//! must be found again (a handle, an API key) are kept as keyed indexes, which nobody can compute without the vault.

mod audit;
mod content;
mod erased_list;
mod index;
mod key;
mod keyring;
mod public_keys;
mod seal;
mod secret_file;
pub mod signing;
mod source;
mod told;

pub use audit::{AUDIT_KEY, AuditKey, Covered, Mac, NO_MAC};
pub use content::ContentKey;
pub use erased_list::{Erased, ErasedList, ErasedListError};
pub use index::{Index, IndexKey};
pub use key::{Key, KeyFileError, KeyId};
pub use keyring::{INDEX_KEY, Keyring, MasterKeys, MemberKey};
pub use public_keys::{PublicKey, PublicKeys, UnusableKey};
pub use seal::{Place, SealError};
pub use secret_file::{SecretFileError, read_secret_file};
pub use source::{KeySource, MasterKeyError};
pub use told::ToldKey;
