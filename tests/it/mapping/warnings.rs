//! Warning → FHIR: that a patient may be in danger, as a message and as a note; a snapshot of each, judged by both
//! validators.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mostik::consent::decide::warn;
use mostik::domain::concern::Rule;
use mostik::domain::ids::{ConcernId, MemberId};
use mostik::domain::language::Language;
use mostik::domain::warning::{Decided, Warning, WarningPolicy, WarningPurpose};
use mostik::mapping::to_fhir::{Operator, Recipient, document, warning};
use serde_json::Value;
use uuid::Uuid;

use crate::support::validate::assert_valid;

/// What the clinic receives, in its language.
pub fn mapped(language: Language, purpose: WarningPurpose) -> Value {
    let basis = match language {
        Language::En => "Article 9(2)(c) GDPR (vital interests)",
        Language::Ru => "статья 9(2)(c) GDPR (жизненно важные интересы)",
    };
    let decided_at = "2026-11-20T12:05:30Z".parse().unwrap();
    let about = Warning {
        member: MemberId(Uuid::from_u128(1)),
        concern: ConcernId(Uuid::from_u128(2)),
        rule: Rule::SelfHarm,
        raised_at: "2026-11-20T11:58:00Z".parse().unwrap(),
        decided: Decided { at: decided_at, purpose },
        legal_basis: basis.to_owned(),
    };
    let policy =
        WarningPolicy { purpose, legal_basis: [(language, basis.to_owned())].into(), tell_member: true, language };
    let clinic = "riverside".parse().unwrap();
    let permit = warn(Some(&policy), &about, &clinic, decided_at).unwrap();
    let recipient = Recipient {
        patient: "pat-1",
        identifier: Uuid::from_u128(4),
        source: "urn:mostik:test",
        recorded: decided_at,
        practitioner: None,
    };
    let operator = Operator { name: "The forum e.V.", contact: "privacy@forum.example" };
    let outbound = warning(&permit, recipient, language, operator).unwrap();
    assert_eq!((outbound.resource_type.as_ref(), outbound.is_part), ("Communication", false));
    serde_json::from_slice(&outbound.body).unwrap()
}

#[tokio::test]
async fn a_warning_leaves_as_an_alert_for_one_purpose_and_is_valid() {
    let emergency = mapped(Language::En, WarningPurpose::EmergencyTreatment);
    insta::assert_json_snapshot!("warning_en", emergency);
    assert_valid(&emergency).await;
    let threat = mapped(Language::Ru, WarningPurpose::Threat);
    insta::assert_json_snapshot!("warning_ru", threat);
    assert_valid(&threat).await;
}

#[tokio::test]
async fn an_ehr_that_takes_no_messages_gets_the_same_as_a_note() {
    for (name, language) in [("warning_note_en", Language::En), ("warning_note_ru", Language::Ru)] {
        let note = document(&mapped(language, WarningPurpose::EmergencyTreatment)).unwrap();
        let data = note["content"][0]["attachment"]["data"].as_str().unwrap();
        let words = String::from_utf8(BASE64_STANDARD.decode(data).unwrap()).unwrap();
        assert!(words.lines().all(|line| line.chars().count() <= 80), "{words}");
        insta::assert_snapshot!(name, words);
        assert!(note.get("author").is_none(), "the patient did not write it");
        let labels = note["meta"]["security"].as_array().unwrap().iter().map(|label| label["code"].as_str().unwrap());
        assert_eq!(labels.collect::<Vec<_>>(), ["R", "PSY", "NOREUSE", "ETREAT", "PATAST"]);
        assert_valid(&note).await;
    }
}
