//! Everything the bridge has of a member, for the member (GDPR, articles 15 and 20): an archive that is written while it
//! is read, a page of rows at a time.
//!
//! It is a list of sections. A section writes one file; whoever adds a table adds its section here, and a line to
//! `README.txt`.

mod archive;
mod bundle;
mod deliveries;
mod entries;
mod grants;
mod profile;

pub use archive::Archive;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc::{Receiver, channel};

use crate::domain::audit::{Chain, Event};
use crate::domain::ids::MemberId;
use crate::pipeline::Bridge;
use crate::store::StoreError;
use crate::vault::MemberKey;

/// How many pieces may wait for a slow reader.
const PIECES_AHEAD: usize = 4;

/// How many rows are read at a time.
const PAGE: i64 = 500;

/// A piece of an archive; an error in the end when it is not whole.
pub type Piece = Result<Vec<u8>, ExportError>;

/// Whose data is exported.
pub struct Exported {
    bridge: Bridge,
    member: MemberId,
    key: MemberKey,
}

/// A section that is being written.
type Writing<'a> = BoxFuture<'a, Result<(), ExportError>>;

/// Writes the content of one file.
type Section = for<'a> fn(&'a Exported, &'a mut Archive) -> Writing<'a>;

/// Every file of an archive, in its order.
const SECTIONS: [(&str, Section); 6] = [
    ("README.txt", readme),
    ("profile.json", profile::write),
    ("grants.json", grants::write),
    ("deliveries.csv", deliveries::write),
    ("fhir-bundle.json", bundle::write),
    ("entries.csv", entries::write),
];

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

/// Begins an archive of everything of a member. Its pieces come in order; one that is an error is the last, and then the
/// archive is not whole. Whoever stops listening stops it.
///
/// # Errors
/// [`ExportError`] when it cannot even be begun.
pub async fn export(bridge: &Bridge, member: MemberId) -> Result<Receiver<Piece>, ExportError> {
    let mut tx = bridge.store.begin().await?;
    let wrapped = tx.member_key(member).await?.ok_or(ExportError::UnknownMember)?;
    let key = bridge.keyring.unwrap_member_key(member, &wrapped).map_err(|_| ExportError::Sealed)?;
    tx.record(Chain::of_member(member), bridge.clock.now(), Event::DataExported);
    tx.commit().await?;
    let exported = Exported { bridge: bridge.clone(), member, key };
    let (pieces, read) = channel(PIECES_AHEAD);
    tokio::spawn(async move {
        let archive = Archive::new(pieces.clone(), exported.bridge.clock.now());
        if let Err(error) = Box::pin(write(&exported, archive)).await {
            // If nobody reads any more, nobody needs to know.
            drop(pieces.send(Err(error)).await);
        }
    });
    Ok(read)
}

async fn write(exported: &Exported, mut archive: Archive) -> Result<(), ExportError> {
    for (name, section) in SECTIONS {
        archive.file(name).await?;
        section(exported, &mut archive).await?;
    }
    archive.finish().await
}

fn readme<'a>(_: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move { archive.write(include_bytes!("README.txt")).await })
}

/// What was sealed for its member, as text; `None` where it does not open.
fn opened(of: &Exported, column: &'static str, row: &[u8], sealed: &[u8]) -> Option<String> {
    let opened = of.key.open(column, row, sealed);
    let opened = opened.inspect_err(|_| tracing::error!(column, "a sealed value of a member does not open")).ok()?;
    String::from_utf8(opened).ok()
}

/// Rows of a CSV file.
fn csv_lines<R: AsRef<[String]>>(rows: impl IntoIterator<Item = R>) -> Result<Vec<u8>, ExportError> {
    let mut lines = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        lines.write_record(row.as_ref()).map_err(std::io::Error::from)?;
    }
    lines.into_inner().map_err(|error| ExportError::Write(error.into_error()))
}
