//! Asks a token endpoint for what a member lends: against a launch's code, or against what was lent before (RFC 6749,
//! sections 4.1.3 and 6). The `oauth2` crate forms the request and reads the token; the request leaves by the one way out,
//! and what is no token is read where Backend Services read it.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, AuthorizationCode, Client, ClientId, EndpointNotSet, EndpointSet, ExtraTokenFields,
    HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::assertion::{ASSERTION_TYPE, assertion};
use super::discovery::AuthorizationServer;
use super::error::TokenError;
use super::flow::Flow;
use super::patient::TokenSet;
use super::token::{self, Asked};
use crate::delivery::egress::Egress;
use crate::domain::entropy::Entropy;
use crate::vault::signing::SigningKeys;

/// Who asks, and where.
pub struct Exchange<'a> {
    egress: &'a Egress,
    server: &'a AuthorizationServer,
    client_id: &'a str,
    /// The assertion and the `kid` of the key that signed it; a public client has none.
    signed: Option<(SecretString, String)>,
    at: Timestamp,
}

/// What a code was exchanged for.
pub struct Redeemed {
    /// The tokens.
    pub tokens: TokenSet,
    /// Whether the answer says which scopes were granted.
    pub says_scope: bool,
    /// Which Patient, as the server wrote it. Personal.
    pub patient: Option<Value>,
    /// Who signed in, not checked yet.
    pub id_token: Option<SecretString>,
}

/// What SMART and OpenID Connect add to a token response.
#[derive(Default, Serialize, Deserialize)]
struct Launched {
    patient: Option<Value>,
    #[serde(skip_serializing)]
    id_token: Option<SecretString>,
}

type Answer = StandardTokenResponse<Launched, BasicTokenType>;

/// A client of the `oauth2` crate that reads what SMART adds.
type LaunchClient = Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

impl<'a> Exchange<'a> {
    /// For the client `client_id`, which signs who it is if there is something to sign with. Good for one request.
    ///
    /// # Errors
    /// [`TokenError`] when nothing can be signed.
    pub fn new(
        egress: &'a Egress,
        server: &'a AuthorizationServer,
        client_id: &'a str,
        signs_with: Option<(&SigningKeys, &Entropy)>,
        at: Timestamp,
    ) -> Result<Self, TokenError> {
        let sign = |(keys, entropy): (&SigningKeys, &Entropy)| {
            let key = keys.active(at, |algorithm| server.accepts(algorithm)).ok_or(TokenError::NoKey)?;
            Ok((assertion(&key, client_id, &server.token_endpoint, entropy, at)?, key.kid().to_owned()))
        };
        let signed = signs_with.map(sign).transpose()?;
        Ok(Self { egress, server, client_id, signed, at })
    }

    /// What takes the place of `tokens`, if the server renews them with `refresh`, which is theirs.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn renew(&self, tokens: &TokenSet, refresh: &SecretString) -> Result<TokenSet, TokenError> {
        let refresh_token = RefreshToken::new(refresh.expose_secret().to_owned());
        let client = self.client();
        let mut request = client.exchange_refresh_token(&refresh_token);
        for (name, value) in self.proof() {
            request = request.add_extra_param(name, value);
        }
        let given = request.request_async(&Way { exchange: self, scopes: &tokens.scope }).await.map_err(failed)?;
        // Without a new one, the old one stays good; without a word about scopes, they are the same as before.
        self.tokens(&given, Some(refresh), &tokens.scope).ok_or(TokenError::Unreadable)
    }

    /// What the server gives for the code that a browser brought back to `redirect_uri`.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn redeem(
        &self,
        code: &SecretString,
        verifier: &SecretString,
        redirect_uri: &Url,
        scopes: &str,
    ) -> Result<Redeemed, TokenError> {
        let client = self.client();
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(redirect_uri.clone())));
        for (name, value) in self.proof() {
            request = request.add_extra_param(name, value);
        }
        let given = request.request_async(&Way { exchange: self, scopes }).await.map_err(failed)?;
        let tokens = self.tokens(&given, None, scopes).ok_or(TokenError::Unreadable)?;
        let Launched { patient, id_token } = given.extra_fields();
        Ok(Redeemed {
            tokens,
            says_scope: given.scopes().is_some(),
            patient: patient.clone(),
            id_token: id_token.clone(),
        })
    }

    /// Gives a token back at the server's revocation endpoint (RFC 7009). Returns whether it took it.
    pub async fn give_back(&self, endpoint: &Url, token: &SecretString, kind: &'static str) -> bool {
        let mut form = vec![("token", token.expose_secret()), ("token_type_hint", kind), ("client_id", self.client_id)];
        form.extend(self.proof());
        let (name, value) = token::ACCEPT_JSON;
        let request = self.egress.request(Method::POST, endpoint.clone()).header(name, value).form(&form);
        self.egress.send(request).await.is_ok_and(|answer| answer.status == 200)
    }

    fn client(&self) -> LaunchClient {
        Client::new(ClientId::new(self.client_id.to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.server.token_url.clone()))
    }

    /// What proves which client asks.
    fn proof(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let assertion = self.signed.as_ref().map(|(assertion, _)| assertion.expose_secret());
        assertion
            .into_iter()
            .flat_map(|assertion| [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)])
    }

    fn tokens(&self, given: &Answer, before: Option<&SecretString>, scope: &str) -> Option<TokenSet> {
        let seconds = given.expires_in().map(|life| i64::try_from(life.as_secs()).unwrap_or(i64::MAX));
        let granted = given.scopes().map(|scopes| {
            let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            words.join(" ")
        });
        let refresh = given.refresh_token().map(RefreshToken::secret).filter(|token| !token.is_empty());
        let tokens = TokenSet {
            access: SecretString::from(given.access_token().secret().as_str()),
            refresh: refresh.map(|token| SecretString::from(token.as_str())).or_else(|| before.cloned()),
            // A server that grants all that was asked for need not say so (RFC 6749, sections 5.1 and 6).
            scope: granted.unwrap_or_else(|| scope.to_owned()),
            issuer: self.server.issuer(),
            issued_at: self.at,
            expires_at: TokenSet::end(self.at, seconds)?,
        };
        let usable = matches!(given.token_type(), BasicTokenType::Bearer) && tokens.access_token(self.flow()).is_some();
        usable.then_some(tokens)
    }

    const fn flow(&self) -> Flow {
        Flow::Patient { signed: self.signed.is_some() }
    }
}

/// What went wrong at the way out is known; the other errors may hold the answer, and with it a token.
fn failed(error: RequestTokenError<TokenError, BasicErrorResponse>) -> TokenError {
    match error {
        RequestTokenError::Request(error) => error,
        _ => TokenError::Unreadable,
    }
}

impl ExtraTokenFields for Launched {}

impl fmt::Debug for Launched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Launched(..)")
    }
}

/// The way out, as the `oauth2` crate wants it.
struct Way<'a> {
    exchange: &'a Exchange<'a>,
    scopes: &'a str,
}

impl Way<'_> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TokenError> {
        let Exchange { egress, server, client_id, signed, at } = self.exchange;
        let (parts, body) = request.into_parts();
        let request = egress.request(Method::POST, server.token_url.clone()).headers(parts.headers).body(body);
        let answer = egress.send(request).await.map_err(|cause| TokenError::no_answer(&server.token_url, cause))?;
        let kid = signed.as_ref().map_or("", |(_, kid)| kid);
        let (scopes, token_endpoint, flow) = (self.scopes, &server.token_endpoint, self.exchange.flow());
        let given = token::given(&Asked { client_id, scopes, kid, token_endpoint, at: *at, flow }, answer)?;
        // Without its headers: a token is not lost, together with what it was renewed from, for a wrong Content-Type.
        Ok(HttpResponse::new(given.body))
    }
}

impl<'c> AsyncHttpClient<'c> for Way<'_> {
    type Error = TokenError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TokenError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
