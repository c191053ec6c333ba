//! What phones and watches hand over: long logs of small measurements, in which several devices may tell of the same night
//! and of the same steps.

pub mod apple_health;
pub mod health_connect;
pub mod sleep;
pub mod steps;
