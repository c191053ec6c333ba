//! How to try out camera and microphone before a visit: words only, for everybody.

use actix_web::HttpResponse;
use askama::Template;

use crate::web::portal::error::PortalError;
use crate::web::portal::frame::{Frame, page};

#[derive(Template)]
#[template(path = "camera.html")]
struct CameraPage {
    frame: Frame,
    parts: [Part; 4],
}

/// A part of it: its heading, and its steps.
type Part = (&'static str, [&'static str; 3]);

const PARTS: [Part; 4] = [
    ("camera-before", ["camera-before-where", "camera-before-power", "camera-before-browser"]),
    ("camera-try", ["camera-try-phone", "camera-try-computer", "camera-try-sound"]),
    ("camera-allow", ["camera-allow-ask", "camera-allow-lock", "camera-allow-system"]),
    ("camera-else", ["camera-else-programs", "camera-else-device", "camera-else-without"]),
];

/// Shows it.
pub async fn camera(frame: Frame) -> Result<HttpResponse, PortalError> {
    page(&CameraPage { frame, parts: PARTS })
}
