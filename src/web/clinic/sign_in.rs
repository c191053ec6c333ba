//! A clinic's staff sign in with their accounts there, and out.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::caller::StaffPosted;
use super::door::{self, Door};
use super::{FIRST_PAGE, SIGN_IN};
use crate::domain::ids::ClinicId;
use crate::domain::staff::{Colleague, Whose};
use crate::web::State;
use crate::web::portal::caller::Caller;
use crate::web::portal::cookies::STAFF;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::PostedByAnyone;
use crate::web::portal::frame::{Frame, go_to, page};

/// Their way in.
const DOOR: Door = Door {
    sign_in: SIGN_IN,
    first_page: FIRST_PAGE,
    cookie: STAFF,
    not_admitted: "clinic-not-admitted",
    trouble: "clinic-provider",
    not_set_up: "clinic-not-set-up",
    signed_out: "flash-clinic-signed-out",
};

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
    let name = state.bridge.house.clinic_name(&clinic).to_owned();
    door::leave(&state, &request, frame, &posted, (&Whose::Clinic(clinic), name), &DOOR).await
}

/// What a browser brings back from a provider.
pub async fn come_back(state: Data<State>, frame: Frame, request: HttpRequest) -> Result<HttpResponse, PortalError> {
    door::come_back::<Colleague>(&state, frame, &request, &DOOR).await
}

/// Signs out.
pub async fn sign_out(state: Data<State>, posted: StaffPosted) -> Result<HttpResponse, PortalError> {
    door::sign_out(&state, (&posted.session.who).into(), posted.session.secret(), &DOOR).await
}
