//! Looks for words where nobody may ever find them: in every byte of a database, of its backups, and of the logs.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::{Connection, PgConnection};

use super::database::Database;

/// The bytes of a word in hexadecimal.
pub fn hexadecimal(word: &str) -> String {
    word.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// How often a word is there, as it is, in hexadecimal, or within something in base64.
pub fn times(word: &str, hay: &[u8]) -> usize {
    let hex = hexadecimal(word);
    let mut needles = vec![word.to_owned(), hex.to_uppercase(), hex];
    for lead in ["", "x", "xx"] {
        let encoded = STANDARD.encode(format!("{lead}{word}"));
        // Without the characters that depend on what stands before and after.
        let first = [0, 2, 3][lead.len()];
        let last = (lead.len() + word.len()) * 8 / 6;
        needles.push(encoded[first..last].to_owned());
    }
    let hay = String::from_utf8_lossy(hay);
    needles.iter().map(|needle| hay.matches(needle.as_str()).count()).sum()
}

/// The same, only as it is.
fn plainly(word: &str, hay: &[u8]) -> usize {
    String::from_utf8_lossy(hay).matches(word).count()
}

/// How often each of two words is in the files of a folder, as it is: so databases store it.
pub fn in_files(folder: &Path, words: [&str; 2]) -> [usize; 2] {
    let mut found = [0, 0];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let below = if path.is_dir() {
            in_files(&path, words)
        } else {
            // Files come and go below a running database.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            words.map(|word| plainly(word, &bytes))
        };
        found = [found[0] + below[0], found[1] + below[1]];
    }
    found
}

/// How often each of two words is in the files of a database, its log of changes included: in both places, where there
/// are two, the second word must be.
pub async fn in_database(database: &Database, words: [&str; 2]) -> [usize; 2] {
    if database.is_sqlite() {
        return in_files(database.folder.path(), words);
    }
    let mut server = PgConnection::connect(&database.direct).await.unwrap();
    sqlx::query("CHECKPOINT").execute(&mut server).await.unwrap();
    // Others write their changes into the same log, and its files are written anew: what was there may be gone.
    for _ in 0..3 {
        let note = "SELECT pg_logical_emit_message(true, 'control', $1)::text";
        sqlx::query(note).bind(words[1]).execute(&mut server).await.unwrap();
    }
    let folder: String = sqlx::query_scalar("SHOW data_directory").fetch_one(&mut server).await.unwrap();
    let own: i64 = sqlx::query_scalar("SELECT oid::bigint FROM pg_database WHERE datname = current_database()")
        .fetch_one(&mut server)
        .await
        .unwrap();
    let tables = in_files(&Path::new(&folder).join(format!("base/{own}")), words);
    let changes = in_files(&Path::new(&folder).join("pg_wal"), words);
    [tables[0] + changes[0], tables[1].min(changes[1])]
}
