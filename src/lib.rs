//! mostik
