//! The folder of signing keys: which of them signs, and which are published.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::JwkSet;

use super::key::{SigningAlgorithm, SigningKey, SigningKeyError};
use super::push::PushKey;
use super::receipts::ReceiptKey;

/// How long what was read is used before the folder is looked at again. A key that an operator puts there is published
/// within this time, without a restart.
const REREAD_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The signing keys of this installation. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    folder: Arc<Folder>,
    receipts: Option<ReceiptKey>,
    push: Option<PushKey>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    publish_ahead: SignedDuration,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    at: Timestamp,
    /// Newest first.
    keys: Arc<[SigningKey]>,
}

impl SigningKeys {
    /// Reads the keys in `folder`; a folder that is not there holds none. A key signs when it was published for
    /// `publish_ahead`.
    ///
    /// # Errors
    /// [`SigningKeyError`] of the first file that must not or cannot be used.
    pub fn open(folder: &Path, publish_ahead: SignedDuration, now: Timestamp) -> Result<Self, SigningKeyError> {
        let read = Mutex::new(Read { at: now, keys: read_folder(folder)? });
        Ok(Self {
            folder: Arc::new(Folder { path: folder.to_owned(), publish_ahead, read }),
            receipts: None,
            push: None,
        })
    }

    /// The same, and the key that receipts are signed with.
    #[must_use]
    pub fn with_receipts(self, key: ReceiptKey) -> Self {
        Self { receipts: Some(key), ..self }
    }

    /// The key that receipts are signed with. There is one in every running bridge.
    #[must_use]
    pub const fn receipts(&self) -> Option<&ReceiptKey> {
        self.receipts.as_ref()
    }

    /// The same, and the key by which push services know who sends.
    #[must_use]
    pub fn with_push(self, key: PushKey) -> Self {
        Self { push: Some(key), ..self }
    }

    /// The key by which push services know who sends, where members can be told in their browsers.
    #[must_use]
    pub const fn push(&self) -> Option<&PushKey> {
        self.push.as_ref()
    }

    /// Every key of the folder, newest first.
    #[must_use]
    pub fn all(&self, now: Timestamp) -> Arc<[SigningKey]> {
        let mut read = self.folder.read.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.duration_since(read.at);
        if age >= REREAD_AFTER || age.is_negative() {
            read.at = now;
            match read_folder(&self.folder.path) {
                Ok(keys) => read.keys = keys,
                // A running bridge goes on with the keys it has; the next start refuses.
                Err(error) => {
                    tracing::warn!(%error, "the folder of signing keys is not good; the keys known so far stay");
                }
            }
        }
        Arc::clone(&read.keys)
    }

    /// The key that signs now, of those whose algorithm `accepts` takes: the newest that was published long enough.
    /// When none was, the oldest: it was published longest, and a first key signs at once.
    #[must_use]
    pub fn active(&self, now: Timestamp, accepts: impl Fn(SigningAlgorithm) -> bool) -> Option<SigningKey> {
        let keys = self.all(now);
        let mut usable = keys.iter().filter(|key| accepts(key.algorithm()));
        let ripe = |key: &&SigningKey| now.duration_since(key.made()) >= self.folder.publish_ahead;
        usable.clone().find(ripe).or_else(|| usable.next_back()).cloned()
    }

    /// The public halves of all keys (RFC 7517, section 5).
    #[must_use]
    pub fn published(&self, now: Timestamp) -> JwkSet {
        let receipts = self.receipts.iter().map(|key| key.public().clone());
        JwkSet { keys: self.all(now).iter().map(|key| key.public().clone()).chain(receipts).collect() }
    }
}

fn read_folder(folder: &Path) -> Result<Arc<[SigningKey]>, SigningKeyError> {
    let io_error = |source| SigningKeyError::Io { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Arc::new([])),
        Err(error) => return Err(io_error(error)),
    };
    let mut keys = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error)?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            keys.push(SigningKey::read_file(&path)?);
        }
    }
    keys.sort_by(|one, other| other.made().cmp(&one.made()).then_with(|| one.kid().cmp(other.kid())));
    Ok(keys.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn noon() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn after(minutes: i64) -> Timestamp {
        noon().checked_add(SignedDuration::from_mins(minutes)).unwrap()
    }

    fn create(folder: &Path, algorithm: SigningAlgorithm, at: Timestamp) -> String {
        SigningKey::create(folder, algorithm, at).unwrap().0.kid().to_owned()
    }

    fn active(keys: &SigningKeys, at: Timestamp) -> Option<String> {
        keys.active(at, |_| true).map(|key| key.kid().to_owned())
    }

    #[test]
    fn a_first_key_signs_at_once_and_the_next_when_it_was_published_long_enough() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SigningKeys::open(folder.path(), AN_HOUR, noon()).unwrap();
        assert_eq!(active(&keys, noon()), None);
        let first = create(folder.path(), SigningAlgorithm::Es384, after(1));
        assert_eq!(active(&keys, after(1)), Some(first.clone()));
        let second = create(folder.path(), SigningAlgorithm::Es384, after(120));
        assert_eq!(active(&keys, after(125)), Some(first.clone()), "published, not used");
        assert_eq!(keys.published(after(125)).keys.len(), 2);
        assert_eq!(active(&keys, after(180)), Some(second));
        assert!(keys.published(after(180)).find(&first).is_some(), "the old one stays until it is removed");
    }

    #[test]
    fn of_two_fresh_keys_the_older_signs() {
        let folder = tempfile::tempdir().unwrap();
        let older = create(folder.path(), SigningAlgorithm::Es384, noon());
        create(folder.path(), SigningAlgorithm::Es384, after(1));
        let keys = SigningKeys::open(folder.path(), AN_HOUR, after(2)).unwrap();
        assert_eq!(active(&keys, after(2)), Some(older));
    }

    #[test]
    fn a_server_gets_an_algorithm_that_it_knows() {
        let folder = tempfile::tempdir().unwrap();
        let rsa = create(folder.path(), SigningAlgorithm::Rs384, noon());
        create(folder.path(), SigningAlgorithm::Es384, after(1));
        let keys = SigningKeys::open(folder.path(), AN_HOUR, after(600)).unwrap();
        let key = keys.active(after(600), |algorithm| algorithm == SigningAlgorithm::Rs384);
        assert_eq!(key.unwrap().kid(), rsa);
        assert!(keys.active(after(600), |_| false).is_none());
    }

    #[test]
    fn a_running_bridge_keeps_its_keys_when_the_folder_goes_bad() {
        let folder = tempfile::tempdir().unwrap();
        let kid = create(folder.path(), SigningAlgorithm::Es384, noon());
        let keys = SigningKeys::open(folder.path(), AN_HOUR, noon()).unwrap();
        fs::write(folder.path().join("20261120T130000Z-bad.pem"), "no key").unwrap();
        assert_eq!(active(&keys, after(90)), Some(kid));
        assert!(SigningKeys::open(folder.path(), AN_HOUR, after(90)).is_err(), "a start refuses");
    }
}
