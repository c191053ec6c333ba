//! Everything the bridge has of a member, for the member (GDPR, articles 15 and 20): an archive that is written while it
//! is read, a page of rows at a time.
//!
//! It is a list of rooms, each a folder with a README in the member's language. A section writes one or more files of a
//! room; whoever adds a table adds its section here, a line to the room's README, and a line to [`TABLES`].

mod access;
mod archive;
mod concerns;
mod consents;
mod deliveries;
mod disclosures;
mod entries;
mod profile;
mod readings;
mod receipts;
mod recommendations;
mod rooms;
mod tables;
mod unfinished;
mod visits;
mod waiting;

pub use archive::Archive;
pub use tables::TABLES;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::mpsc::{Receiver, channel};

use crate::booking::BookingError;
use crate::domain::audit::{Chain, Event};
use crate::domain::ids::MemberId;
use crate::domain::language::Language;
use crate::mapping::to_fhir::MappingError;
use crate::pipeline::Bridge;
use crate::pipeline::consent::ConsentError;
use crate::readings::KeptError;
use crate::readings::settings::settings;
use crate::recommendations::RecommendationError;
use crate::store::StoreError;
use crate::telemetry::logs::chain;
use crate::vault::MemberKey;

/// How many pieces may wait for a slow reader.
const PIECES_AHEAD: usize = 4;

/// How many rows are read at a time.
const PAGE: i64 = 500;

/// Said at the beginning of a text, it says that the text is Unicode.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A piece of an archive; an error in the end when it is not whole.
pub type Piece = Result<Vec<u8>, ExportError>;

/// Whose data is exported.
pub struct Exported {
    bridge: Bridge,
    member: MemberId,
    key: MemberKey,
    language: Language,
    now: Timestamp,
}

/// A section that is being written.
type Writing<'a> = BoxFuture<'a, Result<(), ExportError>>;

/// Begins a file, or several, and writes what is in them.
type Section = for<'a> fn(&'a Exported, &'a mut Archive) -> Writing<'a>;

/// An archive that could not be made whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such member.
    #[error("there is no such member")]
    UnknownMember,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The member's key does not open.
    #[error("the member's key does not open")]
    Sealed,
    /// What is kept for the member cannot be read.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// What clinics have for the member cannot be read.
    #[error(transparent)]
    Recommendation(#[from] RecommendationError),
    /// The member's bookings cannot be read.
    #[error(transparent)]
    Booking(#[from] BookingError),
    /// The member's consents cannot be told.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// A reading cannot be written as FHIR.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// Something of it could not be written.
    #[error("the archive cannot be written")]
    Archive(#[from] zip::result::ZipError),
    /// Something of it could not be written.
    #[error("the archive cannot be written")]
    Write(#[from] std::io::Error),
    /// Nobody reads it any more.
    #[error("nobody reads the archive any more")]
    NobodyReads,
}

/// Begins an archive of everything of a member, in the language that they read now, else in the one they have set. Its
/// pieces come in order; one that is an error is the last, and then the archive is not whole. Whoever stops listening stops
/// it.
///
/// # Errors
/// [`ExportError`] when it cannot even be begun.
pub async fn export(
    bridge: &Bridge,
    member: MemberId,
    language: Option<Language>,
) -> Result<Receiver<Piece>, ExportError> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.begin().await?;
    let wrapped = tx.member_key(member).await?.ok_or(ExportError::UnknownMember)?;
    let key = bridge.keyring.unwrap_member_key(member, &wrapped).map_err(|_| ExportError::Sealed)?;
    let language = language.or(settings(&mut tx, &key).await?.language).unwrap_or_default();
    tx.record(Chain::of_member(member), now, Event::DataExported);
    tx.commit().await?;
    let exported = Exported { bridge: bridge.clone(), member, key, language, now };
    let (pieces, read) = channel(PIECES_AHEAD);
    tokio::spawn(async move {
        let archive = Archive::new(pieces.clone(), now);
        if let Err(error) = Box::pin(rooms::write(&exported, archive)).await {
            // Whoever stopped reading knows that it is not whole, and nothing is wrong here.
            if !matches!(error, ExportError::NobodyReads) {
                tracing::error!(cause = chain(&error), "a member's archive could not be made whole");
            }
            drop(pieces.send(Err(error)).await);
        }
    });
    Ok(read)
}

/// What was sealed for its member, as text; `None` where it does not open.
fn opened(of: &Exported, column: &'static str, row: &[u8], sealed: &[u8]) -> Option<String> {
    let opened = of.key.open(column, row, sealed);
    let opened = opened.inspect_err(|_| tracing::error!(column, "a sealed value of a member does not open")).ok()?;
    String::from_utf8(opened).ok()
}

/// The head of a CSV file. The mark before it tells spreadsheets that it is UTF-8: else they guess, and guess wrong.
fn csv_head<const N: usize>(head: [&str; N]) -> Result<Vec<u8>, ExportError> {
    Ok([BYTE_ORDER_MARK.as_bytes(), &csv_lines([head.map(str::to_owned)])?].concat())
}

/// Rows of a CSV file.
fn csv_lines<R: AsRef<[String]>>(rows: impl IntoIterator<Item = R>) -> Result<Vec<u8>, ExportError> {
    let mut lines = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        lines.write_record(row.as_ref()).map_err(std::io::Error::from)?;
    }
    lines.into_inner().map_err(|error| ExportError::Write(error.into_error()))
}
