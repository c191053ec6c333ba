//! Files that pages need, compiled in. Their addresses change with their content, so that browsers may keep them for ever.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Path};
use aws_lc_rs::digest;

use super::error::PortalError;
use crate::web::State;

/// Each file: its name, its type, and what is in it.
const FILES: [(&str, &str, &[u8]); 4] = [
    ("portal.css", "text/css; charset=utf-8", include_bytes!("assets/portal.css")),
    ("icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
    ("import.js", "text/javascript; charset=utf-8", include_bytes!("assets/import.js")),
    ("push.js", "text/javascript; charset=utf-8", include_bytes!("assets/push.js")),
];

/// What shows notes in a browser (Web Push). Its address stays.
pub const PUSH_WORKER: &str = include_str!("assets/push-worker.js");

/// The files, each with its version.
#[derive(Debug)]
pub struct Assets {
    versions: Vec<(&'static str, String)>,
}

impl Assets {
    /// The files that are compiled in.
    #[must_use]
    pub fn new() -> Self {
        Self { versions: FILES.iter().map(|(name, _, content)| (*name, version(content))).collect() }
    }

    /// The address of a file.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        let version = self.versions.iter().find(|(found, _)| *found == name).map_or("", |(_, version)| version);
        format!("/assets/{version}/{name}")
    }
}

/// The first 64 bits of the content's SHA-256.
fn version(content: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, content);
    digest.as_ref().iter().take(8).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Serves a file, in the version that this program has.
pub async fn serve(state: Data<State>, path: Path<(String, String)>) -> Result<HttpResponse, PortalError> {
    let (version, name) = path.into_inner();
    let known = state.portal.assets.url(&name) == format!("/assets/{version}/{name}");
    let file = FILES.iter().find(|(found, ..)| known && *found == name);
    let (_, media_type, content) = file.ok_or(PortalError::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type(*media_type)
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(*content))
}
