//! From a file to its lines, whatever it is.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::{Diary, Kind};
use crate::inbound::devices::apple_health::{self, AppleHealth};
use crate::inbound::devices::health_connect;
use crate::inbound::files::archive::{self, Archive};
use crate::inbound::files::{FileError, Sink, Whose, pour};
use crate::inbound::mood::bearable::Bearable;
use crate::inbound::mood::daylio::{BACKUP, DaylioBackup, DaylioReader};
use crate::inbound::mood::diary;
use crate::inbound::mood::emoods::{self, Emoods};
use crate::inbound::observations::Observations;
use crate::inbound::table::Table;

/// So much of a file says what it is.
const BEGINNING: u64 = 64 << 10;

/// How a file begins that is text of two bytes a letter.
const TWO_BYTES_A_LETTER: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// Reads a file to its end. Says what kind it was, and whether it was an archive.
///
/// # Errors
/// [`FileError`] when it is of no kind that is known, or not of the kind that was asked for.
pub(super) fn read(
    mut file: impl Read + Seek,
    asked: &Diary,
    whose: &Whose,
    sink: &mut Sink<'_>,
) -> Result<(Kind, bool), FileError> {
    let beginning = beginning(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    if archive::is_one(&beginning) {
        return Ok((archived(file, asked, whose, sink)?, true));
    }
    if TWO_BYTES_A_LETTER.iter().any(|mark| beginning.starts_with(mark)) {
        return Err(FileError::Encoding);
    }
    let found = Kind::of_text(&beginning);
    let kind = match asked.kind {
        Some(kind) => kind,
        None if asked.columns.is_some() => found.unwrap_or(Kind::Table),
        None if found.is_none() && !is_text(&beginning) => {
            return Err(FileError::expected(
                "the file is neither text nor a ZIP archive; expected one that an app wrote",
            ));
        }
        // Whatever it is, its first line is looked at as that of a diary, and refused in these words.
        None => found.unwrap_or(Kind::Daylio),
    };
    text(file, kind, asked, whose, sink)?;
    Ok((kind, false))
}

fn beginning(file: &mut impl Read) -> Result<Vec<u8>, FileError> {
    let mut beginning = Vec::new();
    file.take(BEGINNING).read_to_end(&mut beginning)?;
    Ok(beginning)
}

/// Whether it is text, in whatever encoding: pictures and programs have control characters in them.
fn is_text(beginning: &[u8]) -> bool {
    !beginning.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

/// A file that is no archive.
fn text(file: impl Read, kind: Kind, asked: &Diary, whose: &Whose, sink: &mut Sink<'_>) -> Result<(), FileError> {
    // Whether somebody wanted no more of it makes no difference: the end is the end.
    let _ = match kind {
        Kind::Daylio => pour(diary::lines(DaylioReader::new(file)?, whose, &asked.scale), sink),
        Kind::Bearable => pour(Bearable::new(file, whose)?, sink),
        Kind::Emoods => pour(Emoods::new(file, whose)?, sink),
        Kind::AppleHealth => pour(AppleHealth::new(BufReader::with_capacity(1 << 18, file), whose)?, sink),
        Kind::Fhir => pour(Observations::new(file, whose)?, sink),
        Kind::Table => {
            let columns = asked.columns.as_ref();
            let columns =
                columns.ok_or_else(|| FileError::expected("a table needs a file that says which column is what"))?;
            pour(Table::new(file, columns, whose)?, sink)
        }
        Kind::HealthConnect => {
            return Err(FileError::expected("the file is no archive; expected the ZIP file that Health Connect wrote"));
        }
    };
    Ok(())
}

/// What an archive holds. Nothing is unpacked but the one file that is known by what is in it.
fn archived(file: impl Read + Seek, asked: &Diary, whose: &Whose, sink: &mut Sink<'_>) -> Result<Kind, FileError> {
    let mut archive = Archive::open(file)?;
    let (kind, place) = known(&mut archive)?.ok_or_else(|| {
        FileError::expected(
            "the archive holds nothing that is known; expected a backup of Daylio (backup.daylio) or eMoods (entry.csv), \
             or an export of Apple Health (export.xml) or Health Connect (health_connect_export.db)",
        )
    })?;
    if let Some(wanted) = asked.kind.filter(|wanted| *wanted != kind) {
        return Err(FileError::expected(format!("the archive is one of {kind}; expected one of {wanted}")));
    }
    let packed = archive.read(place)?;
    match kind {
        Kind::Daylio => {
            let entries = DaylioBackup::new(packed)?;
            let _ = pour(diary::lines(entries, whose, &asked.scale), sink);
        }
        Kind::HealthConnect => health_connect::read(packed, asked.folder.as_deref(), whose, sink)?,
        kind => text(packed, kind, asked, whose, sink)?,
    }
    Ok(kind)
}

/// The file of an archive that is known, and what it is.
fn known<R: Read + Seek>(archive: &mut Archive<R>) -> Result<Option<(Kind, usize)>, FileError> {
    if let Some(place) = archive.ending_in(BACKUP).first() {
        return Ok(Some((Kind::Daylio, *place)));
    }
    for place in archive.ending_in(emoods::TABLE) {
        let start = beginning(&mut archive.read(place)?)?;
        if Kind::of_text(&start) == Some(Kind::Emoods) {
            return Ok(Some((Kind::Emoods, place)));
        }
    }
    for place in archive.ending_in(".xml") {
        if apple_health::is_likely(&beginning(&mut archive.read(place)?)?) {
            return Ok(Some((Kind::AppleHealth, place)));
        }
    }
    for place in archive.ending_in(".db") {
        if beginning(&mut archive.read(place)?)?.starts_with(health_connect::BEGINNING) {
            return Ok(Some((Kind::HealthConnect, place)));
        }
    }
    Ok(None)
}
