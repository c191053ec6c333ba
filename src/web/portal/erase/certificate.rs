//! The certificate of an erasure, for whoever has its secret: its member has no account any more. The secret comes in a
//! form, and never stands in an address.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Data;
use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;

use crate::consent::words::{instant, method};
use crate::domain::consented::Method;
use crate::domain::ids::ClinicId;
use crate::domain::language::Language;
use crate::erasure;
use crate::store::{Erasure, ErasureState};
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::PostedByAnyone;
use crate::web::portal::frame::{Frame, page, page_with};

#[derive(Template)]
#[template(path = "certificate_ask.html")]
struct AskPage {
    frame: Frame,
    is_wrong: bool,
}

#[derive(Template)]
#[template(path = "certificate.html")]
struct CertificatePage {
    frame: Frame,
    secret: String,
    /// How the erasure stands: the key of its words.
    standing: &'static str,
    is_done: bool,
    certificate: Option<Told>,
    /// Where the keys are with which it is checked.
    keys: String,
}

/// A certificate in words.
struct Told {
    is_signed: bool,
    requested: String,
    requested_by: Option<&'static str>,
    erased: String,
    rows: u64,
    clinics: Vec<AtClinic>,
}

struct AtClinic {
    name: String,
    has: i64,
    asked: bool,
    unanswered: i64,
}

/// What is told of a certificate.
#[derive(Deserialize)]
struct Said {
    requested_at: Timestamp,
    requested_by: Option<String>,
    erased_at: Timestamp,
    erased: BTreeMap<String, u64>,
    clinics: BTreeMap<ClinicId, SaidOfClinic>,
}

#[derive(Deserialize)]
struct SaidOfClinic {
    has: i64,
    asked: bool,
    unanswered: i64,
}

/// Asks for the secret.
pub async fn ask(frame: Frame) -> Result<HttpResponse, PortalError> {
    page(&AskPage { frame, is_wrong: false })
}

/// Shows the certificate, or hands it over.
pub async fn show(state: Data<State>, frame: Frame, posted: PostedByAnyone) -> Result<HttpResponse, PortalError> {
    let secret = posted.fields.text("secret").to_owned();
    let mut tx = state.bridge.store.read().await?;
    let Some(found) = erasure::by_secret(&mut tx, &state.bridge.keyring, &secret).await? else {
        return page_with(StatusCode::NOT_FOUND, &AskPage { frame, is_wrong: true });
    };
    match found.certificate {
        Some(certificate) if posted.fields.text("as") == "file" => Ok(HttpResponse::Ok()
            .content_type("application/jose")
            .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"certificate.jws\""))
            .body(certificate)),
        _ => page(&CertificatePage {
            standing: standing(found.state),
            is_done: found.state == ErasureState::Erased,
            certificate: told(&state, &found, frame.language),
            keys: state.portal.origin.absolute("/.well-known/jwks.json"),
            secret,
            frame,
        }),
    }
}

fn told(state: &State, erasure: &Erasure, language: Language) -> Option<Told> {
    let certificate = erasure.certificate.as_deref()?;
    let published = state.bridge.signing.published(state.bridge.clock.now());
    let signed = erasure::verify(certificate, &published).ok();
    let is_signed = signed.is_some();
    let said = signed.map_or_else(|| serde_json::from_str(certificate), serde_json::from_value);
    // One that a key signed that is published no more: it can still be taken along.
    let said: Said = said.ok()?;
    let at_clinic = |(clinic, said): (ClinicId, SaidOfClinic)| AtClinic {
        name: state.bridge.house.clinic_name(&clinic).to_owned(),
        has: said.has,
        asked: said.asked,
        unanswered: said.unanswered,
    };
    Some(Told {
        is_signed,
        requested: instant(said.requested_at),
        requested_by: said
            .requested_by
            .and_then(|name| Method::from_name(&name))
            .map(|through| method(through, language)),
        erased: instant(said.erased_at),
        rows: said.erased.values().sum(),
        clinics: said.clinics.into_iter().map(at_clinic).collect(),
    })
}

const fn standing(state: ErasureState) -> &'static str {
    match state {
        ErasureState::Requested => "certificate-requested",
        ErasureState::Upstream => "certificate-upstream",
        ErasureState::Erased => "certificate-erased",
        ErasureState::Cancelled => "certificate-cancelled",
    }
}
