//! Connecting a clinic: by signing in there, or by a code that it handed out.

use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::known;
use super::troubles::text;
use crate::domain::ids::{ClinicId, MemberId};
use crate::enrolment::code::CodeError;
use crate::enrolment::launch::{LaunchError, Returned};
use crate::enrolment::session::rotate;
use crate::enrolment::trouble::Trouble;
use crate::pipeline::consent::redeem;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::cookies::SESSION;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to_saying, page, page_with};

#[derive(Template)]
#[template(path = "connect.html")]
struct ConnectPage {
    frame: Frame,
    id: String,
    name: String,
    signs_in: bool,
    trouble: Option<&'static str>,
    /// The member's number, where the clinic may need it.
    number: Option<String>,
}

#[derive(Template)]
#[template(path = "leaving.html")]
struct LeavingPage {
    frame: Frame,
    name: String,
    host: String,
    url: String,
}

#[derive(Template)]
#[template(path = "came_back.html")]
struct CameBackPage {
    frame: Frame,
    trouble: &'static str,
    number: Option<String>,
}

/// Shows the ways there are.
pub async fn look(
    state: Data<State>,
    frame: Frame,
    _: Session,
    path: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let clinic = known(&state, &path)?;
    page(&connect_page(&state, frame, &clinic, None))
}

/// Goes the way that was chosen.
pub async fn go(
    state: Data<State>,
    frame: Frame,
    posted: Posted,
    path: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let clinic = known(&state, &path)?;
    match posted.fields.text("way") {
        "sign-in" => sign_in(&state, frame, &posted.session, &clinic).await,
        "code" => tell_code(&state, frame, &posted, &clinic).await,
        _ => Err(PortalError::BadForm),
    }
}

/// A page that leads on by a link, and not an answer that leads on by itself: what a form may lead to is bounded, and
/// where a clinic's server leads to is not known here. It also says where people are about to type their password.
async fn sign_in(
    state: &State,
    frame: Frame,
    session: &Session,
    clinic: &ClinicId,
) -> Result<HttpResponse, PortalError> {
    match state.launches.begin(session.member, clinic, session.secret()).await {
        Ok(url) => {
            let name = state.bridge.house.clinic_name(clinic).to_owned();
            let host = url.host_str().unwrap_or_default().to_owned();
            page(&LeavingPage { frame, name, host, url: url.into() })
        }
        Err(LaunchError::Store(error)) => Err(error.into()),
        Err(error) => refuse(state, frame, session.member, clinic, error.trouble()),
    }
}

async fn tell_code(
    state: &State,
    frame: Frame,
    posted: &Posted,
    clinic: &ClinicId,
) -> Result<HttpResponse, PortalError> {
    let (bridge, member) = (&state.bridge, posted.session.member);
    let code = posted.fields.text("code");
    match redeem(bridge, member, clinic, code, bridge.clock.now()).await {
        Ok(_) => connected(state, &posted.session).await,
        Err(CodeError::Store(error)) => Err(error.into()),
        Err(error) => refuse(state, frame, member, clinic, error.trouble()),
    }
}

/// What a browser brings back from the clinic.
pub async fn come_back(
    state: Data<State>,
    frame: Frame,
    session: Session,
    request: HttpRequest,
) -> Result<HttpResponse, PortalError> {
    let completed = match Returned::read(request.query_string()) {
        Ok(returned) => state.launches.complete(session.member, session.secret(), &returned).await,
        Err(error) => Err(error.into()),
    };
    match completed {
        Ok(_) => connected(&state, &session).await,
        Err(LaunchError::Store(error)) => Err(error.into()),
        Err(error) => {
            let (trouble, number) = (text(error.trouble()), number(error.trouble(), session.member));
            page_with(status(error.trouble()), &CameBackPage { frame, trouble, number })
        }
    }
}

/// Back to the clinics, with another secret for the session: it may do more now.
async fn connected(state: &State, session: &Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.begin().await?;
    let secret = rotate(&mut tx, &state.bridge.keyring, session.secret()).await?;
    tx.commit().await?;
    let mut answer = go_to_saying("/clinics", "flash-clinic-linked");
    if let Some(value) = secret.and_then(|secret| SESSION.set(&secret).parse().ok()) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
    Ok(answer)
}

fn refuse(
    state: &State,
    frame: Frame,
    member: MemberId,
    clinic: &ClinicId,
    trouble: Trouble,
) -> Result<HttpResponse, PortalError> {
    let told = ConnectPage { number: number(trouble, member), ..connect_page(state, frame, clinic, Some(trouble)) };
    page_with(status(trouble), &told)
}

fn connect_page(state: &State, frame: Frame, clinic: &ClinicId, trouble: Option<Trouble>) -> ConnectPage {
    ConnectPage {
        frame,
        id: clinic.to_string(),
        name: state.bridge.house.clinic_name(clinic).to_owned(),
        signs_in: state.launches.are_offered_at(clinic),
        trouble: trouble.map(text),
        number: None,
    }
}

/// By which number the clinic can tell the operator who is meant.
fn number(trouble: Trouble, member: MemberId) -> Option<String> {
    (trouble == Trouble::PatientTaken).then(|| member.to_string())
}

const fn status(trouble: Trouble) -> StatusCode {
    match trouble {
        Trouble::CodeTooMany => StatusCode::TOO_MANY_REQUESTS,
        Trouble::ClinicTrouble => StatusCode::BAD_GATEWAY,
        Trouble::OurTrouble => StatusCode::INTERNAL_SERVER_ERROR,
        Trouble::LinkedToAnother | Trouble::PatientTaken => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
