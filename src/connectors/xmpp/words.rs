//! What the component says of its own accord.

use crate::domain::language::Language;

/// That it cannot read what is encrypted.
pub const fn encrypted(language: Language) -> &'static str {
    match language {
        Language::En => {
            "I cannot read what is encrypted, and I have taken nothing of it. Please switch encryption off for this \
             conversation: what we say then lies readable on the servers of both of us, and whoever runs them could read it."
        }
        Language::Ru => {
            "Я не могу читать зашифрованное, и ничего из этого не беру. Пожалуйста, отключите шифрование для этой беседы: \
             то, что мы тогда говорим, лежит открыто на серверах нас обоих, и те, кто ими управляет, могли бы это прочитать."
        }
    }
}
