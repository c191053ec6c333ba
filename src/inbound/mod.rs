//! Inbound: what comes in is authenticated, checked against its JSON Schema and parsed into the words of the house.

pub mod advice;
pub mod data_point;
pub mod devices;
pub mod event;
pub mod files;
mod item_nine;
pub mod mood;
pub mod notice;
pub mod observations;
pub mod slots;
pub mod table;
pub mod visits;

use data_point::{BrokenSchemas, DataPointSchemas};
use event::{BrokenSchema, EventSchemas};

/// The JSON Schemas of everything that comes in, compiled once.
#[derive(Debug)]
pub struct Schemas {
    /// Of events.
    pub events: EventSchemas,
    /// Of data points.
    pub data_points: DataPointSchemas,
}

/// A schema of the repository is broken. A defect of the build.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// One of an event.
    #[error(transparent)]
    Event(#[from] BrokenSchema),
    /// One of a data point.
    #[error(transparent)]
    DataPoint(#[from] BrokenSchemas),
}

impl Schemas {
    /// Compiles the schemas.
    ///
    /// # Errors
    /// [`SchemaError`] when the repository's own schemas are broken.
    pub fn compile() -> Result<Self, SchemaError> {
        Ok(Self { events: EventSchemas::compile()?, data_points: DataPointSchemas::compile()? })
    }
}
