//! Daylio keeps notes as a little HTML and exports them so. This gives back the text.
//!
//! Only what Daylio's editor writes is read as markup. Anything else in angle brackets is the member's own writing, a
//! heart for instance (`<3`), and stays as it is.

/// Longer than any tag that the editor writes. A bound, so that a note full of `<` does not take quadratic time.
const LONGEST_TAG: usize = 256;
const LONGEST_ENTITY: usize = 10;

/// The note as plain text: breaks and blocks become lines, list items get a dash, entities become characters.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find(['<', '&']) {
        let (before, markup) = rest.split_at(start);
        text.push_str(before);
        rest = read_tag(markup, &mut text).or_else(|| read_entity(markup, &mut text)).unwrap_or_else(|| {
            let (sign, after) = markup.split_at(1);
            text.push_str(sign);
            after
        });
    }
    text.push_str(rest);
    text.trim().to_owned()
}

/// Reads one known tag and gives back what follows it.
fn read_tag<'h>(markup: &'h str, text: &mut String) -> Option<&'h str> {
    let (inside, after) = enclosed(markup, '<', '>', LONGEST_TAG)?;
    let closes = inside.starts_with('/');
    let name = inside.strip_prefix('/').unwrap_or(inside).split(|c: char| c.is_whitespace() || c == '/').next()?;
    match name.to_ascii_lowercase().as_str() {
        "br" => text.push('\n'),
        "b" | "i" | "u" | "s" | "strong" | "em" | "strike" | "del" | "font" | "span" => {}
        "div" | "p" | "ul" | "ol" => begin_line(text),
        "li" => {
            begin_line(text);
            text.push_str(if closes { "" } else { "- " });
        }
        _ => return None,
    }
    Some(after)
}

/// Reads one entity and gives back what follows it.
fn read_entity<'h>(markup: &'h str, text: &mut String) -> Option<&'h str> {
    let (inside, after) = enclosed(markup, '&', ';', LONGEST_ENTITY)?;
    text.push(match inside {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => numbered(inside.strip_prefix('#')?)?,
    });
    Some(after)
}

fn numbered(code: &str) -> Option<char> {
    let number = match code.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => code.parse(),
    };
    char::from_u32(number.ok()?).filter(|c| !c.is_control())
}

/// What stands between two signs, if the second comes soon enough, and what follows it.
fn enclosed(markup: &str, open: char, close: char, longest: usize) -> Option<(&str, &str)> {
    let body = markup.strip_prefix(open)?;
    let end = body.bytes().take(longest).position(|byte| char::from(byte) == close)?;
    let (inside, after) = body.split_at_checked(end)?;
    Some((inside, after.strip_prefix(close)?))
}

fn begin_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}
