//! What a client's assertions are verified with: keys that the operator wrote down, or keys that the clinic publishes,
//! kept no longer than it allows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, AGE, CACHE_CONTROL, HeaderMap};
use reqwest::{Method, Url};

use super::assertion::Refused;
use crate::delivery::egress::Egress;
use crate::domain::ids::ClinicId;
use crate::vault::signing::SigningAlgorithm;
use crate::vault::{PublicKey, PublicKeys};

/// How long a copy is used when its answer does not say.
const USUAL_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// The longest a copy is used, whatever its answer says: a key that was taken away must not be good for ever.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The shortest, whatever its answer says: callers whom nobody knows yet must not make the bridge ask without end.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(1);

/// How long after asking an unknown name is not asked for again.
const CURIOUS_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// How long after a failure nothing is asked.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// What a client's assertions are verified with.
#[derive(Debug)]
pub enum ClientKeys {
    /// Written down by the operator.
    Here(PublicKeys),
    /// Published by the clinic.
    There(PublishedKeys),
}

/// Keys that a clinic publishes, and the copy of them.
#[derive(Debug)]
pub struct PublishedKeys {
    egress: Egress,
    url: Url,
    copy: Mutex<Kept>,
    /// Held by the one who fetches; the others wait for it.
    in_flight: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Kept {
    keys: Arc<PublicKeys>,
    asked_at: Timestamp,
    fresh_until: Timestamp,
    /// Whether the last time brought nothing.
    failed: bool,
}

impl ClientKeys {
    /// Whether an address is where the client's keys are registered to be.
    #[must_use]
    pub fn are_at(&self, jku: &str) -> bool {
        matches!(self, Self::There(published) if Url::parse(jku).is_ok_and(|jku| jku == published.url))
    }

    /// The key of this name for this algorithm, if the client has it.
    ///
    /// # Errors
    /// [`Refused::KeysAway`] when nobody knows at present.
    pub async fn find(
        &self,
        kid: &str,
        algorithm: SigningAlgorithm,
        clinic: &ClinicId,
        now: Timestamp,
    ) -> Result<Option<PublicKey>, Refused> {
        match self {
            Self::Here(keys) => Ok(keys.named(kid, algorithm).cloned()),
            Self::There(published) => published.find(kid, algorithm, clinic, now).await,
        }
    }
}

impl PublishedKeys {
    /// The keys at `url`, fetched when they are needed.
    #[must_use]
    pub fn new(egress: Egress, url: Url) -> Self {
        let never = Timestamp::MIN;
        let copy = Kept { keys: Arc::default(), asked_at: never, fresh_until: never, failed: false };
        Self { egress, url, copy: Mutex::new(copy), in_flight: tokio::sync::Mutex::default() }
    }

    async fn find(
        &self,
        kid: &str,
        algorithm: SigningAlgorithm,
        clinic: &ClinicId,
        now: Timestamp,
    ) -> Result<Option<PublicKey>, Refused> {
        let known = |keys: &PublicKeys| keys.named(kid, algorithm).cloned();
        if let Some(key) = self.fresh(now).as_deref().and_then(known) {
            return Ok(Some(key));
        }
        let _flight = self.in_flight.lock().await;
        // Whoever was in flight before may have brought it.
        let fresh = self.fresh(now);
        if let Some(key) = fresh.as_deref().and_then(known) {
            return Ok(Some(key));
        }
        if self.may_ask(fresh.is_some(), now) {
            self.fetch(clinic, now).await;
        }
        self.fresh(now).map(|keys| known(&keys)).ok_or(Refused::KeysAway)
    }

    /// The copy, as long as it may be used.
    fn fresh(&self, now: Timestamp) -> Option<Arc<PublicKeys>> {
        let copy = self.copy();
        (copy.asked_at <= now && now < copy.fresh_until).then(|| Arc::clone(&copy.keys))
    }

    fn may_ask(&self, is_fresh: bool, now: Timestamp) -> bool {
        let copy = self.copy();
        let pause = match (is_fresh, copy.failed) {
            (true, _) => CURIOUS_AGAIN_AFTER,
            (false, true) => PAUSE,
            (false, false) => return true,
        };
        let passed = now.duration_since(copy.asked_at);
        passed >= pause || passed.is_negative()
    }

    async fn fetch(&self, clinic: &ClinicId, now: Timestamp) {
        let request = self.egress.request(Method::GET, self.url.clone());
        let request = request.header(ACCEPT, "application/jwk-set+json, application/json");
        let fetched = match self.egress.send(request).await {
            Ok(answer) if answer.status.as_u16() == 200 => {
                let set = serde_json::from_slice(&answer.body).ok();
                let keys = set.and_then(|set| PublicKeys::usable_of(&set).ok());
                keys.map(|keys| (keys, life(&answer.headers))).ok_or_else(|| "not a JWK Set".to_owned())
            }
            Ok(answer) => Err(format!("http-{}", answer.status.as_u16())),
            Err(error) => Err(error.to_string()),
        };
        let mut copy = self.copy();
        copy.asked_at = now;
        copy.failed = fetched.is_err();
        match fetched {
            Ok((keys, life)) => {
                copy.keys = Arc::new(keys);
                copy.fresh_until = now.checked_add(life).unwrap_or(Timestamp::MAX);
            }
            // A copy that is still fresh stays.
            Err(cause) => tracing::warn!(clinic_id = %clinic, cause, "the clinic's keys cannot be had: check jwks_uri"),
        }
    }

    fn copy(&self) -> MutexGuard<'_, Kept> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an answer may be used (RFC 9111, sections 4.2.1 and 5.2.2).
fn life(headers: &HeaderMap) -> SignedDuration {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<String> =
        lines.flat_map(|line| line.split(',')).map(|directive| directive.trim().to_ascii_lowercase()).collect();
    let seconds = |text: &str| text.trim_matches('"').parse::<i64>().ok();
    let max_age = directives.iter().find_map(|directive| seconds(directive.strip_prefix("max-age=")?));
    let age = headers.get(AGE).and_then(|value| value.to_str().ok()).and_then(seconds).unwrap_or_default();
    let never =
        directives.iter().any(|directive| directive.starts_with("no-store") || directive.starts_with("no-cache"));
    let life = match max_age {
        _ if never => SignedDuration::ZERO,
        Some(max_age) => SignedDuration::from_secs(max_age.saturating_sub(age)),
        None => USUAL_LIFE,
    };
    life.clamp(SHORTEST_LIFE, LONGEST_LIFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life_of(headers: &[(&'static str, &'static str)]) -> i64 {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        life(&headers).as_secs()
    }

    #[test]
    fn a_copy_is_kept_as_long_as_its_answer_allows() {
        assert_eq!(life_of(&[]), 300);
        assert_eq!(life_of(&[("cache-control", "public, max-age=60")]), 60);
        assert_eq!(life_of(&[("cache-control", "Max-Age=\"60\""), ("age", "45")]), 15);
        assert_eq!(life_of(&[("cache-control", "max-age=60"), ("age", "90")]), 1);
        assert_eq!(life_of(&[("cache-control", "max-age=600, no-store")]), 1);
        assert_eq!(life_of(&[("cache-control", "no-cache")]), 1);
        assert_eq!(life_of(&[("cache-control", "max-age=99999999")]), 24 * 3600);
        assert_eq!(life_of(&[("cache-control", "max-age=-5")]), 1);
        assert_eq!(life_of(&[("cache-control", "max-age=9223372036854775807"), ("age", "-9")]), 24 * 3600);
    }
}
