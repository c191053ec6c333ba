//! What WhatsApp brings: webhooks for the field `messages` (Cloud API, "Messages webhook reference"). Nothing of other numbers is
//! looked at, and nothing of groups: there, others read along.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::connectors::{Heard, Refused, Spoken, Words};

/// The longest id, in bytes: longer ones are none of WhatsApp's.
const LONGEST_ID: usize = 256;

/// What a webhook says.
#[derive(Default)]
pub struct Said {
    /// What somebody said, in its order.
    pub heard: Vec<Heard>,
    /// Why something of the bridge's did not arrive that had been taken (`errors` of a status), by the codes.
    pub failed: Vec<i64>,
}

#[derive(Deserialize)]
struct Webhook<'a> {
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    field: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Deserialize)]
struct Value {
    metadata: Metadata,
    #[serde(default)]
    contacts: Vec<Contact>,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default)]
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Metadata {
    phone_number_id: String,
}

/// Who wrote. What their name is, and their number if there is one, are not kept.
#[derive(Deserialize)]
struct Contact {
    wa_id: Option<String>,
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    from: Option<String>,
    from_user_id: Option<String>,
    group_id: Option<IgnoredAny>,
    #[serde(rename = "type")]
    kind: String,
    text: Option<Text>,
    interactive: Option<Interactive>,
    button: Option<Button>,
    image: Option<Media>,
    video: Option<Media>,
    document: Option<Media>,
}

#[derive(Deserialize)]
struct Text {
    body: String,
}

#[derive(Deserialize)]
struct Interactive {
    button_reply: Option<Reply>,
    list_reply: Option<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    id: String,
}

#[derive(Deserialize)]
struct Button {
    payload: String,
}

/// A picture, a video, a file: nothing of it is looked at but what was written below it.
#[derive(Deserialize)]
struct Media {
    caption: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    errors: Vec<Error>,
}

#[derive(Deserialize)]
struct Error {
    code: i64,
}

/// Reads a webhook, as far as it is about this number.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn read(body: &[u8], phone_number_id: &str) -> Result<Said, Refused> {
    let malformed = |_| Refused::Malformed("expected a webhook of WhatsApp");
    let webhook: Webhook<'_> = serde_json::from_slice(body).map_err(malformed)?;
    let mut said = Said::default();
    for change in webhook.entry.into_iter().flat_map(|entry| entry.changes).filter(|it| it.field == "messages") {
        let Value { metadata, contacts, messages, statuses } =
            serde_json::from_str(change.value.get()).map_err(malformed)?;
        if metadata.phone_number_id == phone_number_id {
            said.heard.extend(messages.into_iter().filter_map(|message| heard(message, &contacts)));
            said.failed.extend(statuses.into_iter().flat_map(|status| status.errors).map(|error| error.code));
        }
    }
    Ok(said)
}

/// What somebody said, where nobody else reads it.
fn heard(message: Message, contacts: &[Contact]) -> Option<Heard> {
    let handle = author(&message, contacts)?;
    let Message { id, group_id: None, kind, text, interactive, button, image, video, document, .. } = message else {
        return None;
    };
    let words = match kind.as_str() {
        "text" => Words::Written(text?.body),
        "interactive" => {
            let interactive = interactive?;
            Words::Pressed(interactive.button_reply.or(interactive.list_reply)?.id)
        }
        // A button of a template, which the operator wrote: what stands on it was said, if nothing else stands behind it.
        "button" => Words::Written(button?.payload),
        // Whoever sends something without a word is answered, too: they might wait for it.
        "image" | "video" | "document" | "audio" | "sticker" | "location" | "contacts" => {
            let media = image.or(video).or(document);
            Words::Written(media.and_then(|it| it.caption).unwrap_or_default())
        }
        _ => return None,
    };
    let is_id = |id: &str| (1..=LONGEST_ID).contains(&id.len());
    let is_whole = is_id(&id) && is_id(&handle);
    is_whole.then(|| Heard::Said(Spoken { id, conversation: handle.clone(), handle, words, language: None }))
}

/// The id of whoever wrote it: theirs for this business alone ("Business-scoped user IDs"), which stays when they hide their
/// number. Whoever has none is not heard: by their number they would be somebody else tomorrow.
fn author(message: &Message, contacts: &[Contact]) -> Option<String> {
    let of = |contact: &Contact| message.from.is_some() && contact.wa_id == message.from;
    let contact = match contacts {
        [alone] => Some(alone),
        several => several.iter().find(|contact| of(contact)),
    };
    message.from_user_id.clone().or_else(|| contact?.user_id.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_value(value: &serde_json::Value) -> Said {
        let change = json!({"field": "messages", "value": value});
        let webhook = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]});
        read(webhook.to_string().as_bytes(), "77").unwrap_or_else(|error| panic!("{error}"))
    }

    fn handles(value: &serde_json::Value) -> Vec<String> {
        let heard = read_value(value).heard.into_iter();
        heard
            .map(|it| match it {
                Heard::Said(spoken) => spoken.handle,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn whoever_wrote_is_known_by_the_id_that_stays_and_nobody_by_their_number() {
        let text = |from: &str| json!({"id": "wamid.1", "from": from, "type": "text", "text": {"body": "hi"}});
        let contact = |number: &str, id: &str| json!({"wa_id": number, "user_id": id, "profile": {"name": "S"}});
        let of = |contacts: serde_json::Value, messages: serde_json::Value| {
            let metadata = json!({"phone_number_id": "77", "display_phone_number": "1"});
            handles(&json!({"metadata": metadata, "contacts": contacts, "messages": messages}))
        };
        assert_eq!(of(json!([contact("491", "DE.1")]), json!([text("491")])), ["DE.1"]);
        let both = json!([contact("491", "DE.1"), contact("492", "DE.2")]);
        assert_eq!(of(both.clone(), json!([text("492"), text("491")])), ["DE.2", "DE.1"]);
        assert_eq!(of(both, json!([text("493")])), [""; 0]);
        let hidden = json!({"id": "wamid.1", "type": "text", "text": {"body": "hi"}, "from_user_id": "DE.3"});
        assert_eq!(of(json!([{"user_id": "DE.3"}]), json!([hidden])), ["DE.3"]);
        assert_eq!(of(json!([{"wa_id": "491"}]), json!([text("491")])), [""; 0]);
        assert_eq!(of(json!([]), json!([text("491")])), [""; 0]);
        let mut grouped = text("491");
        grouped["group_id"] = json!("Y2FwaV9ncm91");
        assert_eq!(of(json!([contact("491", "DE.1")]), json!([grouped])), [""; 0], "others read along");
    }

    #[test]
    fn what_stands_below_a_picture_is_heard_and_what_people_do_not_say_is_not() {
        let words = |kind: &str, what: serde_json::Value| {
            let message = json!({"id": "wamid.1", "from_user_id": "DE.1", "type": kind, kind: what});
            let heard = read_value(&json!({"metadata": {"phone_number_id": "77"}, "messages": [message]})).heard;
            heard.into_iter().next().map(|it| match it {
                Heard::Said(spoken) => spoken.words,
                other => panic!("{other:?}"),
            })
        };
        for kind in ["image", "video", "document"] {
            let captioned = words(kind, json!({"id": "24", "mime_type": "x/y", "caption": "I want to die"}));
            assert!(captioned == Some(Words::Written("I want to die".to_owned())), "{kind}");
        }
        for kind in ["image", "video", "document", "audio", "sticker"] {
            assert!(
                words(kind, json!({"id": "24", "mime_type": "x/y"})) == Some(Words::Written(String::new())),
                "{kind}"
            );
        }
        let location = words("location", json!({"latitude": 52.5, "longitude": 13.4}));
        assert!(location == Some(Words::Written(String::new())));
        for kind in ["reaction", "system", "unsupported", "order", "request_welcome"] {
            assert!(words(kind, json!({"message_id": "wamid.1"})).is_none(), "{kind}");
        }
    }

    #[test]
    fn other_numbers_and_other_fields_are_not_looked_at() {
        let message = json!({"id": "wamid.1", "from_user_id": "DE.1", "type": "text", "text": {"body": "hi"}});
        let status =
            json!({"id": "wamid.2", "status": "failed", "errors": [{"code": 131_026, "title": "Undeliverable"}]});
        let value = |number: &str| json!({"metadata": {"phone_number_id": number}, "messages": [message], "statuses": [status]});
        assert_eq!((read_value(&value("77")).heard.len(), read_value(&value("77")).failed), (1, vec![131_026]));
        assert_eq!((read_value(&value("78")).heard.len(), read_value(&value("78")).failed), (0, vec![]));
        let other =
            json!({"entry": [{"changes": [{"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}]}]});
        assert!(read(other.to_string().as_bytes(), "77").is_ok_and(|said| said.heard.is_empty()));
        for wrong in ["", "{}", "[]", "{\"entry\": [{\"changes\": [{\"field\": \"messages\", \"value\": 1}]}]}"] {
            assert!(read(wrong.as_bytes(), "77").is_err(), "{wrong}");
        }
    }
}
