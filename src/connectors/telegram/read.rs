//! What Telegram brings: an Update (Bot API 9, "Getting updates"). What was written in a group that is counted is
//! looked at and forgotten.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::connectors::{Happened, Heard, Refused, Spoken, Undone, Words, Wrote};
use crate::domain::activity::Deed;
use crate::domain::language::Language;

/// An Update, as far as it is looked at.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "Telegram calls them so")]
struct Update {
    update_id: i64,
    message: Option<Message>,
    callback_query: Option<CallbackQuery>,
    message_reaction: Option<Reaction>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "Telegram calls them so")]
struct Message {
    message_id: i64,
    from: Option<User>,
    /// Whoever writes in the name of a group or a channel is nobody in particular.
    sender_chat: Option<IgnoredAny>,
    chat: Chat,
    date: i64,
    text: Option<String>,
    /// What stands below a picture, a video, a file.
    caption: Option<String>,
    reply_to_message: Option<Box<Answered>>,
    #[serde(flatten)]
    content: Content,
}

/// Whether there is something in a message, beside words: what is none of these is Telegram's own, such as that somebody came.
#[derive(Deserialize)]
struct Content {
    animation: Option<IgnoredAny>,
    audio: Option<IgnoredAny>,
    document: Option<IgnoredAny>,
    location: Option<IgnoredAny>,
    photo: Option<IgnoredAny>,
    poll: Option<IgnoredAny>,
    sticker: Option<IgnoredAny>,
    video: Option<IgnoredAny>,
    video_note: Option<IgnoredAny>,
    voice: Option<IgnoredAny>,
}

/// The message that another one answers.
#[derive(Deserialize)]
struct Answered {
    from: Option<User>,
    sender_chat: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    is_bot: bool,
    language_code: Option<String>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct CallbackQuery {
    id: String,
    from: User,
    message: Option<Pressed>,
    data: Option<String>,
}

/// The message that a button stands below.
#[derive(Deserialize)]
struct Pressed {
    chat: Chat,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "Telegram calls them so")]
struct Reaction {
    chat: Chat,
    message_id: i64,
    user: Option<User>,
    date: i64,
    old_reaction: Vec<IgnoredAny>,
    new_reaction: Vec<IgnoredAny>,
}

/// Reads an Update. What happens in other groups than these is not looked at.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn read(body: &[u8], counted: &BTreeSet<i64>) -> Result<Vec<Heard>, Refused> {
    let update: Update = serde_json::from_slice(body).map_err(|_| Refused::Malformed("expected an Update"))?;
    let Update { update_id, message, callback_query, message_reaction } = update;
    let mut heard = Vec::new();
    if let Some(message) = message {
        if message.chat.kind == "private" {
            heard.extend(said(update_id, message));
        } else if counted.contains(&message.chat.id) {
            heard.extend(written(&message)?);
        }
    }
    heard.extend(callback_query.and_then(pressed));
    if let Some(reaction) = message_reaction.filter(|it| counted.contains(&it.chat.id)) {
        heard.extend(reacted(reaction)?);
    }
    Ok(heard)
}

fn said(update_id: i64, message: Message) -> Option<Heard> {
    let from = message.from.filter(|from| !from.is_bot)?;
    let text = message.text.or(message.caption);
    Some(Heard::Said(Spoken {
        id: format!("update-{update_id}"),
        language: from.language(),
        handle: from.id.to_string(),
        conversation: message.chat.id.to_string(),
        words: text.as_deref().map_or(Words::Written(String::new()), words),
    }))
}

/// A command as people of Telegram are used to: `/help` is the word help, and `/start` the beginning, whatever a link hands on
/// with it. Whoever writes more below or behind a command is heard as in a letter: the command is its first line, and a cry for
/// help is found wherever it stands.
fn words(text: &str) -> Words {
    let Some(said) = text.strip_prefix('/') else { return Words::Written(text.to_owned()) };
    let (command, more) = said.split_once(char::is_whitespace).unwrap_or((said, ""));
    let (command, more) = (command.split('@').next().unwrap_or(command), more.trim());
    match command {
        "start" if is_handed_on(more) => Words::Pressed("menu".to_owned()),
        command if more.is_empty() => Words::Written(command.replace('_', " ")),
        command => Words::Letter(format!("{}\n{more}", command.replace('_', " "))),
    }
}

/// Whether this may be what a link hands on with `/start` ("Deep Linking"), and is nothing that somebody wrote.
fn is_handed_on(more: &str) -> bool {
    more.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn pressed(query: CallbackQuery) -> Option<Heard> {
    let chat = query.message.filter(|message| message.chat.kind == "private")?.chat;
    Some(Heard::Said(Spoken {
        id: query.id,
        language: query.from.language(),
        handle: query.from.id.to_string(),
        conversation: chat.id.to_string(),
        words: Words::Pressed(query.data?),
    }))
}

/// Somebody wrote in a group that is counted, and perhaps to somebody.
fn written(message: &Message) -> Result<Vec<Heard>, Refused> {
    let Some(from) = message.from.as_ref().filter(|from| !from.is_bot && message.sender_chat.is_none()) else {
        return Ok(Vec::new());
    };
    if message.text.is_none() && !message.content.is_something() {
        return Ok(Vec::new());
    }
    let (id, at) = (format!("message-{}-{}", message.chat.id, message.message_id), instant(message.date)?);
    let answered = message.reply_to_message.as_ref().filter(|answered| answered.sender_chat.is_none());
    let answered = answered.and_then(|answered| answered.from.as_ref());
    let deed = if answered.is_some() { Deed::Replied } else { Deed::Posted };
    let got = answered.filter(|whom| !whom.is_bot && whom.id != from.id);
    let got = got.map(|whom| happened(format!("{id}-got"), whom, at, Deed::GotReply));
    let wrote = message.text.as_ref().or(message.caption.as_ref()).cloned();
    let wrote = wrote.map(|text| Heard::Wrote(Wrote { handle: from.id.to_string(), text }));
    Ok([happened(id, from, at, deed)].into_iter().chain(got).chain(wrote).collect())
}

/// Somebody reacted, or took it back. Whose message it was Telegram does not say.
fn reacted(reaction: Reaction) -> Result<Option<Heard>, Refused> {
    let Some(user) = reaction.user.filter(|user| !user.is_bot) else { return Ok(None) };
    let id = format!("reaction-{}-{}-{}", reaction.chat.id, reaction.message_id, user.id);
    Ok(match (reaction.old_reaction.is_empty(), reaction.new_reaction.is_empty()) {
        (true, false) => Some(happened(id, &user, instant(reaction.date)?, Deed::Reacted)),
        (false, true) => Some(Heard::Undone(Undone { id, handle: user.id.to_string() })),
        _ => None,
    })
}

fn happened(id: String, whose: &User, at: Timestamp, deed: Deed) -> Heard {
    Heard::Happened(Happened { id, handle: whose.id.to_string(), at, deed })
}

fn instant(seconds: i64) -> Result<Timestamp, Refused> {
    Timestamp::from_second(seconds).map_err(|_| Refused::Malformed("expected a time that there is"))
}

impl User {
    /// The language of their app (an IETF language tag), if it is one of the bridge's.
    fn language(&self) -> Option<Language> {
        self.language_code.as_deref().and_then(|tag| Language::from_name(tag.split('-').next().unwrap_or(tag)))
    }
}

impl Content {
    const fn is_something(&self) -> bool {
        self.animation.is_some()
            || self.audio.is_some()
            || self.document.is_some()
            || self.location.is_some()
            || self.photo.is_some()
            || self.poll.is_some()
            || self.sticker.is_some()
            || self.video.is_some()
            || self.video_note.is_some()
            || self.voice.is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// How something is heard that somebody sends in private.
    fn heard(sent: &Value) -> Words {
        let mut message = json!({
            "message_id": 1, "date": 1_790_000_000, "chat": {"id": 4101, "type": "private"},
            "from": {"id": 4101, "is_bot": false},
        });
        message.as_object_mut().unwrap().extend(sent.as_object().unwrap().clone());
        let update = json!({"update_id": 1, "message": message});
        match read(update.to_string().as_bytes(), &BTreeSet::new()).unwrap().remove(0) {
            Heard::Said(spoken) => spoken.words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_command_is_its_word_and_what_is_written_behind_it_is_not_lost() {
        let (written, letter) =
            (|text: &str| Words::Written(text.to_owned()), |text: &str| Words::Letter(text.to_owned()));
        let menu = || Words::Pressed("menu".to_owned());
        for (text, words) in [
            ("I want to die", written("I want to die")),
            ("/help", written("help")),
            ("/check_in@bridge_bot", written("check in")),
            ("/stop ", written("stop")),
            ("/", written("")),
            ("/start", menu()),
            ("/start@bridge_bot", menu()),
            ("/start aGVsbG8_-1", menu()),
            ("/start I want to die", letter("start\nI want to die")),
            ("/help I want to die", letter("help\nI want to die")),
            ("/stop@bridge_bot please,\nI mean it", letter("stop\nplease,\nI mean it")),
            ("/help\nI want to die", letter("help\nI want to die")),
        ] {
            assert!(heard(&json!({"text": text})) == words, "{text}");
        }
    }

    #[test]
    fn of_a_picture_what_stands_below_it_is_heard() {
        let photo = json!([{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}]);
        let below = heard(&json!({"photo": photo, "caption": "I want to die"}));
        assert!(below == Words::Written("I want to die".to_owned()));
        assert!(heard(&json!({"photo": photo, "caption": "/help"})) == Words::Written("help".to_owned()));
        assert!(heard(&json!({"photo": photo})) == Words::Written(String::new()), "it is answered");
    }
}
