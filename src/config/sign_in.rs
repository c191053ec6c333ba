//! How people sign in at an identity provider (OpenID Connect): members at their community's, staff at their clinic's.

use std::path::PathBuf;

use openidconnect::IssuerUrl;
use serde::Deserialize;
use url::Url;

use super::ConfigError;
use super::auth::{checked_hosts, is_client_id, tidy_scopes};

/// Claims that name no member of a community: whoever controls a mailbox or a telephone, or has the same name, would be
/// taken for somebody else.
const NO_HANDLES: [&str; 17] = [
    "acr",
    "amr",
    "aud",
    "azp",
    "birthdate",
    "email",
    "email_verified",
    "exp",
    "family_name",
    "given_name",
    "iat",
    "iss",
    "middle_name",
    "name",
    "nickname",
    "nonce",
    "phone_number",
];

/// The settings of an identity provider.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct SignIn {
    /// Who it is, exactly as it writes itself.
    pub issuer: IssuerUrl,
    /// The name under which it registered this bridge.
    pub client_id: String,
    /// The file with the client secret; without it, the bridge is a public client.
    pub secret_file: Option<PathBuf>,
    /// What is asked for, as in the OAuth parameter `scope`.
    pub scopes: String,
    /// The claim that is the member's handle in the community; without it, members connect their account themselves.
    pub handle: Option<String>,
    /// Hosts, beside that of the issuer, where the provider's addresses may be.
    pub hosts: Vec<String>,
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    issuer: String,
    client_id: Option<String>,
    secret_file: Option<PathBuf>,
    scopes: Option<String>,
    handle: Option<String>,
    hosts: Option<Vec<String>>,
}

impl TryFrom<Written> for SignIn {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { issuer, client_id, secret_file, scopes, handle, hosts } = written;
        let client_id = client_id.filter(|id| is_client_id(id));
        let scopes = tidy_scopes(scopes.as_deref().unwrap_or("openid"), is_scope);
        if handle.as_deref().is_some_and(|claim| !is_handle(claim)) {
            return Err(NO_HANDLE);
        }
        Ok(Self {
            issuer: IssuerUrl::new(issuer).ok().filter(|issuer| is_issuer(issuer.url())).ok_or(
                "expected issuer as an http(s) URL without user, password, query and fragment, exactly as the provider \
                 writes it",
            )?,
            client_id: client_id.ok_or("expected client_id: the name the provider registered you under")?,
            secret_file,
            scopes: scopes
                .filter(|scopes| scopes.split(' ').any(|scope| scope == "openid"))
                .ok_or("expected scopes with openid among them, parted by spaces, and without offline_access")?,
            handle,
            hosts: checked_hosts(hosts, "expected hosts as names of hosts, without scheme, port and path")?,
        })
    }
}

/// What `handle` must be.
const NO_HANDLE: &str = "expected handle as the claim that holds the name under which the community's events know the \
     member, such as sub or preferred_username, and nothing that somebody else may have too (email, name)";

/// What a sign-in gives is used once and not kept: lasting access would be lent for nothing.
fn is_scope(scope: &str) -> bool {
    scope != "offline_access" && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

fn is_issuer(url: &Url) -> bool {
    let anonymous = url.username().is_empty() && url.password().is_none();
    let plain = url.query().is_none() && url.fragment().is_none() && anonymous;
    matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && plain
}

pub(super) fn is_handle(claim: &str) -> bool {
    !claim.is_empty() && claim.len() <= 255 && claim.trim() == claim && !NO_HANDLES.contains(&claim)
}

impl SignIn {
    /// Every host that is called, and where members may be sent.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        let own = self.issuer.url().host_str().map(str::to_owned);
        own.into_iter().chain(self.hosts.iter().cloned()).collect()
    }

    /// Refuses what cannot be; `section` is where it stands in the configuration.
    pub(super) fn check(&self, section: &str, private_networks: bool) -> Result<(), ConfigError> {
        if self.issuer.url().scheme() == "http" && !private_networks {
            return Err(ConfigError::Invalid {
                setting: format!("{section}.sign_in.issuer"),
                expected: "https (http is for delivery.private_networks = true only)",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn with(sign_in: &str) -> Result<SignIn, ConfigError> {
        let config =
            Config::from_toml(&format!("[communities.forum]\nname = \"F\"\n[communities.forum.sign_in]\n{sign_in}"))?;
        Ok(config.communities.values().next().unwrap().sign_in.clone().unwrap())
    }

    const PROVIDER: &str = "issuer = \"https://id.forum.example\"\nclient_id = \"mostik\"\n";

    #[test]
    fn a_provider_has_defaults_for_everything_but_who_it_is_and_the_client() {
        let sign_in = with(PROVIDER).unwrap();
        assert_eq!((sign_in.scopes.as_str(), sign_in.handle, sign_in.secret_file), ("openid", None, None));
        let more = with(&format!("{PROVIDER}hosts = [\"Login.example\"]\nhandle = \"preferred_username\"")).unwrap();
        assert_eq!(more.hosts(), ["id.forum.example", "login.example"]);
        assert_eq!(more.handle.as_deref(), Some("preferred_username"));
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_was_expected() {
        let client = "client_id = \"m\"\n";
        for (sign_in, expected) in [
            (client.to_owned(), "issuer"),
            (format!("{client}issuer = \"id.forum.example\""), "expected issuer"),
            (format!("{client}issuer = \"https://u:p@id.example\""), "expected issuer"),
            (format!("{client}issuer = \"https://id.example?a=b\""), "expected issuer"),
            (format!("{client}issuer = \"javascript:alert(1)\""), "expected issuer"),
            (format!("{client}issuer = \"http://id.example\""), "expected https"),
            ("issuer = \"https://id.example\"".to_owned(), "expected client_id"),
            (format!("{PROVIDER}scopes = \"profile\""), "expected scopes"),
            (format!("{PROVIDER}scopes = \"openid offline_access\""), "expected scopes"),
            (format!("{PROVIDER}handle = \"email\""), "expected handle"),
            (format!("{PROVIDER}handle = \"name\""), "expected handle"),
            (format!("{PROVIDER}handle = \"\""), "expected handle"),
            (format!("{PROVIDER}hosts = [\"https://login.example\"]"), "expected hosts"),
            (format!("{PROVIDER}secret = \"hunter2\""), "secret"),
        ] {
            let error = with(&sign_in).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{sign_in}: {error}");
        }
    }
}
