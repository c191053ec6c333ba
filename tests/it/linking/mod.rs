//! How a member and a Patient are joined, and what the member lends there.

pub(crate) mod attacks;
mod codes;
mod launches;
mod lent;
mod patient_token;
mod patient_token_faults;
mod patient_token_secrets;
mod servers;
mod unlinking;
