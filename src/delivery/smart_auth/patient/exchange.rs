//! Asks a token endpoint to renew what a member lent (RFC 6749, section 6). The `oauth2` crate forms the request and reads
//! the token; the request leaves by the one way out, and what is no token is read where Backend Services read it.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use oauth2::basic::{BasicClient, BasicTokenResponse, BasicTokenType};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, HttpRequest, HttpResponse, RefreshToken, RequestTokenError, TokenResponse,
    TokenUrl,
};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};

use super::tokens::TokenSet;
use crate::delivery::egress::Egress;
use crate::delivery::smart_auth::assertion::ASSERTION_TYPE;
use crate::delivery::smart_auth::discovery::AuthorizationServer;
use crate::delivery::smart_auth::error::TokenError;
use crate::delivery::smart_auth::flow::Flow;
use crate::delivery::smart_auth::token::{self, Asked};

/// Who asks, and where.
pub struct Exchange<'a> {
    pub egress: &'a Egress,
    pub server: &'a AuthorizationServer,
    pub client_id: &'a str,
    /// The assertion and the `kid` of the key that signed it; a public client has none.
    pub signed: Option<(SecretString, String)>,
    pub at: Timestamp,
}

impl Exchange<'_> {
    /// What takes the place of `tokens`, if the server renews them with `refresh`, which is theirs.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn renew(&self, tokens: &TokenSet, refresh: &SecretString) -> Result<TokenSet, TokenError> {
        let client = BasicClient::new(ClientId::new(self.client_id.to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.server.token_url.clone()));
        let refresh = RefreshToken::new(refresh.expose_secret().to_owned());
        let mut request = client.exchange_refresh_token(&refresh);
        if let Some((assertion, _)) = &self.signed {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion.expose_secret());
        }
        let way = Way { exchange: self, scopes: &tokens.scope };
        match request.request_async(&way).await {
            Ok(given) => self.read(&given, tokens).ok_or(TokenError::Unreadable),
            Err(RequestTokenError::Request(error)) => Err(error),
            // These may hold the answer, and with it a token.
            Err(_) => Err(TokenError::Unreadable),
        }
    }

    fn read(&self, given: &BasicTokenResponse, before: &TokenSet) -> Option<TokenSet> {
        let seconds = given.expires_in().map(|life| i64::try_from(life.as_secs()).unwrap_or(i64::MAX));
        let scope = given.scopes().map(|scopes| {
            let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            words.join(" ")
        });
        let rotated = given.refresh_token().map(RefreshToken::secret).filter(|token| !token.is_empty());
        let tokens = TokenSet {
            access: SecretString::from(given.access_token().secret().as_str()),
            // Without a new one, the old one stays good.
            refresh: rotated.map(|token| SecretString::from(token.as_str())).or_else(|| before.refresh.clone()),
            // Without a word about it, the same as before (RFC 6749, section 6).
            scope: scope.unwrap_or_else(|| before.scope.clone()),
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
