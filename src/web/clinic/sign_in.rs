//! A clinic's staff sign in with their accounts there, and out.

use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::caller::{StaffPosted, StaffSession};
use super::{FIRST_PAGE, SIGN_IN};
use crate::domain::ids::ClinicId;
use crate::enrolment::identity::{IdentityError, IdentityTrouble};
use crate::enrolment::returned::Returned;
use crate::web::State;
use crate::web::portal::caller::Caller;
use crate::web::portal::cookies::{STAFF, VISIT};
use crate::web::portal::error::PortalError;
use crate::web::portal::form::PostedByAnyone;
use crate::web::portal::frame::{Frame, go_to, go_to_saying, page, page_with};
use crate::web::portal::identity::{FailedPage, LeavingPage};
use crate::web::portal::sign_in::{append, count};

#[derive(Template)]
#[template(path = "clinic_sign_in.html")]
struct SignInPage {
    frame: Frame,
    /// The clinics whose staff can sign in.
    clinics: Vec<(ClinicId, String)>,
}

/// Asks at which clinic.
pub async fn sign_in(state: Data<State>, request: HttpRequest, frame: Frame) -> Result<HttpResponse, PortalError> {
    if Caller::of(&request)?.staff.is_some() {
        return Ok(go_to(FIRST_PAGE));
    }
    let named = |clinic: &ClinicId| (clinic.clone(), state.bridge.house.clinic_name(clinic).to_owned());
    page(&SignInPage { clinics: state.staff.clinics().map(named).collect(), frame })
}

/// Leads to the clinic's provider, by a page that says where that is.
pub async fn begin(
    state: Data<State>,
    request: HttpRequest,
    frame: Frame,
    posted: PostedByAnyone,
) -> Result<HttpResponse, PortalError> {
    let clinic: ClinicId = posted.fields.text("clinic").parse().map_err(|_| PortalError::BadForm)?;
    count(&state, &request)?;
    match state.staff.begin(&clinic, &posted.caller.visit, frame.language).await {
        Ok(url) => {
            let name = state.bridge.house.clinic_name(&clinic).to_owned();
            let host = url.host_str().unwrap_or_default().to_owned();
            let mut answer = page(&LeavingPage { frame, name, host, url: url.into(), back: SIGN_IN })?;
            // From now on the browser is known by this for as long as it may be away.
            append(&mut answer, &VISIT.set(&posted.caller.visit));
            Ok(answer)
        }
        Err(error) => refuse(frame, error),
    }
}

/// What a browser brings back from a provider.
pub async fn come_back(state: Data<State>, frame: Frame, request: HttpRequest) -> Result<HttpResponse, PortalError> {
    let caller = Caller::of(&request)?;
    let arrived = match Returned::read(request.query_string()) {
        Ok(returned) => state.staff.complete(&caller.visit, &returned).await,
        Err(error) => Err(error.into()),
    };
    let who = match arrived {
        Ok(who) => who,
        Err(error) => return refuse(frame, error),
    };
    let mut tx = state.bridge.store.begin().await?;
    let before = caller.staff.as_ref().map(StaffSession::secret);
    let secret = state.staff.open(&mut tx, &who, before).await?;
    tx.commit().await?;
    tracing::info!(clinic_id = %who.clinic, "somebody of a clinic's staff signed in");
    let mut answer = go_to(FIRST_PAGE);
    append(&mut answer, &STAFF.set(&secret));
    append(&mut answer, &VISIT.clear());
    Ok(answer)
}

/// Signs out.
pub async fn sign_out(state: Data<State>, posted: StaffPosted) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.begin().await?;
    state.staff.end(&mut tx, &posted.session.who, posted.session.secret()).await?;
    tx.commit().await?;
    let mut answer = go_to_saying(SIGN_IN, "flash-clinic-signed-out");
    if let Ok(value) = STAFF.clear().parse() {
        answer.headers_mut().append(SET_COOKIE, value);
    }
    Ok(answer)
}

fn refuse(frame: Frame, error: IdentityError) -> Result<HttpResponse, PortalError> {
    let (status, trouble) = match error.trouble() {
        IdentityTrouble::BeginAgain => (StatusCode::UNPROCESSABLE_ENTITY, "trouble-begin-again"),
        IdentityTrouble::TooLate => (StatusCode::UNPROCESSABLE_ENTITY, "trouble-too-late"),
        IdentityTrouble::Declined => (StatusCode::UNPROCESSABLE_ENTITY, "identity-declined"),
        IdentityTrouble::NotAdmitted => (StatusCode::FORBIDDEN, "clinic-not-admitted"),
        IdentityTrouble::NotTrusted => (StatusCode::BAD_GATEWAY, "identity-not-trusted"),
        IdentityTrouble::ProviderTrouble => (StatusCode::BAD_GATEWAY, "clinic-provider"),
        IdentityTrouble::OurTrouble => return Err(error.into()),
        // Whether they are a member is not asked here.
        IdentityTrouble::NotSetUp
        | IdentityTrouble::NoMember
        | IdentityTrouble::OfAnother
        | IdentityTrouble::HasAnother => (StatusCode::BAD_GATEWAY, "clinic-not-set-up"),
    };
    page_with(status, &FailedPage { frame, trouble, back: SIGN_IN })
}
