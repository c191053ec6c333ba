//! How a clinic's own system gets in (SMART App Launch 2.2.0, Backend Services; the bridge is the server): it shows an
//! assertion that it signed, once, and is given a token for five minutes.
//!
//! [`assertion`] reads what was signed and judges what it says, [`keys`] knows what it must be signed with, [`token`] gives
//! the token and knows it again.

mod assertion;
mod keys;
mod token;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::assertion::Assertion;
pub use self::assertion::{Refused, Used};
pub use self::keys::{ClientKeys, PublishedKeys};
pub use self::token::{CLINIC_TOKEN_PREFIX, LIFETIME, clinic_token_index, give};
use crate::domain::ids::ClinicId;

/// The clients that clinics' systems are, by the names under which they are registered.
#[derive(Debug, Default)]
pub struct Clients {
    token_url: String,
    by_id: BTreeMap<String, Client>,
}

/// What is known of a client.
#[derive(Debug)]
pub struct Client {
    /// Whose system it is.
    pub clinic: ClinicId,
    /// What its assertions are verified with.
    pub keys: ClientKeys,
    /// The most it is given, as in the OAuth parameter `scope`.
    pub scopes: String,
}

/// A client that has proven who it is.
#[derive(Debug)]
pub struct Proven<'a> {
    /// Under which name it is registered.
    pub client_id: &'a str,
    /// Whose system it is.
    pub clinic: &'a ClinicId,
    /// The most it is given.
    pub scopes: &'a str,
    /// The assertion, which is good for one token.
    pub used: Used,
}

/// Somebody who has not proven who they are.
#[derive(Debug)]
pub struct Stranger {
    /// The clinic whose system they say they are, if there is such a client.
    pub claims: Option<ClinicId>,
    /// Why they are not believed.
    pub why: Refused,
}

impl Clients {
    /// Clients whose assertions must be made for the token endpoint at `token_url`.
    #[must_use]
    pub const fn new(token_url: String, by_id: BTreeMap<String, Client>) -> Self {
        Self { token_url, by_id }
    }

    /// Where tokens are asked for.
    #[must_use]
    pub fn token_url(&self) -> &str {
        &self.token_url
    }

    /// The name under which a clinic's system is registered. `None`: it may not come in at all.
    #[must_use]
    pub fn id_of(&self, clinic: &ClinicId) -> Option<&str> {
        self.by_id.iter().find_map(|(id, client)| (client.clinic == *clinic).then_some(id.as_str()))
    }

    /// Finds out which client made an assertion. It is not used up yet: [`give`] does that.
    ///
    /// # Errors
    /// [`Stranger`].
    pub async fn authenticate(&self, jwt: &str, now: Timestamp) -> Result<Proven<'_>, Stranger> {
        let nobody = |why| Stranger { claims: None, why };
        let assertion = Assertion::read(jwt).map_err(nobody)?;
        let found = self.by_id.get_key_value(assertion.client_id());
        let (client_id, client) = found.ok_or_else(|| nobody(Refused::UnknownClient))?;
        match self.believe(client, &assertion, now).await {
            Ok(used) => Ok(Proven { client_id, clinic: &client.clinic, scopes: &client.scopes, used }),
            Err(why) => Err(Stranger { claims: Some(client.clinic.clone()), why }),
        }
    }

    async fn believe(&self, client: &Client, assertion: &Assertion<'_>, now: Timestamp) -> Result<Used, Refused> {
        if assertion.jku().is_some_and(|jku| !client.keys.are_at(jku)) {
            return Err(Refused::KeysElsewhere);
        }
        let (kid, algorithm) = assertion.key();
        let key = client.keys.find(kid, algorithm, &client.clinic, now).await?.ok_or(Refused::UnknownKey)?;
        assertion.verify(&key, &self.token_url, now)
    }
}
