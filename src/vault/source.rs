//! Where a master key comes from: a file, the environment, or a command that asks whoever keeps it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::key::{Key, KeyFileError};
use super::keyring::MasterKeys;

/// How long a command may take to say the key.
const COMMAND_PATIENCE: Duration = Duration::from_secs(30);

/// More than a key takes in base64, line end included: what is longer is none.
const LONGEST_KEY: usize = 128;

/// Where a master key comes from, as it is written in the settings.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum KeySource {
    /// `file:PATH`: a file that only its owner may read.
    File(PathBuf),
    /// `env:NAME`: an environment variable.
    Environment(String),
    /// `command:PROGRAM ARGUMENT …`: what the program prints. It is run without a shell.
    Command(Vec<String>),
}

/// A text does not say where a key comes from.
#[derive(Debug, thiserror::Error)]
#[error("expected file:PATH, env:NAME or command:PROGRAM ARGUMENT …")]
pub struct InvalidKeySource;

/// A master key cannot be had. Never says what was read instead.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The environment variable is not set, or holds no key.
    #[error("the environment variable {0} does not hold a master key: expected 32 bytes in base64")]
    Environment(String),
    /// The command cannot be run, failed, took too long, or printed no key.
    #[error("the command {program} did not give a master key: {defect}")]
    Command {
        /// Which program; not its arguments, which may be secret.
        program: String,
        /// What went wrong.
        defect: &'static str,
    },
}

impl KeySource {
    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Environment(_) | Self::Command(_) => None,
        }
    }

    /// Gets the key.
    ///
    /// # Errors
    /// [`MasterKeyError`].
    pub async fn read(&self) -> Result<Key, MasterKeyError> {
        match self {
            Self::File(path) => Ok(Key::read_file(path)?),
            Self::Environment(name) => {
                let text = std::env::var(name).map(Zeroizing::new).ok();
                let key = text.and_then(|text| Key::parse(text.as_bytes()));
                key.ok_or_else(|| MasterKeyError::Environment(name.clone()))
            }
            Self::Command(words) => {
                let (program, arguments) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
                run(program, arguments)
                    .await
                    .map_err(|defect| MasterKeyError::Command { program: program.to_owned(), defect })
            }
        }
    }
}

impl MasterKeys {
    /// Gets the newest master key, and the older ones that still unwrap.
    ///
    /// # Errors
    /// [`MasterKeyError`] of the first that cannot be had.
    pub async fn read(newest: &KeySource, older: &[KeySource]) -> Result<Self, MasterKeyError> {
        let newest = newest.read().await?;
        let mut others = Vec::with_capacity(older.len());
        for source in older {
            others.push(source.read().await?);
        }
        Ok(Self::new(newest, others))
    }
}

/// What the program prints, as a key. What it says to standard error is for the operator, and goes there.
async fn run(program: &str, arguments: &[String]) -> Result<Key, &'static str> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|_| "it cannot be run")?;
    let stdout = child.stdout.take().ok_or("it cannot be run")?;
    let said = async {
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST_KEY));
        // Whoever prints more is not listened to any longer.
        stdout.take(LONGEST_KEY as u64).read_to_end(&mut text).await.map_err(|_| "it cannot be read")?;
        let status = child.wait().await.map_err(|_| "it cannot be run")?;
        if status.success() { Ok(text) } else { Err("it failed") }
    };
    let text = tokio::time::timeout(COMMAND_PATIENCE, said).await.map_err(|_| "it took longer than 30 s")??;
    Key::parse(&text).ok_or("expected 32 bytes in base64 on its standard output")
}

impl FromStr for KeySource {
    type Err = InvalidKeySource;

    fn from_str(text: &str) -> Result<Self, InvalidKeySource> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            Some(("command", line)) if !line.trim().is_empty() => {
                Ok(Self::Command(line.split_whitespace().map(str::to_owned).collect()))
            }
            _ => Err(InvalidKeySource),
        }
    }
}

impl TryFrom<String> for KeySource {
    type Error = InvalidKeySource;

    fn try_from(text: String) -> Result<Self, InvalidKeySource> {
        text.parse()
    }
}

/// Without the arguments of a command, which may be secret.
impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::Command(words) => write!(f, "command:{} ..", words.first().map_or("", String::as_str)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const TEXT: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

    async fn defect(source: &str) -> String {
        source.parse::<KeySource>().unwrap().read().await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_key_is_had_from_a_file_the_environment_or_a_command() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        fs::write(&file, format!("{TEXT}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let (file, cat) = (format!("file:{}", file.display()), format!("command:cat {}", file.display()));
        for source in [file, cat, format!("command:echo {TEXT}")] {
            let key = source.parse::<KeySource>().unwrap().read().await.unwrap();
            assert_eq!(key.expose(), &[7; 32], "{source}");
        }
        // A test cannot set a variable of its own process, but every process has this one, and it is no key.
        assert_eq!(
            defect("env:PATH").await,
            "the environment variable PATH does not hold a master key: expected 32 bytes in base64"
        );
    }

    #[tokio::test]
    async fn a_command_that_fails_or_says_anything_else_is_refused_without_repeating_it() {
        for (line, why) in [
            ("false", "it failed"),
            ("/nowhere/at-all", "it cannot be run"),
            ("echo hunter2", "expected 32 bytes"),
            ("yes hunter2", "it failed"),
        ] {
            let said = defect(&format!("command:{line}")).await;
            assert!(said.contains(why) && !said.contains("hunter2"), "{line}: {said}");
        }
    }

    #[test]
    fn a_source_of_another_kind_is_refused_and_arguments_are_not_shown() {
        for text in ["", "data/master.key", "file:", "env:", "command: ", "http://x"] {
            assert!(text.parse::<KeySource>().is_err(), "{text}");
        }
        let source: KeySource = "command:fetch --password hunter2".parse().unwrap();
        assert_eq!(format!("{source:?}"), "command:fetch ..");
    }
}
