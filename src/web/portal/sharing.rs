//! *My sharing*: what each clinic may see.

use actix_web::HttpResponse;
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, go_to, page};

#[derive(Template)]
#[template(path = "sharing.html")]
struct SharingPage {
    frame: Frame,
}

/// The front door.
pub async fn home(frame: Frame) -> HttpResponse {
    go_to(if frame.signed_in { "/sharing" } else { "/sign-in" })
}

/// Every clinic the member is linked to.
pub async fn overview(frame: Frame, _: Session) -> Result<HttpResponse, PortalError> {
    page(&SharingPage { frame })
}
