//! What a FHIR server says about its authorization server: `<base>/.well-known/smart-configuration` (SMART App Launch
//! 2.2.0, conformance). Only what the way to a token relies on must be there; what else the standard requires and is
//! missing is kept, so that an operator can see it.

use reqwest::Url;
use serde::Deserialize;

use super::error::TokenError;
use super::flow::Flow;
use super::launch::Said;
use super::scopes;
use crate::vault::signing::SigningAlgorithm;

/// Where the document is, relative to the FHIR base.
pub const WELL_KNOWN: &str = ".well-known/smart-configuration";

/// An authorization server, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorizationServer {
    /// Where tokens are asked for. It is also the audience of the assertion, so it is kept as it was written.
    pub token_endpoint: String,
    /// The same, as an address that may be called.
    pub token_url: Url,
    /// What the standard requires and the document lacks, in plain words. Nothing of it hinders.
    pub gaps: Vec<&'static str>,
    /// What it says about launches, not checked.
    pub(super) launch: Said,
    grant_types: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    algorithms: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Document {
    token_endpoint: Option<String>,
    grant_types_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
    capabilities: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
}

impl AuthorizationServer {
    /// Reads the document of the FHIR server at `base`. Its token endpoint must be at the host of `base` or at one of
    /// `token_hosts`, and as well protected as `base`: the document alone must not decide where assertions go.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read(body: &[u8], base: &Url, token_hosts: &[String], flow: Flow) -> Result<Self, TokenError> {
        let document: Document =
            serde_json::from_slice(body).map_err(|_| TokenError::DiscoveryUnreadable { base: base.to_string() })?;
        let lacks_endpoint = || TokenError::DiscoveryLacks { what: "token_endpoint", flow };
        document.check_flow(flow)?;
        let gaps = document.gaps(flow);
        let written = document.token_endpoint.ok_or_else(lacks_endpoint)?;
        // Old servers wrote relative addresses.
        let token_url = base.join(&written).map_err(|_| lacks_endpoint())?;
        let token_endpoint = if Url::parse(&written).is_ok() { written } else { token_url.to_string() };
        let host = token_url.host_str().unwrap_or_default();
        if base.host_str() != Some(host) && !token_hosts.iter().any(|allowed| allowed == host) {
            return Err(TokenError::HostNotAllowed { host: host.to_owned() });
        }
        if token_url.scheme() != "https" && token_url.scheme() != base.scheme() {
            return Err(TokenError::NotProtected { endpoint: token_endpoint });
        }
        let algorithms = document.token_endpoint_auth_signing_alg_values_supported;
        let (scopes, grant_types) = (document.scopes_supported, document.grant_types_supported);
        // Whoever launches nobody does not care how well this is written.
        let launch = serde_json::from_slice(body).unwrap_or_default();
        Ok(Self { token_endpoint, token_url, gaps, launch, grant_types, scopes, algorithms })
    }

    /// Who gives the tokens there: scheme, host and port. What one server gave is shown to no other.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.token_url.origin().ascii_serialization()
    }

    /// What of the scopes in `asked` it does not name; `None` when it names none at all.
    #[must_use]
    pub fn unnamed(&self, asked: &str) -> Option<Vec<String>> {
        self.scopes.as_ref().map(|named| scopes::missing(asked, &named.join(" ")))
    }

    /// Whether it says that it renews tokens.
    #[must_use]
    pub fn renews(&self) -> bool {
        self.grant_types.as_ref().is_some_and(|types| has(types, "refresh_token"))
    }

    /// Whether it takes assertions signed with this algorithm. One that does not say is asked to find out.
    #[must_use]
    pub fn accepts(&self, algorithm: SigningAlgorithm) -> bool {
        self.algorithms.as_ref().is_none_or(|known| known.iter().any(|name| name == algorithm.as_str()))
    }
}

impl Document {
    /// Refuses a server that says that it does not do what is about to be asked of it.
    fn check_flow(&self, flow: Flow) -> Result<(), TokenError> {
        let lacks = |list: &Option<Vec<String>>, word: &str| list.as_ref().is_some_and(|list| !has(list, word));
        let (grant_type, what) = flow.grant_type();
        if lacks(&self.grant_types_supported, grant_type) {
            return Err(TokenError::DiscoveryLacks { what, flow });
        }
        // That it takes clients without a secret, few servers say.
        if flow.signed() && lacks(&self.token_endpoint_auth_methods_supported, "private_key_jwt") {
            let what = "private_key_jwt in token_endpoint_auth_methods_supported";
            return Err(TokenError::DiscoveryLacks { what, flow });
        }
        Ok(())
    }

    fn gaps(&self, flow: Flow) -> Vec<&'static str> {
        let has_word = |list: &Option<Vec<String>>, word: &str| list.as_ref().is_some_and(|list| has(list, word));
        let incapable = |(word, what): &(&str, &'static str)| {
            (self.capabilities.is_some() && !has_word(&self.capabilities, word), *what)
        };
        let challenge = match flow {
            Flow::BackendServices => "S256 in code_challenge_methods_supported (needed for launches only)",
            Flow::Patient { .. } => "S256 in code_challenge_methods_supported",
        };
        let lists = [
            (self.grant_types_supported.is_none(), "grant_types_supported"),
            (self.capabilities.is_none(), "capabilities"),
        ];
        let methods = (!has_word(&self.code_challenge_methods_supported, "S256"), challenge);
        lists
            .into_iter()
            .chain(flow.capabilities().iter().map(incapable))
            .chain([methods])
            .filter_map(|(missing, what)| missing.then_some(what))
            .collect()
    }
}

pub(super) fn has(list: &[String], word: &str) -> bool {
    list.iter().any(|entry| entry == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(document: &Value) -> Result<AuthorizationServer, TokenError> {
        read_for(Flow::BackendServices, document)
    }

    fn read_for(flow: Flow, document: &Value) -> Result<AuthorizationServer, TokenError> {
        let base = Url::parse("https://ehr.example/fhir/").unwrap();
        AuthorizationServer::read(document.to_string().as_bytes(), &base, &["as.example".to_owned()], flow)
    }

    fn complete() -> Value {
        json!({
            "token_endpoint": "https://ehr.example/token",
            "grant_types_supported": ["client_credentials"],
            "capabilities": ["client-confidential-asymmetric"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384"],
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut document = complete();
        document[name] = value;
        document
    }

    #[test]
    fn a_complete_document_has_no_gaps() {
        let server = read(&complete()).unwrap();
        assert_eq!(server.gaps, Vec::<&str>::new());
        assert_eq!(server.token_endpoint, "https://ehr.example/token");
        assert!(server.accepts(SigningAlgorithm::Rs384) && !server.accepts(SigningAlgorithm::Es384));
    }

    #[test]
    fn the_token_endpoint_must_be_where_the_configuration_allows_it() {
        assert!(read(&with("token_endpoint", json!("https://as.example/token"))).is_ok());
        assert_eq!(
            read(&with("token_endpoint", json!("oauth/token"))).unwrap().token_endpoint,
            "https://ehr.example/fhir/oauth/token"
        );
        for (endpoint, host) in [
            ("https://evil.example/token", "evil.example"),
            ("https://ehr.example.evil/token", "ehr.example.evil"),
            ("//evil.example/", "evil.example"),
            ("https://ehr.example@evil.example/", "evil.example"),
        ] {
            let refused = read(&with("token_endpoint", json!(endpoint))).unwrap_err();
            assert_eq!(refused, TokenError::HostNotAllowed { host: host.to_owned() }, "{endpoint}");
        }
        let plain = read(&with("token_endpoint", json!("http://ehr.example/token"))).unwrap_err();
        assert!(matches!(plain, TokenError::NotProtected { .. }));
    }

    #[test]
    fn a_server_without_the_flow_is_refused_and_a_terse_one_is_tried() {
        for name in ["grant_types_supported", "token_endpoint_auth_methods_supported"] {
            assert!(matches!(read(&with(name, json!(["other"]))), Err(TokenError::DiscoveryLacks { .. })), "{name}");
        }
        assert!(matches!(read(&with("token_endpoint", Value::Null)), Err(TokenError::DiscoveryLacks { .. })));
        assert!(matches!(read(&json!([1])), Err(TokenError::DiscoveryUnreadable { .. })));
        let terse = read(&json!({"token_endpoint": "https://ehr.example/token"})).unwrap();
        assert_eq!(terse.gaps.len(), 3);
        assert!(terse.accepts(SigningAlgorithm::Es384));
    }

    #[test]
    fn what_patients_need_is_another_flow() {
        let (signed, public) = (Flow::Patient { signed: true }, Flow::Patient { signed: false });
        let refused = read_for(signed, &complete()).unwrap_err();
        assert!(refused.to_string().contains("authorization_code") && refused.to_string().contains("patients"));
        let mut document = with("grant_types_supported", json!(["authorization_code"]));
        assert!(read_for(signed, &document).unwrap().gaps.contains(&"permission-offline in capabilities"));
        document["capabilities"] = json!([
            "launch-standalone",
            "context-standalone-patient",
            "permission-patient",
            "permission-offline",
            "client-public",
            "client-confidential-asymmetric"
        ]);
        assert_eq!(read_for(signed, &document).unwrap().gaps, Vec::<&str>::new());
        document["token_endpoint_auth_methods_supported"] = json!(["client_secret_basic"]);
        assert!(read_for(signed, &document).is_err());
        assert_eq!(read_for(public, &document).unwrap().gaps, Vec::<&str>::new(), "a public client proves nothing");
        assert_eq!(read_for(public, &document).unwrap().issuer(), "https://ehr.example");
    }
}
