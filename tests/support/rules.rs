//! The rules of communities.

use std::fs;

use mostik::config::RULES;

use super::database::Database;

/// The version in which the rules come with mostik.
pub const FIRST: &str = "2026-11-26";

/// The settings with which the forum has rules, which lie in the database's folder.
pub fn with_rules(database: &Database, text: &str) -> String {
    write_rules(database, FIRST);
    let file = database.folder.path().join("rules.toml").display().to_string();
    text.replace("[communities.forum]\n", &format!("[communities.forum]\nrules = {file:?}\n"))
}

/// Writes the rules in this version.
pub fn write_rules(database: &Database, version: &str) {
    fs::write(database.folder.path().join("rules.toml"), RULES.replace(FIRST, version)).unwrap();
}
