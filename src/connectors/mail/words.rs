//! What stands around an answer by mail.

use crate::connectors::Says;
use crate::domain::language::Language;

/// What it is about: nothing that a stranger learns from.
pub const fn subject(language: Language) -> &'static str {
    match language {
        Language::En => "An answer to you",
        Language::Ru => "Ответ вам",
    }
}

/// An answer, and where the next thing is to be said: nothing can be pressed in a mail.
pub fn reply(says: &Says, language: Language) -> String {
    let text = says.in_lines(language);
    let hint = match language {
        Language::En => "To say something, answer this mail, and write it in the first line.",
        Language::Ru => "Чтобы что-то сказать, ответьте на это письмо: напишите это в первой строке.",
    };
    if says.buttons.is_empty() { text } else { format!("{text}\n\n{hint}") }
}
