//! The whole house: routes, documents, deployment, releases side by side, and the defects of others.

mod deploy;
mod documents;
mod headers;
mod migrations;
mod peers;
mod routes;
