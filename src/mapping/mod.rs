//! Mapping: plain functions from what was reported to what an EHR charts. Each asks for a permit.

pub mod to_fhir;
