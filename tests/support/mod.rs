//! What tests stand on: databases, EHRs, a bridge with a clock that is moved by hand, and people who call it.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod audit;
pub mod authority;
pub mod backup;
pub mod booking;
pub mod bridge;
pub mod browser;
pub mod cells;
pub mod clinic;
pub mod concerns;
pub mod consents;
pub mod database;
pub mod desk;
pub mod discourse;
pub mod door;
pub mod ehr;
pub mod fixed_ehr;
pub mod front;
pub mod gate;
pub mod groups;
pub mod html;
pub mod http;
pub mod imports;
pub mod key_server;
pub mod launch;
pub mod linking;
pub mod log;
pub mod mailhost;
pub mod misago;
pub mod notices;
pub mod outbox;
pub mod own;
pub mod parts;
pub mod portal;
pub mod postbox;
pub mod profiles;
pub mod prosody;
pub mod provider;
pub mod proxy;
pub mod receiver;
pub mod recommendations;
pub mod rules;
pub mod search;
pub mod server;
pub mod smart;
pub mod smtp;
pub mod staff;
pub mod story;
pub mod synapse;
pub mod telegram;
pub mod topic_ehr;
pub mod tunnel;
pub mod validate;
pub mod whatsapp;
pub mod zip;

/// Stamps a test for each database: the body is an async block that has `$database`, an empty one.
#[macro_export]
macro_rules! on_both_databases {
    (async fn $name:ident($database:ident) $body:block) => {
        $crate::on_databases! {
            async fn $name($database) $body
            on_sqlite: Some($crate::support::database::Database::sqlite()),
            on_postgres: $crate::support::database::Database::postgres().await,
        }
    };
}

/// The same, and once more on `PostgreSQL` behind a pooler: for what leans on sessions, time limits and locks.
#[macro_export]
macro_rules! on_every_database {
    (async fn $name:ident($database:ident) $body:block) => {
        $crate::on_databases! {
            async fn $name($database) $body
            on_sqlite: Some($crate::support::database::Database::sqlite()),
            on_postgres: $crate::support::database::Database::postgres().await,
            on_postgres_behind_a_pooler: $crate::support::database::Database::pooled().await,
        }
    };
}

/// Stamps a test for each of these databases, as far as they are there.
#[macro_export]
macro_rules! on_databases {
    (async fn $name:ident($database:ident) $body:block $($test:ident: $made:expr,)*) => {
        mod $name {
            use super::*;

            async fn body($database: $crate::support::database::Database) $body

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    if let Some(database) = $made {
                        Box::pin(body(database)).await;
                    }
                }
            )*
        }
    };
}
