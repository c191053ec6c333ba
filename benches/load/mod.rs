//! The load scenarios of `benches/delivery.rs`.

pub mod claim;
pub mod ehr;
pub mod figures;
pub mod house;
pub mod idle;
pub mod memory;
pub mod platform;
pub mod pool;
pub mod revocation;
pub mod throughput;
pub mod way_back;
