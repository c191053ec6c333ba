//! A form with a file, as browsers send it (`multipart/form-data`, RFC 7578). It is read as it comes; nothing of the file is
//! read before the form's token was checked, which therefore stands first in the form.
//!
//! A file as diaries are never lies on a disk. What is larger than [`IN_MEMORY`] does while it is read: a phone's export has
//! hundreds of megabytes. It has no name there, nobody else can open it, and it is gone when the reading ends, however it
//! ends; but it is not encrypted by the bridge. `deploy/default.toml` says so, too.

use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::dev::Payload as RawPayload;
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest};
use futures_util::{StreamExt, TryStreamExt};
use tempfile::SpooledTempFile;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::caller::{Caller, Session};
use super::error::PortalError;
use super::form::{CSRF_FIELD, Fields, confirm};
use crate::config;
use crate::domain::clock::Clock;
use crate::domain::ids::MemberId;
use crate::inbound::files::{archive, scratch};
use crate::web::State;
use crate::web::limits::Limit;

/// The largest file that is held in memory, in bytes: 16 MiB.
pub const IN_MEMORY: usize = 16 << 20;

/// How much is written to the disk at once, in bytes.
const PIECE: usize = 1 << 20;

/// Of a file that is too large, so much more is read and thrown away: a browser looks for the answer only when it has sent
/// everything.
const THROWN_AWAY: u64 = 64 << 20;

/// When somebody may come again where too many large files are under way, in seconds.
const COME_AGAIN: u64 = 60;

/// The largest file that says how the other one is to be read, in bytes: 8 KiB. The texts say so, too.
const SMALL: usize = 8 << 10;

/// The longest other field, in bytes, and the most fields.
const MAX_FIELD: usize = 4096;
const MOST_FIELDS: usize = 256;

/// Files that a member may send at once: whoever imports looks first, says what was missing, and tries again.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// How many files each member may send.
#[must_use]
pub fn limit(clock: &Clock) -> Limit<MemberId> {
    Limit::new(AT_ONCE, Duration::from_mins(1), clock.clone())
}

/// Room for the files that are under way.
#[derive(Debug)]
pub struct Room {
    /// The largest file, in bytes.
    largest: u64,
    folder: Option<PathBuf>,
    /// One for each file that is too large for memory, or may become so.
    large: Arc<Semaphore>,
}

impl Room {
    /// As it is configured.
    #[must_use]
    pub fn new(imports: &config::Imports) -> Self {
        Self {
            largest: imports.largest(),
            folder: imports.folder().map(ToOwned::to_owned),
            large: Arc::new(Semaphore::new(usize::from(imports.at_once))),
        }
    }

    /// The largest file that is taken, in MiB.
    #[must_use]
    pub const fn largest_mib(&self) -> u64 {
        self.largest >> 20
    }

    /// Where what is too large for memory lies.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        self.folder.clone()
    }
}

/// A file that came, to be read from its beginning on. Personal. It holds its place among the large ones as long as it is
/// there: whoever brought it may be gone, and it is still being read.
pub struct Brought {
    content: SpooledTempFile,
    _place: Option<OwnedSemaphorePermit>,
}

impl Read for Brought {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer)
    }
}

impl Seek for Brought {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.content.seek(to)
    }
}

/// Why the small file beside it cannot be looked at.
#[derive(Clone, Copy)]
pub enum Unfit {
    /// There is too much in it.
    TooLarge,
    /// It is no text in UTF-8.
    NoText,
}

/// A form with a file that a member sent who is signed in.
pub struct Uploaded {
    /// Who.
    pub session: Session,
    /// What is in the form beside the file.
    pub fields: Fields,
    /// The file, if one was chosen and there is anything in it.
    pub file: Option<Brought>,
    /// The small file beside it, if one was chosen: which column of a table is what. Personal.
    pub columns: Result<Option<String>, Unfit>,
}

impl FromRequest for Uploaded {
    type Error = PortalError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PortalError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut RawPayload) -> Self::Future {
        let (request, payload) = (request.clone(), Payload::from_request(request, payload));
        Box::pin(async move {
            let caller = Caller::of(&request)?;
            let session = caller.session.clone().ok_or(PortalError::SignInFirst)?;
            let payload = payload.await.map_err(|_| PortalError::BadForm)?;
            let mut form = Multipart::new(request.headers(), payload);
            let token = first(&mut form).await?;
            confirm(&request, &caller, &token)?;
            let state = request.app_data::<Data<State>>().ok_or(PortalError::Internal)?;
            let wait = state.portal.uploads.check(&session.member);
            wait.map_err(|wait| PortalError::TooOften(wait.as_secs() + 1))?;
            rest(&mut form, &state.portal.room, session).await
        })
    }
}

/// The token. What has none, or is no such form at all, did not come from here.
async fn first(form: &mut Multipart) -> Result<String, PortalError> {
    let field = form.try_next().await.map_err(|_| PortalError::ForeignForm)?.ok_or(PortalError::ForeignForm)?;
    if field.name() != Some(CSRF_FIELD) {
        return Err(PortalError::ForeignForm);
    }
    text(field).await
}

/// Everything else, in whatever order it comes.
async fn rest(form: &mut Multipart, room: &Room, session: Session) -> Result<Uploaded, PortalError> {
    let (mut fields, mut file, mut columns) = (Vec::new(), None, Ok(None));
    while let Some(field) = form.next().await {
        let field = field.map_err(|error| unreadable(&error))?;
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" => file = content(field, room).await?,
            "columns" => columns = small(field).await?,
            _ if fields.len() < MOST_FIELDS => fields.push((name, text(field).await?)),
            _ => return Err(PortalError::TooLarge),
        }
    }
    Ok(Uploaded { session, fields: Fields::new(fields), file, columns })
}

async fn small(mut field: Field) -> Result<Result<Option<String>, Unfit>, PortalError> {
    let mut bytes = Vec::new();
    let mut length = 0_u64;
    while let Some(piece) = field.next().await {
        let piece = piece.map_err(|error| unreadable(&error))?;
        length += piece.len() as u64;
        if length > THROWN_AWAY {
            return Err(PortalError::TooLarge);
        }
        if length <= SMALL as u64 {
            bytes.extend_from_slice(&piece);
        }
    }
    if length > SMALL as u64 {
        return Ok(Err(Unfit::TooLarge));
    }
    Ok(String::from_utf8(bytes).map(|text| (length > 0).then_some(text)).map_err(|_| Unfit::NoText))
}

async fn text(mut field: Field) -> Result<String, PortalError> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| unreadable(&error))?);
        if bytes.len() > MAX_FIELD {
            return Err(PortalError::TooLarge);
        }
    }
    String::from_utf8(bytes).map_err(|_| PortalError::BadForm)
}

async fn content(mut field: Field, room: &Room) -> Result<Option<Brought>, PortalError> {
    let broken = |error: io::Error| PortalError::internal(&error);
    let folder = room.folder.clone().unwrap_or_else(std::env::temp_dir);
    let mut file = Some(tempfile::spooled_tempfile_in(IN_MEMORY, folder));
    let (mut piece, mut length, mut place) = (Vec::new(), 0_u64, None);
    while let Some(bytes) = field.next().await {
        let bytes = bytes.map_err(|error| unreadable(&error))?;
        length += bytes.len() as u64;
        if length > room.largest {
            file = None;
            if length > room.largest + THROWN_AWAY {
                break;
            }
            continue;
        }
        piece.extend_from_slice(&bytes);
        // An archive may hold a database, which lies on the disk once it is unpacked.
        let needs_room = length > IN_MEMORY as u64 || archive::is_one(&piece);
        if needs_room && place.is_none() {
            let free = Arc::clone(&room.large).try_acquire_owned();
            place = Some(free.map_err(|_| PortalError::TooOften(COME_AGAIN))?);
            scratch::ready(room.folder.as_deref()).map_err(broken)?;
        }
        if piece.len() >= PIECE {
            file = write(file, std::mem::take(&mut piece)).await.map_err(broken)?;
        }
    }
    let written = write(file, piece).await.map_err(broken)?;
    let mut content = written.ok_or(PortalError::TooLarge)?;
    content.seek(SeekFrom::Start(0)).map_err(broken)?;
    Ok((length > 0).then_some(Brought { content, _place: place }))
}

/// Aside: a disk may be slow.
async fn write(file: Option<SpooledTempFile>, piece: Vec<u8>) -> io::Result<Option<SpooledTempFile>> {
    let Some(mut file) = file else { return Ok(None) };
    let written = tokio::task::spawn_blocking(move || {
        file.write_all(&piece)?;
        Ok(Some(file))
    });
    written.await.map_err(io::Error::other)?
}

const fn unreadable(_: &MultipartError) -> PortalError {
    PortalError::BadForm
}
