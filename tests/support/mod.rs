//! What tests stand on: databases, EHRs, a bridge with a clock that is moved by hand, and people who call it.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod bridge;
pub mod database;
pub mod desk;
pub mod ehr;
pub mod gate;
pub mod http;
pub mod launch;
pub mod parts;
pub mod proxy;
pub mod smart;
pub mod validate;

/// Stamps a test for each database: the body is an async block that has `$database`, an empty one.
#[macro_export]
macro_rules! on_both_databases {
    ($(#[$meta:meta])* async fn $name:ident($database:ident) $body:block) => {
        mod $name {
            use super::*;

            async fn body($database: $crate::support::database::Database) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                Box::pin(body($crate::support::database::Database::sqlite())).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(database) = $crate::support::database::Database::postgres().await {
                    Box::pin(body(database)).await;
                }
            }
        }
    };
}
