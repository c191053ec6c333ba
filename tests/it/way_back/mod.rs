//! The way back: what clinics have for members, and what members answer.

mod kept;
