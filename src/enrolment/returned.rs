//! What a browser brings back from where it was sent to sign in: a clinic's server, or an identity provider (RFC 6749,
//! sections 4.1.2 and 4.1.2.1; RFC 9207).

use std::fmt;

use secrecy::SecretString;
use url::form_urlencoded;

/// The longest query that is read.
const MAX_QUERY: usize = 8 * 1024;

/// What a browser brought back. The code in it is secret.
pub struct Returned {
    state: SecretString,
    issuer: Option<String>,
    outcome: Result<SecretString, Declined>,
}

/// What can be no answer: no `state`, or a parameter twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected an answer of a server: a state, and each parameter once")]
pub struct NoAnswer;

/// Why a server gave no code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Declined {
    /// The member said no, or may not.
    #[error("access_denied")]
    ByMember,
    /// The server does not grant what was asked for.
    #[error("invalid_scope")]
    Scope,
    /// The server does not let this bridge ask.
    #[error("unauthorized_client")]
    Client,
    /// The server is broken or busy.
    #[error("server_error or temporarily_unavailable")]
    Unavailable,
    /// Anything else, also nothing at all.
    #[error("another error")]
    Other,
}

impl Returned {
    /// Reads the query with which a browser came back.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn read(query: &str) -> Result<Self, NoAnswer> {
        if query.len() > MAX_QUERY {
            return Err(NoAnswer);
        }
        let [mut state, mut code, mut error, mut issuer] = [None, None, None, None];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*name {
                "state" => &mut state,
                "code" => &mut code,
                "error" => &mut error,
                "iss" => &mut issuer,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(NoAnswer);
            }
        }
        let outcome = match (error, code.filter(|code| !code.is_empty())) {
            (Some(error), _) => Err(Declined::from_name(&error)),
            (None, Some(code)) => Ok(SecretString::from(code)),
            (None, None) => Err(Declined::Other),
        };
        let state = SecretString::from(state.ok_or(NoAnswer)?);
        Ok(Self { state, issuer, outcome })
    }

    /// Which walk of the browser it belongs to.
    pub(super) const fn state(&self) -> &SecretString {
        &self.state
    }

    /// Who the server says it is.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The code.
    pub(super) fn code(&self) -> Result<&SecretString, Declined> {
        self.outcome.as_ref().map_err(|declined| *declined)
    }
}

impl Declined {
    fn from_name(name: &str) -> Self {
        match name {
            "access_denied" => Self::ByMember,
            "invalid_scope" => Self::Scope,
            "unauthorized_client" => Self::Client,
            "server_error" | "temporarily_unavailable" => Self::Unavailable,
            _ => Self::Other,
        }
    }
}

impl fmt::Debug for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Returned(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_code_and_an_error_are_read_and_what_is_not_known_is_ignored() {
        let good = Returned::read("code=a%2Bb&state=s&iss=https%3A%2F%2Fas.example&session_state=x&lang=ru").unwrap();
        assert_eq!((good.code().unwrap().expose_secret(), good.state().expose_secret()), ("a+b", "s"));
        assert_eq!(good.issuer(), Some("https://as.example"));
        for (query, declined) in [
            ("state=s&error=access_denied&error_description=Alex+Example+said+no", Declined::ByMember),
            ("state=s&error=invalid_scope", Declined::Scope),
            ("state=s&error=unauthorized_client", Declined::Client),
            ("state=s&error=temporarily_unavailable", Declined::Unavailable),
            ("state=s&error=login_required", Declined::Other),
            ("state=s&error=access_denied&code=c", Declined::ByMember),
            ("state=s&code=", Declined::Other),
            ("state=s", Declined::Other),
        ] {
            let returned = Returned::read(query).unwrap();
            assert_eq!(returned.code().map(drop), Err(declined), "{query}");
        }
    }

    #[test]
    fn what_can_be_no_answer_is_none() {
        for query in ["", "code=c", "state=s&state=t&code=c", "state=s&code=c&code=d", "state=s&code=c&iss=a&iss=b"] {
            assert_eq!(Returned::read(query).map(drop), Err(NoAnswer), "{query}");
        }
        let long = format!("state=s&code={}", "c".repeat(MAX_QUERY));
        assert_eq!(Returned::read(&long).map(drop), Err(NoAnswer));
        assert_eq!(format!("{:?}", Returned::read("state=s&code=secret").unwrap()), "Returned(..)");
    }
}
