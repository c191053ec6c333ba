//! Randomness as a parameter: the only place that asks the operating system for random bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;
use jiff::Timestamp;
use uuid::Uuid;

/// Where the bridge takes random bytes from. Tests and simulations seed it.
#[derive(Clone, Debug)]
pub enum Entropy {
    /// The operating system's generator.
    System,
    /// A reproducible stream for tests. Never for keys that protect anything.
    Seeded(SeededEntropy),
}

/// The operating system refused to give random bytes. Nothing safe can be done without them.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoEntropy;

impl Entropy {
    /// `N` fresh random bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] when the operating system's generator fails.
    #[expect(clippy::disallowed_methods, reason = "this is the one place where randomness comes from")]
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoEntropy> {
        let mut bytes = [0; N];
        match self {
            Self::System => aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoEntropy)?,
            Self::Seeded(seeded) => seeded.fill(&mut bytes),
        }
        Ok(bytes)
    }

    /// A UUID of version 7 (RFC 9562, section 5.7): sortable by the time it was made.
    ///
    /// # Errors
    /// [`NoEntropy`] when the operating system's generator fails.
    pub fn uuid(&self, now: Timestamp) -> Result<Uuid, NoEntropy> {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()?).into_uuid())
    }
}

/// A reproducible stream of bytes: SHA-256 in counter mode over a seed. Clones share the position.
#[derive(Clone, Debug)]
pub struct SeededEntropy {
    seed: u64,
    position: Arc<AtomicU64>,
}

impl SeededEntropy {
    /// The stream that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, position: Arc::new(AtomicU64::new(0)) }
    }

    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(digest::SHA256_OUTPUT_LEN) {
            let position = self.position.fetch_add(1, Ordering::SeqCst);
            let mut block = digest::Context::new(&digest::SHA256);
            block.update(&self.seed.to_be_bytes());
            block.update(&position.to_be_bytes());
            for (to, from) in chunk.iter_mut().zip(block.finish().as_ref()) {
                *to = *from;
            }
        }
    }
}
