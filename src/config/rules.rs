//! The rules of communities, each in a file of its own.

use std::collections::BTreeMap;

use figment::Figment;
use figment::providers::{Format as _, Toml};

use super::{Config, ConfigError};
use crate::domain::ids::CommunityId;
use crate::domain::rules::Rules;

/// Rules to begin with.
pub const EXAMPLE: &str = include_str!("../../deploy/rules.toml");

impl Config {
    /// The rules of each community that has some.
    ///
    /// # Errors
    /// [`ConfigError`] when a file cannot be used.
    pub fn rules(&self) -> Result<BTreeMap<CommunityId, Rules>, ConfigError> {
        let mut all = BTreeMap::new();
        for (id, community) in &self.communities {
            let Some(file) = &community.rules else { continue };
            let unusable = |cause: String| ConfigError::Rules { community: id.clone(), cause };
            let read: Result<Rules, _> = Figment::from(Toml::file_exact(file)).extract();
            let rules = read.map_err(|error| unusable(format!("{}: {}", error.path.join("."), error.kind)))?;
            rules.check().map_err(|error| unusable(error.to_string()))?;
            all.insert(id.clone(), rules);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_to_begin_with_can_be_used_and_others_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.toml");
        let text = format!("[communities.forum]\nname = \"F\"\nrules = {file:?}\n[communities.chat]\nname = \"C\"\n");
        let rules = || Config::from_toml(&text).unwrap().rules();
        assert!(rules().unwrap_err().to_string().contains("communities.forum.rules"));
        std::fs::write(&file, EXAMPLE).unwrap();
        assert_eq!(rules().unwrap().into_keys().collect::<Vec<_>>(), ["forum".parse().unwrap()]);
        for (text, wrong) in [
            (EXAMPLE.replace("version = \"2026", "version = \"26"), "version"),
            (EXAMPLE.replace("[privacy]", "[secrecy]"), "secrecy"),
            (EXAMPLE.split("[privacy]").next().unwrap().to_owned(), "privacy"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = rules().unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
