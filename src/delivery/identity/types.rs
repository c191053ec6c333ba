//! The types of `openidconnect`, for a provider that says what RFC 8414 and RFC 9207 add, and for claims of any name.

use std::collections::BTreeMap;
use std::fmt;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AdditionalProviderMetadata, Client, EmptyExtraTokenFields, EndpointNotSet, EndpointSet, IdToken,
    IdTokenClaims, IdTokenFields, ProviderMetadata, StandardErrorResponse, StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a provider says beside what OpenID Connect asks for.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Besides {
    /// RFC 8414: whether PKCE is understood.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// RFC 9207: whether responses say whose they are.
    pub authorization_response_iss_parameter_supported: Option<bool>,
}

impl AdditionalProviderMetadata for Besides {}

/// Claims that OpenID Connect does not name. Personal.
#[derive(Default, Serialize, Deserialize)]
pub struct Others {
    #[serde(flatten)]
    by_name: BTreeMap<String, Value>,
}

impl Others {
    /// A claim, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.by_name.get(name).and_then(Value::as_str)
    }
}

impl Others {
    /// Whether a claim is one of these texts, or a list with one of them in it.
    pub fn has(&self, name: &str, any_of: &[String]) -> bool {
        let is_one = |said: &Value| said.as_str().is_some_and(|said| any_of.iter().any(|one| one == said));
        match self.by_name.get(name) {
            Some(Value::Array(said)) => said.iter().any(is_one),
            Some(said) => is_one(said),
            None => false,
        }
    }
}

impl AdditionalClaims for Others {}

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Others(..)")
    }
}

/// A provider's configuration, as it was written.
pub type Metadata = ProviderMetadata<
    Besides,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What an ID token says.
pub type Claims = IdTokenClaims<Others, CoreGenderClaim>;

/// An ID token, not verified yet.
pub type Token = IdToken<Others, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// What a code was exchanged for.
pub type Answer = StandardTokenResponse<Fields, CoreTokenType>;

/// What a token endpoint says when it gives nothing.
pub type Refusal = StandardErrorResponse<CoreErrorResponseType>;

/// A client that knows where browsers are sent (`A`), and where codes are exchanged (`T`).
pub type OidcClient<A = EndpointSet, T = EndpointSet> = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    Refusal,
    Answer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    A,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    T,
    EndpointNotSet,
>;
