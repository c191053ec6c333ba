//! Whether an authorization server is fit to send a member's browser there. What the FHIR server says about it decides
//! where people type their password, so every address must be at a host that the configuration names.

use reqwest::Url;
use serde::Deserialize;

use crate::delivery::smart_auth::discovery::{AuthorizationServer, has};

/// What a SMART configuration says about launches, as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub struct Said {
    issuer: Option<String>,
    jwks_uri: Option<String>,
    authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
    scopes_supported: Option<Vec<String>>,
    capabilities: Option<Vec<String>>,
}

/// Why nobody is sent to a server; each with what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// The SMART configuration lacks something.
    #[error("the SMART configuration lacks {0}: ask the clinic whether this endpoint offers standalone launches")]
    Lacks(&'static str),
    /// A server that takes `plain` challenges lets a stolen code be used (SMART App Launch 2.2.0, conformance).
    #[error(
        "the SMART configuration offers `plain` code challenges, which it must not: ask the clinic to turn them off"
    )]
    OffersPlain,
    /// Something is where the configuration does not allow members to be sent.
    #[error(
        "the {what} is at {host}, which is not allowed: if the clinic confirms it, add it to launch.hosts (to \
         auth.token_hosts where members lend their access)"
    )]
    HostNotAllowed {
        /// What.
        what: &'static str,
        /// Where.
        host: String,
    },
    /// Something is less protected than the FHIR endpoint.
    #[error("the {0} is not https: ask the clinic for one that is")]
    NotProtected(&'static str),
}

/// An authorization server, checked for launches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaunchServer {
    /// Where browsers are sent.
    pub authorization: Url,
    /// Who it is, as it says in responses and in what it signs.
    pub issuer: Option<String>,
    /// Whether each response says so (RFC 9207).
    pub says_issuer: bool,
    /// Where its keys are, if it says who signed in.
    pub keys: Option<Url>,
    /// Where tokens are given back, if it takes them back.
    pub revocation: Option<Url>,
    names_user: bool,
}

impl LaunchServer {
    /// Checks what the FHIR server at `base` says. Every address must be at its host or at one of `hosts`, and as well
    /// protected as `base`.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn check(server: &AuthorizationServer, base: &Url, hosts: &[String]) -> Result<Self, Unfit> {
        let said = &server.launch;
        let methods = said.code_challenge_methods_supported.as_deref().unwrap_or_default();
        if !has(methods, "S256") {
            return Err(Unfit::Lacks("S256 in code_challenge_methods_supported"));
        }
        if has(methods, "plain") {
            return Err(Unfit::OffersPlain);
        }
        let place = |what, written: &Option<String>| {
            written.as_deref().map(|written| allowed(what, written, base, hosts)).transpose()
        };
        let authorization = place("authorization_endpoint", &said.authorization_endpoint)?;
        let issued = place("issuer", &said.issuer)?;
        let keys = place("jwks_uri", &said.jwks_uri)?;
        Ok(Self {
            authorization: authorization.ok_or(Unfit::Lacks("authorization_endpoint"))?,
            issuer: said.issuer.clone(),
            says_issuer: said.authorization_response_iss_parameter_supported.unwrap_or_default(),
            keys: keys.filter(|_| issued.is_some() && said.offers_sign_in()),
            revocation: place("revocation_endpoint", &said.revocation_endpoint)?,
            names_user: said.names("fhirUser").unwrap_or(true),
        })
    }

    /// What is asked for: what is configured, and beside it who signs in, where that is offered.
    #[must_use]
    pub fn scopes(&self, configured: &str) -> String {
        let about_user = |scope: &&str| matches!(*scope, "openid" | "fhirUser");
        let mut scopes: Vec<&str> = configured.split(' ').filter(|scope| !about_user(scope)).collect();
        if self.keys.is_some() {
            scopes.push("openid");
            scopes.extend(self.names_user.then_some("fhirUser"));
        }
        scopes.join(" ")
    }
}

impl Said {
    /// Whether it says who signed in (SMART App Launch 2.2.0, scopes for requesting identity data).
    fn offers_sign_in(&self) -> bool {
        let capable = self.capabilities.as_ref().map(|capabilities| has(capabilities, "sso-openid-connect"));
        capable.or_else(|| self.names("openid")).unwrap_or_default()
    }

    /// Whether it names a scope; `None` when it names none at all.
    fn names(&self, scope: &str) -> Option<bool> {
        self.scopes_supported.as_ref().map(|scopes| has(scopes, scope))
    }
}

/// An address that a SMART configuration names, if it may be used. Old servers wrote relative ones.
fn allowed(what: &'static str, written: &str, base: &Url, hosts: &[String]) -> Result<Url, Unfit> {
    let url = base.join(written).map_err(|_| Unfit::Lacks(what))?;
    let host = url.host_str().unwrap_or_default();
    if base.host_str() != Some(host) && !hosts.iter().any(|allowed| allowed == host) {
        return Err(Unfit::HostNotAllowed { what, host: host.to_owned() });
    }
    // Anything else than http(s), such as javascript:, has no host, or is caught here.
    if url.scheme() != "https" && (url.scheme() != "http" || base.scheme() != "http") {
        return Err(Unfit::NotProtected(what));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(Unfit::Lacks(what));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::smart_auth::flow::Flow;
    use serde_json::{Value, json};

    fn check(document: &Value) -> Result<LaunchServer, Unfit> {
        let base = Url::parse("https://ehr.example/fhir/").unwrap();
        let hosts = ["as.example".to_owned()];
        let flow = Flow::Patient { signed: false };
        let server = AuthorizationServer::read(document.to_string().as_bytes(), &base, &hosts, flow).unwrap();
        LaunchServer::check(&server, &base, &hosts)
    }

    fn complete() -> Value {
        json!({
            "issuer": "https://as.example", "jwks_uri": "https://as.example/jwks",
            "authorization_endpoint": "https://as.example/authorize?tenant=1", "token_endpoint": "https://as.example/token",
            "revocation_endpoint": "https://ehr.example/revoke",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-standalone", "sso-openid-connect"],
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut document = complete();
        document[name] = value;
        document
    }

    #[test]
    fn a_server_that_offers_everything_is_asked_who_signs_in_too() {
        let server = check(&complete()).unwrap();
        assert_eq!(server.scopes("launch/patient"), "launch/patient openid fhirUser");
        assert_eq!(server.scopes("openid launch/patient"), "launch/patient openid fhirUser", "each once");
        let nameless = check(&with("scopes_supported", json!(["openid", "launch/patient"]))).unwrap();
        assert_eq!(nameless.scopes("launch/patient"), "launch/patient openid");
        assert_eq!((server.issuer.as_deref(), server.says_issuer), (Some("https://as.example"), false));
    }

    #[test]
    fn who_signs_in_is_not_asked_for_where_nobody_could_check_the_answer() {
        for document in [
            with("capabilities", json!(["launch-standalone"])),
            with("issuer", Value::Null),
            with("jwks_uri", Value::Null),
        ] {
            let server = check(&document).unwrap();
            assert_eq!(server.scopes("launch/patient openid fhirUser"), "launch/patient", "{document}");
        }
    }

    #[test]
    fn challenges_are_s256_and_nothing_else() {
        for methods in [Value::Null, json!([]), json!(["plain"]), json!(["s256"])] {
            let refused = check(&with("code_challenge_methods_supported", methods.clone())).unwrap_err();
            assert!(matches!(refused, Unfit::Lacks(_)), "{methods}: {refused}");
        }
        let both = check(&with("code_challenge_methods_supported", json!(["S256", "plain"]))).unwrap_err();
        assert_eq!(both, Unfit::OffersPlain);
    }

    #[test]
    fn members_are_sent_only_where_the_configuration_allows_it() {
        for name in ["authorization_endpoint", "issuer", "jwks_uri", "revocation_endpoint"] {
            for (url, host) in [
                ("https://evil.example/x", "evil.example"),
                ("https://ehr.example.evil/x", "ehr.example.evil"),
                ("https://as.example@evil.example/", "evil.example"),
                ("//evil.example/", "evil.example"),
                ("javascript:alert(1)", ""),
                ("data:text/html,x", ""),
            ] {
                let refused = check(&with(name, json!(url))).unwrap_err();
                assert_eq!(refused, Unfit::HostNotAllowed { what: name, host: host.to_owned() }, "{name}: {url}");
            }
            let plain = check(&with(name, json!("http://as.example/x"))).unwrap_err();
            assert_eq!(plain, Unfit::NotProtected(name));
            assert_eq!(check(&with(name, json!("https://u@as.example/"))).unwrap_err(), Unfit::Lacks(name));
        }
        assert_eq!(
            check(&with("authorization_endpoint", Value::Null)).unwrap_err(),
            Unfit::Lacks("authorization_endpoint")
        );
        let relative = check(&with("authorization_endpoint", json!("authorize"))).unwrap();
        assert_eq!(relative.authorization.as_str(), "https://ehr.example/fhir/authorize");
    }
}
