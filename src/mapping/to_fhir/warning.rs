//! Warning → Communication: a person decided that a clinic is told, and this is that telling. For an EHR that takes
//! none, the same as a note.
//!
//! Why no Flag: it would say of the patient, until somebody takes it away, what nobody has assessed. Why no Observation
//! of the answer: a concern holds no answer, and would have to, of people who share nothing. Why no Condition: a screen
//! is no diagnosis. What R4 has for "somebody should look at this now" is a Communication of the category alert.

use jiff::Timestamp;

use super::codes::{ACT_CODE, ACT_REASON, COMMUNICATION_CATEGORY, LOINC};
use super::communication::Communication;
use super::provenance::of_warning;
use super::shape::{Coding, Concept, Identifier, Reference};
use super::{MappingError, Recipient};
use crate::consent::decide::Permit;
use crate::domain::concern::Rule;
use crate::domain::language::Language;
use crate::domain::outbound::Outbound;
use crate::domain::warning::{Warning, WarningPurpose};

/// The question that PHQ-9 asks ninth (LOINC 44260-8), as LOINC calls it.
const SELF_HARM: (&str, &str) =
    ("44260-8", "Thoughts that you would be better off dead, or of hurting yourself in some way");

/// Use it for this purpose only (HL7 v3 `ActCode`, refrain policy): nobody consented to another one.
const NO_REUSE: &str = "NOREUSE";

/// Who answers a clinic's questions: the operator, and how to reach them.
#[derive(Clone, Copy)]
pub struct Operator<'a> {
    /// Who they are; empty if nobody said.
    pub name: &'a str,
    /// How to reach them; empty if nobody said.
    pub contact: &'a str,
}

/// Maps the warning of a permit to what its clinic receives: that there was such an answer, when, and why this is told
/// without consent. Neither the answer itself nor anything else about the patient.
///
/// # Errors
/// [`MappingError`]; never for a warning that somebody decided on.
pub fn warning(
    permit: &Permit<'_, Warning>,
    recipient: Recipient<'_>,
    language: Language,
    operator: Operator<'_>,
) -> Result<Outbound, MappingError> {
    let warning = permit.item();
    let Warning { rule: Rule::SelfHarm, decided, .. } = warning else { return Err(MappingError::NoWarning) };
    let further = [Coding::new(ACT_CODE, NO_REUSE), Coding::new(ACT_REASON, decided.purpose.as_str())];
    let provenance = of_warning(recipient, decided.purpose)?;
    let mut said = Communication::new(permit, recipient, provenance, further, text(warning, language, operator));
    said.category = Some([Coding::said(COMMUNICATION_CATEGORY, "alert", "Alert").into()]);
    said.priority = Some("urgent");
    said.sender = Reference {
        r#type: Some("Device"),
        identifier: Some(Identifier { system: "urn:ietf:rfc:3986", value: recipient.source.to_owned() }),
        display: Some("mostik"),
        ..Reference::default()
    };
    let (code, display) = SELF_HARM;
    said.reason_code = Some([Concept::called(Coding::said(LOINC, code, display), title(language))]);
    said.outbound(false)
}

/// What it is called.
const fn title(language: Language) -> &'static str {
    match language {
        Language::En => "Your patient may be in danger",
        Language::Ru => "Ваш пациент может быть в опасности",
    }
}

/// What it says, complete in itself.
fn text(warning: &Warning, language: Language, operator: Operator<'_>) -> String {
    let (answered, decided) = (time(warning.raised_at), time(warning.decided.at));
    let (purpose, basis) = (purpose(warning.decided.purpose, language), &warning.legal_basis);
    let paragraphs = match language {
        Language::En => [
            format!("{}.", title(language)),
            format!(
                "What is known: an answer of theirs to question 9 of PHQ-9, which came in on {answered}, says that \
                 they have been bothered by thoughts of being better off dead or of hurting themselves. Nobody has \
                 assessed them, and nothing else about them is in this message."
            ),
            "Please get in touch with them. This message is no emergency call: nobody here knows whether and when \
             somebody reads it."
                .to_owned(),
            format!(
                "It is told without their consent. A person of their community who looks after its members decided so \
                 on {decided}, for this purpose only: {purpose}. Legal basis: {basis}"
            ),
        ],
        Language::Ru => [
            format!("{}.", title(language)),
            format!(
                "Что известно: ответ пациента на вопрос 9 опросника PHQ-9, полученный {answered}, говорит о мыслях о \
                 том, что лучше было бы умереть, или о том, чтобы причинить себе вред. Состояние никто не оценивал, и \
                 больше ничего о пациенте в этом сообщении нет."
            ),
            "Пожалуйста, свяжитесь с пациентом. Это сообщение — не экстренный вызов: здесь не известно, прочтёт ли его \
             кто-нибудь и когда."
                .to_owned(),
            format!(
                "Об этом сообщается без согласия пациента. Так решил {decided} человек из сообщества, который \
                 заботится о его участниках, и только с этой целью: {purpose}. Правовое основание: {basis}"
            ),
        ],
    };
    let asked = [operator.name, operator.contact].into_iter().filter(|part| !part.is_empty());
    let asked = asked.collect::<Vec<_>>().join(", ");
    let questions = match language {
        Language::En => "Questions",
        Language::Ru => "Вопросы",
    };
    let whom = (!asked.is_empty()).then(|| format!("{questions}: {asked}"));
    paragraphs.into_iter().chain(whom).collect::<Vec<_>>().join("\n\n")
}

/// What it may be used for.
const fn purpose(purpose: WarningPurpose, language: Language) -> &'static str {
    match (purpose, language) {
        (WarningPurpose::EmergencyTreatment, Language::En) => "emergency treatment (ETREAT)",
        (WarningPurpose::EmergencyTreatment, Language::Ru) => "экстренная помощь (ETREAT)",
        (WarningPurpose::Threat, Language::En) => "averting a threat to life or health (THREAT)",
        (WarningPurpose::Threat, Language::Ru) => "предотвращение угрозы жизни или здоровью (THREAT)",
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
