//! A page with a script: on it a member switches on notes in a browser (Web Push). The browser alone can subscribe at its
//! push service, and only a script can ask it to; the page says so, and its list works without.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue};
use actix_web::web::Data;
use askama::Template;
use uuid::Uuid;

use crate::delivery::member::Subscription;
use crate::domain::settings::Change;
use crate::domain::telling::Channel;
use crate::readings::settings::change_settings;
use crate::store::BrowserRow;
use crate::telling::SUBSCRIPTION_COLUMN;
use crate::web::State;
use crate::web::portal::assets::PUSH_WORKER;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to_saying, page_with};
use crate::web::portal::own::Own;

/// In how many browsers a member can be told.
const MOST: usize = 10;

/// As everywhere, and one script, of this very page, which may have a worker of this portal.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; worker-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[derive(Template)]
#[template(path = "push.html")]
struct PushPage {
    frame: Frame,
    /// What is wrong: the key of a text.
    wrong: Option<&'static str>,
    /// The address of the script.
    script: String,
    /// For what browsers subscribe.
    key: String,
    /// Where it is switched on: each with its id, and since when.
    browsers: Vec<(Uuid, String)>,
}

/// Shows it.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    shown(&state, frame, &session, None).await
}

async fn shown(
    state: &State,
    frame: Frame,
    session: &Session,
    wrong: Option<&'static str>,
) -> Result<HttpResponse, PortalError> {
    let key = state.bridge.signing.push().filter(|_| state.portal.push.is_some()).ok_or(PortalError::NotFound)?;
    let mut tx = state.bridge.store.read().await?;
    let days = Own::open(&state.bridge, &mut tx, session.member).await?.days();
    let rows = tx.subscriptions(session.member).await?.into_iter();
    let browsers = rows.map(|row| (row.id, frame.date(days.day_of(row.created_at)))).collect();
    let (script, key) = (state.portal.assets.url("push.js"), key.public().to_owned());
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut answer = page_with(status, &PushPage { frame, wrong, script, key, browsers })?;
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(answer)
}

/// Switches it on in the browser that sends this.
pub async fn on(state: Data<State>, frame: Frame, posted: Posted) -> Result<HttpResponse, PortalError> {
    let services = state.portal.push.as_ref().ok_or(PortalError::NotFound)?;
    let [endpoint, p256dh, auth] = ["endpoint", "p256dh", "auth"].map(|name| posted.fields.text(name));
    let subscription = Subscription::new(endpoint, p256dh, auth).ok();
    let Some(subscription) = subscription.filter(|it| services.allows(&it.endpoint)) else {
        return shown(&state, frame, &posted.session, Some("push-wrong")).await;
    };
    let (keyring, now) = (&state.bridge.keyring, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    // Two windows at once do not get past the most.
    tx.lock_member(posted.session.member).await?;
    let own = Own::open(&state.bridge, &mut tx, posted.session.member).await?;
    let address = keyring.index().index("push-address", &[subscription.endpoint.as_str().as_bytes()]);
    if tx.subscriptions(posted.session.member).await?.len() >= MOST {
        drop(tx);
        return shown(&state, frame, &posted.session, Some("push-most")).await;
    }
    let id = keyring.entropy().uuid(now).map_err(|error| PortalError::internal(&error))?;
    let plain = serde_json::to_vec(&subscription).map_err(|error| PortalError::internal(&error))?;
    let sealed = own.key.seal(SUBSCRIPTION_COLUMN, id.as_bytes(), &plain);
    let sealed = sealed.map_err(|error| PortalError::internal(&error))?;
    tx.put_subscription(posted.session.member, &BrowserRow { id, sealed, created_at: now }, address).await?;
    change_settings(&mut tx, &own.key, Change { opened: Some(Channel::Push), ..Change::default() }, now).await?;
    tx.commit().await?;
    Ok(go_to_saying("/settings/push", "flash-push-on"))
}

/// Switches it off in a browser.
pub async fn off(state: Data<State>, posted: Posted) -> Result<HttpResponse, PortalError> {
    let id: Uuid = posted.fields.text("browser").parse().map_err(|_| PortalError::BadForm)?;
    let mut tx = state.bridge.store.begin().await?;
    // One that is gone already is off as well.
    tx.delete_subscription(posted.session.member, id).await?;
    tx.commit().await?;
    Ok(go_to_saying("/settings/push", "flash-push-off"))
}

/// The worker that shows notes. Under an address that stays: browsers look there for a newer one.
pub async fn worker() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(PUSH_WORKER)
}
