//! `POST /fhir/token`: a clinic's system shows an assertion and is given a token (RFC 6749, section 4.4; RFC 7523; SMART
//! App Launch 2.2.0, Backend Services).

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, PRAGMA, RETRY_AFTER};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::outcome::seconds;
use super::parameters::pairs;
use super::refusals::Knock;
use crate::delivery::smart_auth::scopes;
use crate::enrolment::clinic_access::{LIFETIME, Proven, Refused, Stranger, give};
use crate::web::{Problem, State, body};

/// What `client_assertion_type` says (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long to wait for a clinic's keys, in seconds.
const KEYS_AWAY_FOR: u32 = 10;

/// A token (RFC 6749, section 5.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
}

/// No token (RFC 6749, section 5.2).
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenRefusal {
    error: &'static str,
    error_description: String,
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// What is asked for.
struct Asked {
    assertion: String,
    client_id: Option<String>,
    scope: String,
}

/// Gives a clinic's system a token for a signed assertion.
#[utoipa::path(
    tag = "clinics",
    request_body(
        content((serde_json::Value = "application/x-www-form-urlencoded")),
        description = "`grant_type=client_credentials`, `scope`, `client_assertion_type` and `client_assertion`.",
    ),
    responses(
        (status = 200, description = "A token for five minutes", body = TokenAnswer),
        (status = 400, description = "RFC 6749, section 5.2", body = TokenRefusal),
        (status = 413, description = "More than 16 KiB", body = TokenRefusal),
        (status = 429, description = "Not so often: the same again after `Retry-After`", body = TokenRefusal),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = TokenRefusal),
    ),
)]
#[post("/fhir/token")]
pub async fn token(state: Data<State>, request: HttpRequest, payload: Payload) -> HttpResponse {
    match answer(&state, &request, payload).await {
        Ok(answer) => HttpResponse::Ok().insert_header((PRAGMA, "no-cache")).json(answer),
        Err(refusal) => refusal.response(),
    }
}

async fn answer(state: &State, request: &HttpRequest, payload: Payload) -> Result<TokenAnswer, TokenRefusal> {
    let form = body::form(request, payload).await.map_err(|problem| TokenRefusal::unreadable(&problem))?;
    if request.headers().contains_key(AUTHORIZATION) {
        return Err(TokenRefusal::bad_request("invalid_request", "expected one way to say who asks: client_assertion"));
    }
    let asked = Asked::read(&pairs(&form))?;
    let now = state.bridge.clock.now();
    let proven = match state.fhir.clients.authenticate(&asked.assertion, now).await {
        Ok(proven) => proven,
        Err(stranger) => return Err(state.fhir.refuse(&stranger, request)),
    };
    let known = Knock {
        clinic: Some(proven.clinic.clone()),
        client: Some(proven.client_id.to_owned()),
        is_proven: true,
        why: None,
    };
    known.clone().keep(request);
    if asked.client_id.is_some_and(|client_id| client_id != proven.client_id) {
        return Err(TokenRefusal::bad_request("invalid_request", "expected client_id as in the assertion, or none"));
    }
    state.fhir.tokens.check(proven.clinic).map_err(TokenRefusal::too_often)?;
    let granted = scopes::granted(&asked.scope, proven.scopes);
    if granted.is_empty() {
        Knock { why: Some("scope".to_owned()), ..known }.keep(request);
        let expected = format!("expected scope among: {}", proven.scopes);
        return Err(TokenRefusal::bad_request("invalid_scope", expected));
    }
    let access_token = keep(state, &proven, &granted).await.map_err(|problem| TokenRefusal::unreadable(&problem))?;
    let access_token = access_token.ok_or_else(|| {
        state.fhir.refuse(&Stranger { claims: Some(proven.clinic.clone()), why: Refused::Replayed }, request)
    })?;
    tracing::info!(clinic_id = %proven.clinic, scopes = granted, "a token for the clinic's system");
    Ok(TokenAnswer { access_token, token_type: "bearer", expires_in: LIFETIME.as_secs(), scope: granted })
}

/// Uses the assertion up for a token. `None`: it was used up before.
async fn keep(state: &State, proven: &Proven<'_>, granted: &str) -> Result<Option<String>, Problem> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let given = give(&mut tx, &state.bridge.keyring, proven, granted.to_owned(), now).await;
    let given = given.map_err(|error| Problem::internal(&error))?;
    tx.commit().await?;
    Ok(given)
}

impl Asked {
    fn read(form: &[(String, String)]) -> Result<Self, TokenRefusal> {
        let bad_request = |words: &str| TokenRefusal::bad_request("invalid_request", words);
        let one = |name: &str| {
            let mut found = form.iter().filter(|(key, value)| key == name && !value.is_empty());
            let first = found.next().map(|(_, value)| value.as_str());
            if found.next().is_some() { Err(bad_request("expected each parameter once")) } else { Ok(first) }
        };
        match one("grant_type")? {
            Some("client_credentials") => {}
            Some(_) => {
                let words = "expected grant_type client_credentials";
                return Err(TokenRefusal::bad_request("unsupported_grant_type", words));
            }
            None => return Err(bad_request("expected grant_type")),
        }
        if one("client_secret")?.is_some() || one("client_assertion_type")? != Some(ASSERTION_TYPE) {
            return Err(bad_request(
                "expected client_assertion_type urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ));
        }
        let assertion = one("client_assertion")?.ok_or_else(|| bad_request("expected client_assertion"))?.to_owned();
        let client_id = one("client_id")?.map(str::to_owned);
        Ok(Self { assertion, client_id, scope: one("scope")?.unwrap_or_default().to_owned() })
    }
}

impl super::Door {
    /// What a stranger is told, once the logs were. Who has not proven who they are learns nothing about clients and keys.
    fn refuse(&self, stranger: &Stranger, request: &HttpRequest) -> TokenRefusal {
        let why = Some(stranger.why.to_string());
        Knock { clinic: stranger.claims.clone(), client: None, is_proven: false, why }.keep(request);
        if let Err(wait) = self.strangers.check(&stranger.claims) {
            return TokenRefusal::too_often(wait);
        }
        let clinic_id = stranger.claims.as_ref().map(ToString::to_string);
        tracing::warn!(clinic_id, why = %stranger.why, "no token for a clinic's system");
        let words = match stranger.why {
            Refused::Unreadable | Refused::Algorithm => {
                "expected client_assertion as a JWT signed with RS384 or ES384, with a kid".to_owned()
            }
            Refused::UnknownClient | Refused::KeysElsewhere | Refused::UnknownKey | Refused::Signature => {
                "nobody is registered here under this iss with the key that signed".to_owned()
            }
            Refused::Claims => "expected iss = sub = client_id, aud, exp and jti".to_owned(),
            Refused::Audience => format!("expected aud {}", self.clients.token_url()),
            Refused::Expired => "expected exp in the future: compare the clocks".to_owned(),
            Refused::TooFarAhead => "expected exp at most five minutes ahead: compare the clocks".to_owned(),
            Refused::Replayed => "expected a jti that was not used before".to_owned(),
            Refused::KeysAway => return TokenRefusal::keys_away(),
        };
        TokenRefusal::bad_request("invalid_client", words)
    }
}

impl TokenRefusal {
    fn bad_request(error: &'static str, words: impl Into<String>) -> Self {
        Self { error, error_description: words.into(), status: StatusCode::BAD_REQUEST, retry_after: None }
    }

    fn too_often(wait: std::time::Duration) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let retry_after = Some(seconds(wait));
        Self {
            status,
            retry_after,
            ..Self::bad_request("slow_down", "asked too often: keep a token for its five minutes")
        }
    }

    fn keys_away() -> Self {
        let words = "the public keys at the registered address cannot be had at present";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, retry_after: Some(KEYS_AWAY_FOR.into()), ..Self::bad_request("temporarily_unavailable", words) }
    }

    /// A body that was not read, or something on this side.
    fn unreadable(problem: &Problem) -> Self {
        let (status, retry_after) = (problem.status_code(), problem.wait().map(u64::from));
        let error = if status.is_server_error() { "server_error" } else { "invalid_request" };
        let words = problem.detail.clone().unwrap_or_default().replace(['"', '\\', '`'], "'");
        Self { status, retry_after, ..Self::bad_request(error, words) }
    }

    fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.insert_header((PRAGMA, "no-cache"));
        response.json(self)
    }
}
