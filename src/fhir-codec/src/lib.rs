//! The only place where serde meets the FHIR types.
pub use fhir_sdk::r4b;
