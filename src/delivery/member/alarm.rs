//! How the people of a community who look after others are told that somebody needs them.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{MailLetter, Means, MessageError, webhook};
use crate::domain::concern::Level;
use crate::domain::ids::{CommunityId, ConcernId};
use crate::domain::language::Language;

/// The word for programs.
const KIND: &str = "mostik.concern.v1";

/// The same, where somebody only tries whether it arrives.
const TRIAL: &str = "mostik.concern-trial.v1";

/// How the people of one level are told.
#[derive(Clone, Debug)]
pub struct Channel {
    /// By which way.
    pub means: Means,
    /// To which address, where it is mail; in which room, where it is a platform.
    pub to: String,
    /// Whether it is the community's own, so that it may say whom it is about. Mail never does.
    pub names_member: bool,
}

/// Somebody needs a person.
#[derive(Clone)]
pub struct Alarm {
    /// Its id: the same however often it is tried.
    pub id: Uuid,
    /// When it is sent.
    pub at: Timestamp,
    /// Which concern it is about; `None`: it only tries whether it arrives.
    pub concern: Option<ConcernId>,
    /// Whose people are told.
    pub community: CommunityId,
    /// Who of them.
    pub level: Level,
    /// The name under which the community knows the member, where the channel may say it.
    pub handle: Option<String>,
    /// When the concern was raised.
    pub raised_at: Timestamp,
    /// Its language.
    pub language: Language,
    /// What it is about: nothing that a stranger learns from.
    pub subject: String,
    /// What it says: neither about whom nor why.
    pub text: String,
    /// Where a program acknowledges it.
    pub acknowledge: String,
}

impl Channel {
    /// Tells the people of this level.
    ///
    /// # Errors
    /// [`MessageError`]. Whether it arrived nevertheless is not always known.
    pub async fn tell(&self, alarm: &Alarm) -> Result<(), MessageError> {
        let Alarm { id, at, subject, text, .. } = alarm;
        match &self.means {
            Means::Webhook { url, secrets, egress } => {
                let kind = if alarm.concern.is_some() { KIND } else { TRIAL };
                let letter = webhook::Letter { id: *id, kind, at: *at, data: alarm.data(self.names_member) };
                webhook::send(url, secrets, egress, letter).await
            }
            Means::Mail(settings) => {
                settings.send(MailLetter { id: *id, at: *at, to: &self.to, subject, text, answers: None }).await
            }
            Means::Platform(platform) => {
                let who = alarm.handle.as_deref().filter(|_| self.names_member);
                let lines: Vec<&str> = [Some(subject.as_str()), who, Some(text)].into_iter().flatten().collect();
                platform.post(&self.to, *id, &lines.join("\n\n")).await
            }
        }
    }
}

impl Alarm {
    fn data(&self, names_member: bool) -> Value {
        let mut data = json!({
            "concern": self.concern,
            "community": self.community,
            "level": self.level,
            "raised_at": self.raised_at.to_string(),
            "language": self.language,
            "subject": self.subject,
            "text": self.text,
            "acknowledge": self.acknowledge,
        });
        if let (true, Some(handle), Value::Object(said)) = (names_member, &self.handle, &mut data) {
            said.insert("handle".to_owned(), json!(handle));
        }
        data
    }
}

impl std::fmt::Debug for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Alarm({})", self.id)
    }
}
