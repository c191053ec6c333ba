//! The members' portal.

mod attacks;
mod canaries;
mod clinics;
mod data;
mod erase;
mod export;
mod identity;
mod identity_attacks;
mod identity_providers;
mod import;
mod import_table;
mod inbox;
mod large;
mod messages;
mod practitioners;
mod preview;
mod questionnaires;
mod receipts;
mod routes;
mod sessions;
mod settings;
mod sharing;
mod sign_in;
mod summary;
mod told;
