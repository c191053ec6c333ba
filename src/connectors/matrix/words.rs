//! What the bridge says in a room of its own accord.

use crate::domain::language::Language;

/// That it cannot read what is encrypted, and where it can be talked with.
pub const fn encrypted(language: Language) -> &'static str {
    match language {
        Language::En => {
            "I cannot read what is said in an encrypted room, and I take nothing from here. I have invited you to another \
             room, which is not encrypted: what we say there lies readable on this server, and whoever runs it could read it. \
             I am leaving this room now."
        }
        Language::Ru => {
            "Я не могу читать то, что пишут в зашифрованной комнате, и ничего отсюда не беру. Для вас есть приглашение в \
             другую комнату, без шифрования: то, что мы говорим там, хранится на этом сервере открыто, и те, кто им \
             управляет, могли бы это прочитать. Отсюда я ухожу."
        }
    }
}
