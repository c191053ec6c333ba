//! Whether a provider is fit to send a member's browser there. What its configuration says decides where people type their
//! password, and where the client secret goes: every address must be at a host that the operator named.

use openidconnect::core::CoreClientAuthMethod;
use openidconnect::{AuthType, AuthUrl, IssuerUrl, JsonWebKeySetUrl, TokenUrl};
use reqwest::Url;

use super::failure::{Failure, Unfit};
use super::types::Metadata;
use super::way::Way;

/// A provider, checked.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where browsers are sent.
    pub authorization: AuthUrl,
    /// Where codes are exchanged.
    pub token: TokenUrl,
    /// Where its keys are.
    pub keys: JsonWebKeySetUrl,
    /// Whether each response says whose it is (RFC 9207).
    pub says_issuer: bool,
    /// How the client secret is shown.
    pub shows_secret: AuthType,
}

/// Asks a provider for its configuration, and checks it.
///
/// # Errors
/// [`Failure`].
pub async fn find(way: &Way<'_>, issuer: &IssuerUrl, hosts: &[String], has_secret: bool) -> Result<Found, Failure> {
    let metadata = Metadata::discover_async(issuer.clone(), way).await?;
    Ok(check(&metadata, hosts, has_secret)?)
}

fn check(metadata: &Metadata, hosts: &[String], has_secret: bool) -> Result<Found, Unfit> {
    let issuer = metadata.issuer().url();
    let token = metadata.token_endpoint().ok_or(Unfit::Lacks("token_endpoint"))?;
    allowed("authorization_endpoint", metadata.authorization_endpoint().url(), issuer, hosts)?;
    allowed("token_endpoint", token.url(), issuer, hosts)?;
    allowed("jwks_uri", metadata.jwks_uri().url(), issuer, hosts)?;
    let besides = metadata.additional_metadata();
    let is_safe = match &besides.code_challenge_methods_supported {
        Some(methods) => methods.iter().any(|method| method == "S256"),
        // Many providers understand PKCE and do not say so. One that does not is bearable where the code is worth nothing
        // without the client secret; the nonce is checked in any case.
        None => has_secret,
    };
    if !is_safe {
        return Err(Unfit::NoChallenge);
    }
    let shows_secret = match metadata.token_endpoint_auth_methods_supported() {
        Some(methods) if has_secret => shows_secret(methods)?,
        _ => AuthType::BasicAuth,
    };
    Ok(Found {
        authorization: metadata.authorization_endpoint().clone(),
        token: token.clone(),
        keys: metadata.jwks_uri().clone(),
        says_issuer: besides.authorization_response_iss_parameter_supported.unwrap_or_default(),
        shows_secret,
    })
}

/// In the header where that is taken: it is what a provider that does not say takes (OpenID Connect Discovery 1.0,
/// section 3).
fn shows_secret(methods: &[CoreClientAuthMethod]) -> Result<AuthType, Unfit> {
    if methods.contains(&CoreClientAuthMethod::ClientSecretBasic) {
        Ok(AuthType::BasicAuth)
    } else if methods.contains(&CoreClientAuthMethod::ClientSecretPost) {
        Ok(AuthType::RequestBody)
    } else {
        Err(Unfit::NoSecrets)
    }
}

fn allowed(what: &'static str, url: &Url, issuer: &Url, hosts: &[String]) -> Result<(), Unfit> {
    let host = url.host_str().unwrap_or_default();
    if !hosts.iter().any(|allowed| allowed == host) {
        return Err(Unfit::HostNotAllowed { what, host: host.to_owned() });
    }
    // Anything else than http(s), such as javascript:, has no host, or is caught here.
    if url.scheme() != "https" && (url.scheme() != "http" || issuer.scheme() != "http") {
        return Err(Unfit::NotProtected(what));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(Unfit::Lacks(what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn complete() -> Value {
        json!({
            "issuer": "https://id.example", "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://login.example/token", "jwks_uri": "https://id.example/jwks",
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["plain", "S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut document = complete();
        document[name] = value;
        document
    }

    fn read(document: &Value, has_secret: bool) -> Result<Found, Unfit> {
        let metadata: Metadata = serde_json::from_value(document.clone()).unwrap();
        check(&metadata, &["id.example".to_owned(), "login.example".to_owned()], has_secret)
    }

    #[test]
    fn members_and_secrets_are_sent_only_where_the_configuration_allows_it() {
        assert!(read(&complete(), false).unwrap().says_issuer);
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            for (url, host) in [
                ("https://evil.example/x", "evil.example"),
                ("https://id.example.evil/x", "id.example.evil"),
                ("https://id.example@evil.example/", "evil.example"),
                ("javascript:alert(1)", ""),
            ] {
                let refused = read(&with(name, json!(url)), true).unwrap_err();
                assert_eq!(refused, Unfit::HostNotAllowed { what: name, host: host.to_owned() }, "{name}: {url}");
            }
            let plain = read(&with(name, json!("http://id.example/x")), true).unwrap_err();
            assert_eq!(plain, Unfit::NotProtected(name));
            assert_eq!(read(&with(name, json!("https://u@id.example/")), true).unwrap_err(), Unfit::Lacks(name));
        }
        assert_eq!(read(&with("token_endpoint", Value::Null), true).unwrap_err(), Unfit::Lacks("token_endpoint"));
    }

    #[test]
    fn a_stolen_code_must_be_good_for_nothing() {
        for methods in [json!([]), json!(["plain"])] {
            let document = with("code_challenge_methods_supported", methods);
            assert_eq!(read(&document, true).unwrap_err(), Unfit::NoChallenge, "{document}");
        }
        let silent = with("code_challenge_methods_supported", Value::Null);
        assert_eq!(read(&silent, false).unwrap_err(), Unfit::NoChallenge);
        assert!(read(&silent, true).is_ok());
    }

    #[test]
    fn the_secret_is_shown_in_a_way_that_the_provider_takes() {
        let methods = |methods: Value| with("token_endpoint_auth_methods_supported", methods);
        let shown = |methods: Value| read(&methods, true).map(|found| found.shows_secret);
        assert!(matches!(shown(complete()), Ok(AuthType::BasicAuth)));
        let both = methods(json!(["client_secret_post", "client_secret_basic"]));
        assert!(matches!(shown(both), Ok(AuthType::BasicAuth)));
        assert!(matches!(shown(methods(json!(["client_secret_post"]))), Ok(AuthType::RequestBody)));
        assert_eq!(read(&methods(json!(["private_key_jwt"])), true).unwrap_err(), Unfit::NoSecrets);
        assert!(read(&methods(json!(["none"])), false).is_ok());
    }
}
