//! *Connect your app*: how the server of an app takes part, with requests as they are, for whoever writes it.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::error::PortalError;
use super::frame::{Frame, page};
use crate::web::State;

/// What somebody says, and what is answered: as `schemas/connector/` says.
const SAID: &str = r#"{"type": "mostik.said.v1", "timestamp": "2026-11-27T09:00:00Z",
 "data": {"handle": "sparrow", "said": "hello"}}"#;
const ANSWERED: &str = r#"{"answer": {"id": "0199…", "text": "Hello. I am …",
            "buttons": [{"value": "yes.5f2c", "words": "Yes"}]}}"#;

/// What happens in a room.
const HAPPENED: &str = r#"{"type": "mostik.happened.v1", "timestamp": "2026-11-27T09:00:00Z",
 "data": {"handle": "sparrow", "deed": "posted"}}"#;

/// What the operator sets.
const SETTINGS: &str = r#"[communities.app]
name = "The app"
[communities.app.connector]
platform = "webhook"
secret_file = "data/app.secret"   # whsec_…, both sides sign with it
url = "https://app.example/hooks/mostik"
[communities.app.messages]
method = "connector""#;

#[derive(Template)]
#[template(path = "connect_app.html")]
struct ConnectPage {
    frame: Frame,
    /// Where everything is sent to.
    address: String,
    api: String,
}

/// Shows it to whoever looks.
pub async fn show(state: Data<State>, frame: Frame) -> Result<HttpResponse, PortalError> {
    let origin = &state.portal.origin;
    let (address, api) = (origin.absolute("/connectors/app/"), origin.absolute("/openapi.json"));
    page(&ConnectPage { frame, address, api })
}
