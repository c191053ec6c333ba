//! What the bridge says on a forum of Misago of its own accord.

use super::read::mark;
use uuid::Uuid;

use crate::domain::language::Language;

/// What is shorter than this, in characters, Misago does not take as it is set up (`post_length_min`).
const SHORTEST: usize = 5;

/// What Markdown, as Misago reads it, would make something else of.
const SIGNS: [char; 9] = ['\\', '`', '*', '_', '[', ']', '#', '>', '!'];

/// How a private thread is called that the bridge begins with somebody: by this it is found again.
pub(super) fn title(language: Language, username: &str) -> String {
    match language {
        Language::En => format!("Messages for {username}"),
        Language::Ru => format!("Сообщения для {username}"),
    }
}

/// How what is too short for the forum is said.
pub(super) const fn too_short(language: Language) -> &'static str {
    match language {
        Language::En => "(If the forum finds that too short, put dots behind it: 4....)",
        Language::Ru => "(Если форуму это слишком коротко, поставьте в конце точки: 4....)",
    }
}

/// Whether something that can be said may be too short for the forum.
pub(super) fn is_short(words: &str) -> bool {
    words.chars().count() < SHORTEST
}

/// A text as a post that shows it as it is, with the mark by which it is found again.
pub(super) fn post(text: &str, id: Uuid) -> String {
    let mut post = String::with_capacity(text.len() + 64);
    for sign in text.chars() {
        if SIGNS.contains(&sign) {
            post.push('\\');
        }
        post.push(sign);
    }
    format!("{post}\n\n{}", mark(id))
}
