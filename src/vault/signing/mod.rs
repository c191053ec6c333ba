//! The keys this bridge signs with when it asks an authorization server for a token (SMART App Launch 2.2.0, Backend
//! Services). They lie in a folder, one PEM file each; their public halves are published as a JWK Set (RFC 7517).
//!
//! A new key is published before it is used: servers keep what they have fetched for a while, and would not know the
//! key of an assertion that comes too soon.
//!
//! Receipts have a key of their own, which the database holds and which is published with the others.

mod document;
mod folder;
mod key;
mod push;
mod receipts;
mod verify;

pub use document::{DocumentError, sign_document, verify_document};
pub use folder::SigningKeys;
pub use key::{SigningAlgorithm, SigningKey, SigningKeyError};
pub use push::PushKey;
pub use receipts::ReceiptKey;
pub use verify::verified;
