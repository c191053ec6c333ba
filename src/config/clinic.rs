//! The settings of a clinic: its FHIR endpoint, and how the bridge gets in there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use url::Url;

use super::ConfigError;
use super::access::ClinicAccess;
use super::auth::{Auth, ClientAuthentication};
use super::launch::Launch;
use super::staff::Staff;
use super::video::VideoService;
use crate::domain::consented::Practitioner;
use crate::domain::form::{Rule, Takes};
use crate::domain::page::PageRules;
use crate::domain::questionnaire::{Instrument, Rhythm};
use crate::domain::visit_type::VisitType;
use crate::domain::warning::WarningPolicy;
use crate::domain::way_back::WayBackRules;

/// How long the words of a legal basis are at least, and at most, in characters.
const MIN_BASIS: usize = 20;
const MAX_BASIS: usize = 500;

/// A clinic.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clinic {
    /// Its name, for people.
    pub name: String,
    /// Its FHIR endpoint.
    pub fhir_base: Url,
    /// How the bridge gets in there.
    #[serde(default)]
    pub auth: Auth,
    /// How its own systems get in here.
    pub access: Option<ClinicAccess>,
    /// How members show there who they are, where they lend the bridge nothing.
    launch: Option<Launch>,
    /// Its practitioners to whom a member can address what they share: the id in its EHR, and the name.
    #[serde(default)]
    practitioners: BTreeMap<String, String>,
    /// Which questionnaires it asks its patients for, and how often.
    #[serde(default)]
    pub questionnaires: BTreeMap<Instrument, Rhythm>,
    /// Requests to its EHR under way at the same time, if not as many as to any.
    pub concurrency: Option<usize>,
    /// Whether each resource carries its Provenance.
    #[serde(default = "yes")]
    pub provenance: bool,
    /// What its EHR takes, whatever it says itself.
    #[serde(default)]
    pub takes: Takes,
    /// Whether it gets one-page summaries, and in which language.
    pub summary: Option<PageRules>,
    /// Under what it may be warned without consent that its patient may be in danger; without it, it never is.
    pub warnings: Option<WarningPolicy>,
    /// Whether and how what it has for members is looked for.
    pub way_back: Option<WayBackRules>,
    /// The number of its telephone, for members whom nobody comes to see.
    pub phone: Option<String>,
    /// What kinds of visits it offers to members.
    #[serde(default)]
    pub visits: Vec<VisitType>,
    /// What is changed in resources before they go.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Who of its people may sign in to the staff view; without it, nobody.
    pub staff: Option<Staff>,
    /// Where it holds its remote visits.
    pub video: Option<VideoService>,
}

const fn yes() -> bool {
    true
}

impl Clinic {
    /// Every host that is called for this clinic.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        let token_hosts = match &self.auth {
            Auth::None => &[][..],
            Auth::BackendServices(services) => services.token_hosts.as_slice(),
            Auth::Patient(launch) => launch.token_hosts.as_slice(),
        };
        let launch_hosts = self.launch.as_ref().map_or(&[][..], |launch| launch.hosts.as_slice());
        let others = token_hosts.iter().chain(launch_hosts).cloned();
        self.fhir_base.host_str().map(str::to_owned).into_iter().chain(others)
    }

    /// How members launch there, if they can.
    #[must_use]
    pub fn launch(&self) -> Option<Launch> {
        match &self.auth {
            Auth::None | Auth::BackendServices(_) => self.launch.clone(),
            Auth::Patient(lent) => Some(Launch {
                client_id: lent.client_id.clone(),
                scopes: lent.scopes.clone(),
                hosts: lent.token_hosts.clone(),
                client_authentication: lent.client_authentication,
            }),
        }
    }

    /// Those of its practitioners to whom a member can address what they share, in the order of their names.
    #[must_use]
    pub fn practitioners(&self) -> Vec<Practitioner> {
        let named = |(id, name): (&String, &String)| Practitioner { id: id.clone(), display: name.clone() };
        let mut all: Vec<Practitioner> = self.practitioners.iter().map(named).collect();
        all.sort_by(|one, other| one.display.cmp(&other.display));
        all
    }

    /// Whether what a launch gives is kept, because the bridge has no other way in.
    #[must_use]
    pub const fn lends(&self) -> bool {
        matches!(self.auth, Auth::Patient(_))
    }

    /// Whether the bridge has to sign there who it is.
    #[must_use]
    pub fn signs(&self) -> bool {
        let signed = |launch: &Launch| launch.client_authentication == ClientAuthentication::PrivateKeyJwt;
        self.auth.signs() || self.launch.as_ref().is_some_and(signed)
    }

    /// Refuses what cannot be; `id` is the clinic's name in the configuration.
    pub(super) fn check(&self, id: &str, private_networks: bool) -> Result<(), ConfigError> {
        let invalid = |expected| Err(ConfigError::Invalid { setting: format!("clinics.{id}.fhir_base"), expected });
        let base = &self.fhir_base;
        let anonymous = base.username().is_empty() && base.password().is_none();
        let plain = base.query().is_none() && base.fragment().is_none() && anonymous;
        if !matches!(base.scheme(), "http" | "https") || !plain {
            return invalid("an http(s) URL without user, password, query and fragment");
        }
        if self.concurrency.is_some_and(|concurrency| !(1..=256).contains(&concurrency)) {
            let setting = format!("clinics.{id}.concurrency");
            return Err(ConfigError::Invalid { setting, expected: "a number from 1 to 256" });
        }
        if self.launch.is_some() && self.lends() {
            let setting = format!("clinics.{id}.launch");
            return Err(ConfigError::Invalid {
                setting,
                expected: "no such section: auth.method = \"patient\" says it all",
            });
        }
        if !self.practitioners().iter().all(Practitioner::is_sound) {
            let setting = format!("clinics.{id}.practitioners");
            let expected = "the id of a FHIR Practitioner and a name of at most 200 letters, each";
            return Err(ConfigError::Invalid { setting, expected });
        }
        if base.scheme() == "http" && !private_networks {
            return invalid("https (http is for delivery.private_networks = true only)");
        }
        if self.way_back.as_ref().is_some_and(|rules| rules.poll_minutes == 0 || rules.look_back_days > 366) {
            let setting = format!("clinics.{id}.way_back");
            let expected = "poll_minutes from 1, and look_back_days of at most 366";
            return Err(ConfigError::Invalid { setting, expected });
        }
        self.check_warnings(id)?;
        self.check_visits(id)?;
        if let Some(video) = &self.video {
            video.check(id, private_networks)?;
        }
        if let Some(staff) = &self.staff {
            staff.check(&format!("clinics.{id}"), false, private_networks)?;
        }
        self.access.as_ref().map_or(Ok(()), |access| access.check(id, private_networks))
    }

    /// When a questionnaire is asked for again, it must still be known when it was filled in.
    pub(super) fn check_questionnaires(&self, id: &str, keep_days: i64) -> Result<(), ConfigError> {
        let longer = self.questionnaires.iter().find(|(_, every)| every.most_days() >= keep_days);
        longer.map_or(Ok(()), |(instrument, _)| {
            let setting = format!("clinics.{id}.questionnaires.{}", instrument.as_str());
            Err(ConfigError::Invalid { setting, expected: "a period shorter than readings.keep_days" })
        })
    }

    /// A policy says by which right, and no member's own access is used against their will.
    fn check_warnings(&self, id: &str) -> Result<(), ConfigError> {
        let Some(policy) = &self.warnings else { return Ok(()) };
        let invalid = |name: &str, expected| {
            Err(ConfigError::Invalid { setting: format!("clinics.{id}.warnings{name}"), expected })
        };
        if self.lends() {
            return invalid(
                "",
                "no such section: with auth.method = \"patient\" members lend access for what they consent to",
            );
        }
        let is_said =
            |text: &String| (MIN_BASIS..=MAX_BASIS).contains(&text.chars().count()) && !text.contains(char::is_control);
        if policy.legal_basis.is_empty() || !policy.legal_basis.values().all(is_said) {
            return invalid(
                ".legal_basis",
                "the law that allows it, in words of 20 to 500 characters, in at least one language (en, ru)",
            );
        }
        Ok(())
    }

    /// Each kind of visit has a name of its own, and can be booked.
    fn check_visits(&self, id: &str) -> Result<(), ConfigError> {
        if !self.phone.as_deref().is_none_or(is_phone) {
            let setting = format!("clinics.{id}.phone");
            return Err(ConfigError::Invalid { setting, expected: "a telephone number, such as +49 30 1234567" });
        }
        let mut names = BTreeSet::new();
        for visit in &self.visits {
            let invalid = |setting: &str, expected| {
                Err(ConfigError::Invalid {
                    setting: format!("clinics.{id}.visits ({}): {setting}", visit.id),
                    expected,
                })
            };
            if !names.insert(&visit.id) {
                return invalid("id", "a name that no other visit of the clinic has");
            }
            if let Err((setting, expected)) = visit.check() {
                return invalid(setting, expected);
            }
            if visit.group.is_some() && self.lends() {
                // Nobody lends access to what is about no patient.
                return invalid(
                    "group",
                    "none, because auth.method = \"patient\": the bridge has no access of its own there",
                );
            }
        }
        Ok(())
    }
}

/// Digits, as people write them down.
fn is_phone(text: &str) -> bool {
    let is_shaped = text.chars().all(|c| c.is_ascii_digit() || "+-()/ ".contains(c));
    is_shaped && text.len() <= 40 && text.bytes().filter(u8::is_ascii_digit).count() >= 3
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_policy_that_says_no_law_is_none() {
        let clinic = "[clinics.a]\nname = \"A\"\nfhir_base = \"https://a.example/fhir\"\n";
        let basis = "[clinics.a.warnings.legal_basis]\nen = \"Article 9(2)(c) GDPR\"\n";
        let good = format!("{clinic}[clinics.a.warnings]\npurpose = \"ETREAT\"\n{basis}");
        let policy = Config::from_toml(&good).unwrap().clinics.into_values().next().unwrap().warnings.unwrap();
        assert!(policy.tell_member, "unless it says otherwise");
        assert!(Config::from_toml(clinic).unwrap().clinics.into_values().all(|clinic| clinic.warnings.is_none()));
        let lent = "[clinics.a.auth]\nmethod = \"patient\"\nclient_id = \"m\"\n";
        for (text, expected) in [
            (good.replace("ETREAT", "TREAT"), "ETREAT"),
            (good.replace("purpose = \"ETREAT\"\n", ""), "purpose"),
            (good.replace(basis, ""), "legal_basis"),
            (good.replace("en = ", "fr = "), "fr"),
            (good.replace("Article 9(2)(c) GDPR", "some law"), "warnings.legal_basis: expected the law"),
            (good.replace("en = \"Article 9(2)(c) GDPR\"", ""), "warnings.legal_basis: expected the law"),
            (good.replace("purpose", "automatic = true\npurpose"), "automatic"),
            (format!("{good}{lent}"), "warnings: expected no such section"),
        ] {
            let error = Config::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
