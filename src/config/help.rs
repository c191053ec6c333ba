//! Where members find help who think of hurting themselves.

use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde::Deserialize;

use super::ConfigError;
use crate::domain::helpline::{ELSEWHERE, Helplines, is_country};

/// The lines that come with mostik.
pub const HELPLINES: &str = include_str!("../../deploy/helplines.toml");

/// Where members find help who think of hurting themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Help {
    /// Where most members live: ISO 3166-1 alpha-2, or `elsewhere`.
    pub country: String,
    /// A file with other lines than those that come with mostik; empty for none.
    pub file: PathBuf,
}

impl Help {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        check_country("help.country", &self.country)
    }

    /// The lines of every country: those that come with mostik, with those of the file in their place.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be used.
    pub fn lines(&self) -> Result<Helplines, ConfigError> {
        let mut figment = Figment::from(Toml::string(HELPLINES));
        if !self.file.as_os_str().is_empty() {
            figment = figment.merge(Toml::file_exact(&self.file));
        }
        let unusable = |cause: String| ConfigError::Helplines { cause };
        let lines: Helplines =
            figment.extract().map_err(|error| unusable(format!("{}: {}", error.path.join("."), error.kind)))?;
        lines.check().map_err(|error| unusable(error.to_string()))?;
        Ok(lines)
    }
}

/// Whether a setting names a country.
pub(super) fn check_country(setting: &str, country: &str) -> Result<(), ConfigError> {
    if is_country(country) || country == ELSEWHERE {
        return Ok(());
    }
    let expected = "the code of a country in ISO 3166-1 alpha-2, such as DE, or elsewhere";
    Err(ConfigError::Invalid { setting: setting.to_owned(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(file: PathBuf) -> Help {
        Help { country: "DE".to_owned(), file }
    }

    #[test]
    fn there_is_somebody_for_every_country_and_a_file_changes_its_own_only() {
        let shipped = help(PathBuf::new()).lines().unwrap();
        assert_eq!(shipped.of("DE").lines[0].call[0], "0800 111 0 111");
        assert_eq!(shipped.of("BR"), shipped.of(ELSEWHERE));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        let line = "{ name = \"Ours\", call = [\"1\"], url = \"https://a.example\", open = { en = \"\", ru = \"\" }, \
                    seen = \"https://a.example\", checked = \"2026-01-01\" }";
        std::fs::write(&file, format!("[DE]\nemergency = \"112\"\nlines = [{line}]\n")).unwrap();
        let own = help(file.clone()).lines().unwrap();
        assert_eq!(own.of("DE").lines.len(), 1);
        assert_eq!(own.of("US"), shipped.of("US"));
        for (text, wrong) in [
            ("[DE]\nemergency = \"112\"\nlines = []\n", "DE"),
            ("[Germany]\nemergency = \"112\"\nlines = []\n", "Germany"),
            ("[DE]\nemergency = 112\n", "expected a string"),
            ("[DE]\nphone = \"112\"\n", "phone"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = help(file.clone()).lines().unwrap_err().to_string();
            assert!(error.contains(wrong), "{text}: {error}");
        }
        assert!(help(folder.path().join("none.toml")).lines().is_err());
    }
}
