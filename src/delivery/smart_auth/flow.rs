//! The two ways to a token, and what each needs of a server.

use std::fmt;

/// How tokens come to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// The bridge's own access (SMART App Launch 2.2.0, backend services).
    BackendServices,
    /// What a member lends by a standalone launch (SMART App Launch 2.2.0, app launch), renewed with a refresh token.
    Patient {
        /// Whether the bridge proves by a signed assertion which client it is; otherwise it is a public one.
        signed: bool,
    },
}

impl Flow {
    /// Where its clinical scopes begin.
    #[must_use]
    pub const fn context(self) -> &'static str {
        match self {
            Self::BackendServices => "system",
            Self::Patient { .. } => "patient",
        }
    }

    /// Whether requests for tokens carry an assertion.
    #[must_use]
    pub const fn signed(self) -> bool {
        match self {
            Self::BackendServices => true,
            Self::Patient { signed } => signed,
        }
    }

    /// What of `grant_types_supported` it needs, in words for the one who misses it.
    #[must_use]
    pub const fn grant_type(self) -> (&'static str, &'static str) {
        match self {
            Self::BackendServices => ("client_credentials", "client_credentials in grant_types_supported"),
            Self::Patient { .. } => ("authorization_code", "authorization_code in grant_types_supported"),
        }
    }

    /// What of `capabilities` belongs to it, in words for the one who misses it.
    #[must_use]
    pub const fn capabilities(self) -> &'static [(&'static str, &'static str)] {
        const SIGNED: (&str, &str) =
            ("client-confidential-asymmetric", "client-confidential-asymmetric in capabilities");
        const PUBLIC: (&str, &str) = ("client-public", "client-public in capabilities");
        const LAUNCH: (&str, &str) = ("launch-standalone", "launch-standalone in capabilities");
        const CONTEXT: (&str, &str) = ("context-standalone-patient", "context-standalone-patient in capabilities");
        const PATIENT: (&str, &str) = ("permission-patient", "permission-patient in capabilities");
        const OFFLINE: (&str, &str) = ("permission-offline", "permission-offline in capabilities");
        match self {
            Self::BackendServices => &[SIGNED],
            Self::Patient { signed: true } => &[SIGNED, LAUNCH, CONTEXT, PATIENT, OFFLINE],
            Self::Patient { signed: false } => &[PUBLIC, LAUNCH, CONTEXT, PATIENT, OFFLINE],
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BackendServices => "Backend Services",
            Self::Patient { .. } => "standalone launches by patients",
        })
    }
}
