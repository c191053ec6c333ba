//! What members decide, and what follows from it.

mod any;
mod decision;
mod ended_by_clinic;
mod expiry;
mod farewell;
mod giving;
mod marks;
mod receipts;
mod revocation;
mod standing;
mod standing_told;
