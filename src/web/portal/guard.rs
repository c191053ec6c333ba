//! The door of the portal: what is the same for every page. Whose host, whose form, who is there; and the headers that
//! keep a page to itself.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    SET_COOKIE, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::caller::Caller;
use super::cookies::{FLASH, VISIT};
use super::error::PortalError;
use super::frame::{Frame, page_with};
use crate::web::{State, clinic, moderate};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    title: &'static str,
    more: &'static str,
    seconds: u64,
}

/// Lets a request in, and its answer out.
pub async fn keep(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Not a page, and not from a browser: a program that lost its way in the API.
    if request.match_pattern().is_none() && !wants_html(request.request()) {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    let Some(state) = request.app_data::<Data<State>>().cloned() else { return Err(PortalError::Internal.into()) };
    let answer = match enter(&state, request.request()).await {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(error) => request.into_response(HttpResponse::from_error(error)),
    };
    let mut answer = in_words(answer);
    let request = answer.request().clone();
    finish(&request, &mut answer);
    Ok(answer)
}

/// Whether a request may come in at all; then who sends it is known to everything after.
async fn enter(state: &State, request: &HttpRequest) -> Result<(), PortalError> {
    if !state.portal.origin.is_addressed(request) {
        return Err(PortalError::WrongHost);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) && !state.portal.origin.is_own(request) {
        return Err(PortalError::ForeignForm);
    }
    let caller = Caller::find(state, request).await?;
    request.extensions_mut().insert(caller);
    Ok(())
}

/// Makes a page of an error.
fn in_words(answer: ServiceResponse) -> ServiceResponse {
    let Some(error) = answer.response().error().and_then(|error| error.as_error::<PortalError>()).copied() else {
        return answer;
    };
    let request = answer.into_parts().0;
    let page = error_page(&request, error);
    ServiceResponse::new(request, page)
}

fn error_page(request: &HttpRequest, error: PortalError) -> HttpResponse {
    if error == PortalError::SignInFirst && clinic::is_here(request.path()) {
        return super::frame::go_to(clinic::SIGN_IN);
    }
    if error == PortalError::SignInFirst && moderate::is_here(request.path()) {
        return super::frame::go_to(moderate::SIGN_IN);
    }
    if error == PortalError::SignInFirst {
        let mut answer = super::frame::go_to("/sign-in");
        super::asked_for::keep(request, &mut answer);
        return answer;
    }
    let (title, more) = match error {
        PortalError::ChangedMeanwhile if clinic::is_here(request.path()) => ("error-meanwhile", "clinic-meanwhile"),
        PortalError::ChangedMeanwhile if moderate::is_here(request.path()) => ("error-meanwhile", "moderate-meanwhile"),
        error => error.texts(),
    };
    let seconds = if let PortalError::TooOften(seconds) = error { seconds } else { 0 };
    // Whoever could not come in has no frame; they are told in as few words as possible.
    let page = Frame::of(request)
        .and_then(|frame| page_with(error.status_code(), &ErrorPage { frame, title, more, seconds }))
        .unwrap_or_else(|_| bare_page(request, error));
    let mut page = page;
    if seconds > 0 {
        page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    page
}

/// An error without anything around it: no form, no link.
fn bare_page(request: &HttpRequest, error: PortalError) -> HttpResponse {
    let language = super::frame::language(request);
    let (title, more) = error.texts();
    let words = request.app_data::<Data<State>>().map_or_else(String::new, |state| {
        let say = |key| state.portal.texts.say(language, key, &[]);
        format!("{}\n\n{}\n", say(title), say(more))
    });
    HttpResponse::build(error.status_code()).content_type("text/plain; charset=utf-8").body(words)
}

/// Headers and cookies of the portal's answers, beside those that every answer has.
fn finish(request: &HttpRequest, answer: &mut ServiceResponse) {
    let leads_on = answer.response().headers().contains_key(LOCATION);
    let headers = answer.response_mut().headers_mut();
    if let Ok(caller) = Caller::of(request)
        && caller.is_new
    {
        append_cookie(headers, &VISIT.set(&caller.visit));
    }
    // Said once: on the page that the browser was led to.
    if FLASH.of(request).is_some() && !leads_on && !request.path().starts_with("/assets/") {
        append_cookie(headers, &FLASH.clear());
    }
    // A page that has a script says so itself.
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    for (name, value) in FIXED {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Not `no-referrer`: then browsers do not say either where a form comes from.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}

/// Nothing from elsewhere, no script at all, nothing inline. Forms lead to the portal alone, and browsers look at it again
/// when the answer to a form leads on: a page that leads to another site has a link there.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const FIXED: [(&str, &str); 4] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("x-robots-tag", "noindex, nofollow"),
];

fn append_cookie(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        headers.append(SET_COOKIE, value);
    }
}

/// Whether a browser asks, and not a program.
pub fn wants_html(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
