//! Consents: does the database hold each as the log says that it was given, and in the state in which the log left it?
//!
//! A consent is what lets everything out. Whoever can write into the database could widen its terms, or bring one back
//! that was taken back, and need touch no entry of the log for that.

use std::collections::BTreeMap;

use aws_lc_rs::digest;

use super::finding::{Place, Wrong};
use crate::domain::audit::{ConsentState, Event, hex};
use crate::domain::grant::GrantState;
use crate::domain::ids::GrantId;
use crate::store::{ChainKey, StoredGrant};

/// A version of a grant.
type Version = (GrantId, i32);

/// What the log says of the consents between a member and a clinic, as far as it was heard.
#[derive(Debug, Default)]
pub struct Told(BTreeMap<Version, Said>);

/// What it says of one version.
#[derive(Debug)]
struct Said {
    state: GrantState,
    terms_sha256: String,
}

impl Told {
    /// The next entry.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::ConsentGranted(consent) => self.made(consent, GrantState::Active),
            Event::ConsentChanged(consent) => {
                // A pause goes on.
                let before = self.0.get(&(consent.grant, consent.version - 1)).map(|before| before.state);
                self.made(consent, before.filter(|state| !state.is_final()).unwrap_or(GrantState::Active));
            }
            Event::ConsentPaused(consent) => self.stands(consent, GrantState::Paused),
            Event::ConsentResumed(consent) => self.stands(consent, GrantState::Active),
            Event::ConsentRevoked(consent) => self.stands(consent, GrantState::Revoked),
            _ => {}
        }
    }

    /// A new version. There is one living consent towards a clinic: what lived before ends with it.
    fn made(&mut self, consent: &ConsentState, state: GrantState) {
        self.0.values_mut().filter(|said| !said.state.is_final()).for_each(|said| said.state = GrantState::Superseded);
        // Only the digest of when it was made is of the terms as they were stored: a later release may write them otherwise.
        let said = Said { state, terms_sha256: consent.terms_sha256.clone() };
        self.0.insert((consent.grant, consent.version), said);
    }

    fn stands(&mut self, consent: &ConsentState, state: GrantState) {
        if let Some(said) = self.0.get_mut(&(consent.grant, consent.version)) {
            said.state = state;
        }
    }

    /// What is not as it was said, among what is stored between them. An erased member has nothing any more.
    pub fn compare(mut self, chain: &ChainKey, stored: &[StoredGrant], is_there: bool) -> Vec<(Place, Wrong)> {
        let at = |(grant, version): Version| Place::Consent(chain.clone(), grant, version);
        let mut wrong = Vec::new();
        for found in stored {
            let version = (GrantId(found.grant_id), found.version);
            let Some(said) = self.0.remove(&version) else {
                wrong.push((at(version), Wrong::Unknown));
                continue;
            };
            let digest = digest::digest(&digest::SHA256, found.terms.as_bytes());
            if hex(digest.as_ref()) != said.terms_sha256 {
                wrong.push((at(version), Wrong::TermsAltered));
            }
            if found.state != said.state.as_str() {
                wrong.push((at(version), Wrong::StateAltered { said: said.state, found: found.state.clone() }));
            }
        }
        if is_there {
            wrong.extend(self.0.into_keys().map(|version| (at(version), Wrong::Gone)));
        }
        wrong
    }
}
