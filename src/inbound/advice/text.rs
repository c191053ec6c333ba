//! Plain text out of what clinicians write: strings, XHTML, and attachments.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::field::{items, text_at};

/// The longest text that is kept, in characters. What is longer is cut, and says so.
const LONGEST: usize = 20_000;

/// The longest markup that is read, in bytes.
const LONGEST_MARKUP: usize = 256 * 1024;

/// How deep elements may stand in each other. What is deeper is no text that somebody wrote.
const DEEPEST: usize = 200;

/// Lines are not broken here: where they are shown is how long they are.
const WIDTH: usize = 100_000;

/// A text without control characters and blanks at its ends, and no longer than is kept.
pub fn tidy(text: &str) -> String {
    // Marks that turn the direction of a text could make it read otherwise.
    let is_told = |c: &char| match c {
        '\n' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => false,
        c => !c.is_control(),
    };
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n").replace('\t', " ");
    let text: String = text.chars().filter(is_told).collect();
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Paragraphs, as far as they say anything.
pub fn paragraphs(parts: impl IntoIterator<Item = Option<String>>) -> String {
    let mut told: Vec<String> = Vec::new();
    for part in parts.into_iter().flatten().filter(|part| !part.is_empty()) {
        if !told.contains(&part) {
            told.push(part);
        }
    }
    tidy(&told.join("\n\n"))
}

/// What XHTML or HTML says, in plain text: no scripts, no styles, no pictures, no links but what is written of them.
pub fn of_markup(markup: &str) -> String {
    if markup.len() > LONGEST_MARKUP || depth(markup) > DEEPEST {
        return String::new();
    }
    let plain = html2text::config::with_decorator(html2text::render::TrivialDecorator::new())
        .raw_mode(true)
        .no_table_borders()
        .no_link_wrapping();
    tidy(&plain.string_from_read(markup.as_bytes(), WIDTH).unwrap_or_default())
}

/// How many elements may stand open in each other, at most.
fn depth(markup: &str) -> usize {
    let (mut open, mut deepest) = (0usize, 0);
    let bytes = markup.as_bytes();
    for pair in bytes.windows(2) {
        match pair {
            [b'<', b'/'] | [b'/', b'>'] => open = open.saturating_sub(1),
            [b'<', byte] if byte.is_ascii_alphabetic() => open += 1,
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// The narrative of a resource, where it says more than nothing (R4, narrative.html).
pub fn of_narrative(resource: &Value) -> String {
    match (text_at(resource, "/text/status"), text_at(resource, "/text/div")) {
        (Some("generated" | "additional" | "extensions"), Some(div)) => of_markup(div),
        _ => String::new(),
    }
}

/// What the payloads of a message say (`contentString`, `contentAttachment`).
pub fn of_payloads(resource: &Value) -> String {
    let said = |payload: &Value| {
        let plain = text_at(payload, "/contentString").map(tidy);
        plain.or_else(|| payload.get("contentAttachment").and_then(of_attachment))
    };
    paragraphs(items(resource, "/payload").iter().map(said))
}

/// What an attachment says that is text and stands in the resource itself. Of any other, nothing but its title is told:
/// it stays at the clinic.
fn of_attachment(attachment: &Value) -> Option<String> {
    let title = text_at(attachment, "/title").map(tidy);
    let kind = text_at(attachment, "/contentType").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
    if !matches!(kind.as_str(), "text/plain" | "text/html" | "application/xhtml+xml") {
        return title;
    }
    let data = text_at(attachment, "/data").filter(|data| data.len() <= LONGEST_MARKUP)?;
    let bytes = BASE64.decode(data.split_ascii_whitespace().collect::<String>()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(if kind == "text/plain" { tidy(&text) } else { of_markup(&text) })
}
