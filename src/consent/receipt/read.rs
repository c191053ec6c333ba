//! A receipt in plain words.

use super::{Party, Receipt};
use crate::consent::words::{self, Row};
use crate::domain::consented::{Change, Method};
use crate::domain::grant::{Addressee, Terms};
use crate::domain::language::Language;

/// What a receipt says, line by line, in a language.
#[must_use]
pub fn rows(receipt: &Receipt, language: Language) -> Vec<Row> {
    let say = |english, russian| match language {
        Language::En => english,
        Language::Ru => russian,
    };
    let version = |version: i32| format!("{} {version}", say("version", "версия"));
    let practitioner = Some(parties(receipt, "practitioner")).filter(|named| !named.is_empty());
    let consent = format!("{}, {}", receipt.record_id, version(receipt.record_version));
    let mut rows = vec![
        Row { name: say("Receipt", "Квитанция"), value: receipt.receipt_id.to_string() },
        Row { name: say("Issued", "Выдана"), value: words::instant(receipt.receipt_timestamp) },
        Row { name: say("Consent", "Согласие"), value: consent },
        Row { name: say("For the clinic", "Для клиники"), value: parties(receipt, "recipient") },
    ];
    rows.extend(words::terms(&terms(receipt), practitioner.as_deref(), language));
    let fixed = [
        (say("By what right", "На каком основании"), say("explicit consent", "явное согласие")),
        (say("Kept by this service", "Хранится в этом сервисе"), say("until it has arrived", "пока не дойдёт")),
        (say("Kept by the clinic", "Хранится в клинике"), say("as long as its law says", "сколько требует закон")),
        (
            say("How to take it back", "Как отозвать"),
            say("at any time, in the portal or the app", "в любой момент, на портале или в приложении"),
        ),
    ];
    rows.extend(fixed.map(|(name, value)| Row { name, value: value.to_owned() }));
    let notice =
        receipt.pii_processing.privacy_notice.as_ref().map(|notice| {
            format!("{} ({}), SHA-256 {}", version(notice.version), notice.language.as_str(), notice.sha256)
        });
    let notice = notice.unwrap_or_else(|| say("not known", "неизвестно какой").to_owned());
    rows.push(Row { name: say("The text that was read", "Прочитанный текст"), value: notice });
    rows.push(Row { name: say("Responsible", "Ответственный"), value: parties(receipt, "controller") });
    rows.extend(receipt.events.iter().map(|event| {
        let change = Change::from_name(&event.event_type).map(|change| words::change(change, language));
        let method = Method::from_name(&event.collection_method).map(|method| words::method(method, language));
        let (change, method) = (change.unwrap_or_default(), method.unwrap_or_default());
        let (when, version) = (words::instant(event.event_time), version(event.record_version));
        Row { name: say("Done", "Сделано"), value: format!("{when}: {change} {method} ({version})") }
    }));
    rows
}

/// The terms that a receipt tells of; for whom, its parties say.
fn terms(receipt: &Receipt) -> Terms {
    let processing = &receipt.pii_processing;
    Terms {
        categories: processing.pii_information.iter().map(|shared| (shared.pii_type, shared.detail)).collect(),
        purposes: processing.purposes.iter().copied().collect(),
        valid_from: processing.valid_from,
        valid_until: processing.valid_until,
        data_from: processing.data_from,
        recipient: Addressee::Clinic,
        way_back: processing.way_back,
        withheld: processing.withheld.iter().copied().collect(),
    }
}

fn parties(receipt: &Receipt, role: &str) -> String {
    let called = |party: &Party| match &party.party_contact {
        Some(contact) => format!("{} ({contact})", party.party_name),
        None => party.party_name.clone(),
    };
    let found = receipt.party_identification.iter().filter(|party| party.party_role == role);
    found.map(called).collect::<Vec<_>>().join(", ")
}
