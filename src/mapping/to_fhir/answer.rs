//! What a member says to something that a clinic has for them → the part of its Task that changes, or a Communication.

use serde_json::{Map, Value, json};

use super::communication::Communication;
use super::provenance::provenance;
use super::shape::{Reference, instant, practitioner};
use super::{MappingError, Recipient};
use crate::consent::decide::Permit;
use crate::domain::language::Language;
use crate::domain::outbound::Outbound;
use crate::domain::recommendation::{Answer, Reply, Says};

/// The part of a Task that a member's answer changes: whose Task it is and where it stands there come with it, so that no
/// other is changed. `None` for a question, which changes nothing.
#[must_use]
pub fn task_answer(permit: &Permit<'_, Reply<'_>>, recipient: Recipient<'_>, language: Language) -> Option<Outbound> {
    let reply = permit.item();
    let words = Words(language);
    let recorded = instant(recipient.recorded);
    let mut task = Map::new();
    let mut set = |name: &str, value: Value| drop(task.insert(name.to_owned(), value));
    set("resourceType", json!("Task"));
    set("id", json!(reply.to.id));
    set("for", json!({"reference": format!("Patient/{}", recipient.patient)}));
    set("lastModified", json!(recorded));
    match reply.says {
        Says::Delivered => set("status", json!("received")),
        Says::Seen => {
            set("status", json!("received"));
            set("businessStatus", json!({"text": words.seen()}));
        }
        Says::Answer(Answer::Accept) => {
            set("status", json!("accepted"));
            set("businessStatus", json!({"text": words.accepted()}));
        }
        Says::Answer(Answer::Decline { reason }) => {
            set("status", json!("rejected"));
            set("statusReason", json!({"text": reason.as_deref().unwrap_or(words.declined())}));
            set("businessStatus", json!({"text": words.declined()}));
        }
        Says::Answer(Answer::Done) => {
            set("status", json!("completed"));
            set("businessStatus", json!({"text": words.done()}));
            set("output", json!([{"type": {"text": words.done()}, "valueDateTime": recorded}]));
        }
        Says::Answer(Answer::Question { .. }) => return None,
    }
    Some(Outbound {
        resource_type: "Task".into(),
        identifier: recipient.identifier.to_string(),
        is_part: false,
        body: Value::Object(task).to_string().into_bytes(),
    })
}

/// A member's answer as a message: for a question, and where the EHR lets nobody go on with its Tasks. `is_part`: a Task
/// says the same, where it can. `None` where there is nothing to say.
///
/// # Errors
/// [`MappingError`]; never for an answer that was taken.
pub fn message(
    permit: &Permit<'_, Reply<'_>>,
    recipient: Recipient<'_>,
    is_part: bool,
    language: Language,
) -> Result<Option<Outbound>, MappingError> {
    let (reply, words) = (permit.item(), Words(language));
    let Says::Answer(answer) = reply.says else { return Ok(None) };
    let text = match answer {
        Answer::Accept => words.accepted().to_owned(),
        Answer::Decline { reason: None } => words.declined().to_owned(),
        Answer::Decline { reason: Some(reason) } => format!("{} {reason}", words.declined()),
        Answer::Done => words.done().to_owned(),
        Answer::Question { text } => text.clone(),
    };
    let provenance = provenance(recipient, permit)?;
    let mut said = Communication::new(permit, recipient, provenance, [], text);
    let about = format!("{}/{}", reply.to.resource_type, reply.to.id);
    let about = Some([Reference { reference: Some(about), ..Reference::default() }]);
    // A reply to a message; anything else is what it is based on (R4, communication.html).
    if reply.to.resource_type == "Communication" {
        said.in_response_to = about;
    } else {
        said.based_on = about;
    }
    said.recipient = recipient.practitioner.map(|named| [practitioner(named)]);
    said.outbound(is_part).map(Some)
}

/// What whoever reads the record is told.
#[derive(Clone, Copy)]
struct Words(Language);

impl Words {
    const fn seen(self) -> &'static str {
        match self.0 {
            Language::En => "Read by the patient",
            Language::Ru => "Прочитано пациентом",
        }
    }

    const fn accepted(self) -> &'static str {
        match self.0 {
            Language::En => "Accepted by the patient",
            Language::Ru => "Принято пациентом",
        }
    }

    const fn declined(self) -> &'static str {
        match self.0 {
            Language::En => "Declined by the patient.",
            Language::Ru => "Пациент отказывается.",
        }
    }

    const fn done(self) -> &'static str {
        match self.0 {
            Language::En => "Done, as the patient says",
            Language::Ru => "Выполнено, по словам пациента",
        }
    }
}
