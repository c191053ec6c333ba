//! One signing key: made, kept in a file that only its owner may read, and shown by its public half only.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use pem::{EncodeConfig, LineEnding, Pem, encode_config};
use serde::Serialize;
use zeroize::Zeroizing;

/// How the time a key was made stands at the beginning of its file's name.
const MADE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// The label of a PKCS#8 key in PEM (RFC 7468, section 10).
const PEM_LABEL: &str = "PRIVATE KEY";

/// The smallest RSA key that is taken, in bytes of its modulus (2048 bits: RFC 7518, section 3.3).
const MIN_RSA_BYTES: usize = 256;

/// The algorithms that a SMART client must support (SMART App Launch 2.2.0, client-confidential-asymmetric).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SigningAlgorithm {
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
}

/// A signing key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The folder or a file cannot be read or written.
    #[error("the signing key {path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others than its owner can read the file.
    #[error("the signing key {0} can be read by others than its owner: run chmod 600 on it")]
    Exposed(PathBuf),
    /// The name does not say when the key was made.
    #[error("the signing key {0} is not named as expected: 20261123T093000Z-….pem, beginning with when it was made")]
    Misnamed(PathBuf),
    /// The file does not hold a key that can be used.
    #[error("the signing key {0} cannot be used: expected PKCS#8 in PEM with EC P-384, or RSA of 2048 bits or more")]
    Malformed(PathBuf),
    /// No key could be made.
    #[error("no key could be made")]
    NotMade,
}

/// A key to sign client assertions with. Its secret half is never shown.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    kid: String,
    made: Timestamp,
    secret: EncodingKey,
    public: Jwk,
}

impl SigningAlgorithm {
    /// The name in JOSE (RFC 7518, section 3.1).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es384 => "ES384",
            Self::Rs384 => "RS384",
        }
    }

    const fn jose(self) -> Algorithm {
        match self {
            Self::Es384 => Algorithm::ES384,
            Self::Rs384 => Algorithm::RS384,
        }
    }
}

impl FromStr for SigningAlgorithm {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_uppercase().as_str() {
            "ES384" => Ok(Self::Es384),
            "RS384" => Ok(Self::Rs384),
            _ => Err("expected ES384 or RS384"),
        }
    }
}

impl SigningKey {
    /// Makes a key and writes it to a new file in `folder`, which only its owner may read.
    ///
    /// The library takes the random bytes of a key pair from the operating system itself and cannot be given others.
    ///
    /// # Errors
    /// [`SigningKeyError`] when no key could be made, or the file exists or cannot be written.
    pub fn create(
        folder: &Path,
        algorithm: SigningAlgorithm,
        now: Timestamp,
    ) -> Result<(Self, PathBuf), SigningKeyError> {
        let pkcs8 = match algorithm {
            SigningAlgorithm::Es384 => EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|der| Zeroizing::new(der.as_ref().to_vec())),
            SigningAlgorithm::Rs384 => RsaKeyPair::generate(KeySize::Rsa3072)
                .and_then(|pair| AsDer::<Pkcs8V1Der<'_>>::as_der(&pair))
                .map(|der| Zeroizing::new(der.as_ref().to_vec())),
        };
        let pkcs8 = pkcs8.map_err(|_| SigningKeyError::NotMade)?;
        let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
        let text = Zeroizing::new(encode_config(&Pem::new(PEM_LABEL, pkcs8.as_slice()), lines));
        let name = format!("{}-{}.pem", now.strftime(MADE_FORMAT), algorithm.as_str().to_ascii_lowercase());
        let path = folder.join(name);
        let io_error = |source| SigningKeyError::Io { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(io_error)?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(io_error)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io_error)?;
        Ok((Self::read_file(&path)?, path))
    }

    /// Reads a key from a file that only its owner may read.
    ///
    /// # Errors
    /// [`SigningKeyError`] when the file is missing, readable by others, misnamed, or holds no key that can be used.
    pub fn read_file(path: &Path) -> Result<Self, SigningKeyError> {
        let io_error = |source| SigningKeyError::Io { path: path.to_owned(), source };
        let mode = fs::metadata(path).map_err(io_error)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(SigningKeyError::Exposed(path.to_owned()));
        }
        let since = made_at(path).ok_or_else(|| SigningKeyError::Misnamed(path.to_owned()))?;
        let text = Zeroizing::new(fs::read(path).map_err(io_error)?);
        Self::parse(&text, since).ok_or_else(|| SigningKeyError::Malformed(path.to_owned()))
    }

    fn parse(text: &[u8], made: Timestamp) -> Option<Self> {
        let (algorithm, secret) = read_pem(text)?;
        let mut public = Jwk::from_encoding_key(&secret, algorithm.jose()).ok()?;
        // The thumbprint (RFC 7638) is unique without anyone having to choose it.
        let kid = public.thumbprint(ThumbprintHash::SHA256).ok()?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Some(Self { algorithm, kid, made, secret, public })
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Its name in the JWK Set: its thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// When it was made, by the name of its file.
    #[must_use]
    pub const fn made(&self) -> Timestamp {
        self.made
    }

    /// Its public half (RFC 7517).
    #[must_use]
    pub const fn public(&self) -> &Jwk {
        &self.public
    }

    /// Signs claims as a JWT with `alg`, `kid` and `typ` in its header. `None` when they cannot be written as JSON.
    pub fn sign(&self, claims: &impl Serialize) -> Option<String> {
        self.sign_as("JWT", claims)
    }

    /// The same with another `typ`, for what is no JWT and must not pass for one.
    pub(super) fn sign_as(&self, typ: &str, claims: &impl Serialize) -> Option<String> {
        let typ = Some(typ.to_owned());
        let header = Header { typ, kid: Some(self.kid.clone()), ..Header::new(self.algorithm.jose()) };
        encode(&header, claims, &self.secret).ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {})", self.algorithm.as_str(), self.kid)
    }
}

/// The key in a PEM file, and the one algorithm it is good for.
fn read_pem(text: &[u8]) -> Option<(SigningAlgorithm, EncodingKey)> {
    let pem = pem::parse(text).ok().filter(|pem| pem.tag() == PEM_LABEL)?;
    let der = Zeroizing::new(pem.into_contents());
    if EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &der).is_ok() {
        return Some((SigningAlgorithm::Es384, EncodingKey::from_ec_pem(text).ok()?));
    }
    let pair = RsaKeyPair::from_pkcs8(&der).ok()?;
    let large_enough = pair.public_modulus_len() >= MIN_RSA_BYTES;
    large_enough.then(|| Some((SigningAlgorithm::Rs384, EncodingKey::from_rsa_pem(text).ok()?)))?
}

fn made_at(path: &Path) -> Option<Timestamp> {
    let (made, _) = path.file_name()?.to_str()?.split_once('-')?;
    let made = DateTime::strptime(MADE_FORMAT, made).ok()?;
    Some(made.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_key_reads_back_and_keeps_when_it_was_made() {
        let folder = tempfile::tempdir().unwrap();
        for algorithm in [SigningAlgorithm::Es384, SigningAlgorithm::Rs384] {
            let (key, path) = SigningKey::create(&folder.path().join("new"), algorithm, now()).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            let read = SigningKey::read_file(&path).unwrap();
            assert_eq!((read.kid(), read.algorithm(), read.made()), (key.kid(), algorithm, now()));
            assert!(SigningKey::create(&folder.path().join("new"), algorithm, now()).is_err(), "never overwritten");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (_, path) = SigningKey::create(folder.path(), SigningAlgorithm::Es384, now()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(SigningKey::read_file(&path), Err(SigningKeyError::Exposed(_))));
    }

    #[test]
    fn a_file_with_another_name_or_anything_else_in_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path
        };
        let (_, good) = SigningKey::create(folder.path(), SigningAlgorithm::Es384, now()).unwrap();
        let renamed = write("riverside.pem", &fs::read(good).unwrap());
        assert!(matches!(SigningKey::read_file(&renamed), Err(SigningKeyError::Misnamed(_))));
        let small = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = small.as_der().unwrap();
        let wrong_label = pem::encode(&Pem::new("EC PRIVATE KEY", der.as_ref()));
        for text in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", wrong_label.as_str()] {
            let path = write("20261120T120000Z-x.pem", text.as_bytes());
            assert!(matches!(SigningKey::read_file(&path), Err(SigningKeyError::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn the_public_half_holds_nothing_private_and_debug_shows_no_key() {
        let folder = tempfile::tempdir().unwrap();
        for algorithm in [SigningAlgorithm::Es384, SigningAlgorithm::Rs384] {
            let (key, _) = SigningKey::create(folder.path(), algorithm, now()).unwrap();
            let public = serde_json::to_value(key.public()).unwrap();
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert!(public.get(private).is_none(), "{private}");
            }
            assert_eq!(public["kid"], key.kid());
            assert_eq!(format!("{key:?}"), format!("SigningKey({} {})", algorithm.as_str(), key.kid()));
        }
    }
}
