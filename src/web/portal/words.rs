//! The words of messages that lead members to the portal. What stands in a subject, and in a message of the lowest grade, says
//! nothing of what there is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use url::Url;

use super::messages::{before, what};
use super::texts::{TextError, Texts};
use crate::announcing::{AnnouncementWords, Says};
use crate::domain::ids::{CommunityId, ConcernId};
use crate::domain::language::Language;
use crate::domain::telling::{Channel, Grade};
use crate::enrolment::sign_in::LinkWords;
use crate::safety::AlarmWords;
use crate::telling::{Item, Saying, TellingWords, What};

/// Makes the words of messages.
#[derive(Debug)]
pub struct Words {
    texts: Texts,
    communities: BTreeMap<CommunityId, String>,
}

impl Words {
    /// The words for members of these communities, each with its name.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(communities: BTreeMap<CommunityId, String>) -> Result<Self, TextError> {
        Ok(Self { texts: Texts::load()?, communities })
    }
}

impl AlarmWords for Words {
    fn alarm(&self, language: Language, concern: Option<(ConcernId, Timestamp)>) -> (String, String) {
        let subject = self.texts.say(language, "alarm-subject", &[]);
        let Some((id, raised_at)) = concern else {
            return (subject, self.texts.say(language, "alarm-trial", &[]));
        };
        let (id, raised_at) = (id.to_string(), raised_at.strftime("%F %H:%M UTC").to_string());
        (subject, self.texts.say(language, "alarm-text", &[("concern", id.into()), ("time", raised_at.into())]))
    }
}

impl AnnouncementWords for Words {
    fn announcement(&self, language: Language, says: &Says<'_>, link: &Url) -> String {
        let link = ("link", link.as_str().into());
        match *says {
            Says::Material { title, clinic, version } => {
                let key = if version > 1 { "announce-material-again" } else { "announce-material" };
                self.texts.say(language, key, &[("title", title.into()), ("clinic", clinic.into()), link])
            }
            Says::Session { title, clinic, starts, zone } => {
                let shown = starts.shown();
                let day = self.texts.date(language, shown.date());
                let time = format!("{:02}:{:02}", shown.hour(), shown.minute());
                let when = [("day", day.into()), ("time", time.into()), ("zone", zone.into())];
                let what = [("title", title.get(language).into()), ("clinic", clinic.into()), link];
                self.texts.say(language, "announce-session", &what.into_iter().chain(when).collect::<Vec<_>>())
            }
        }
    }
}

impl LinkWords for Words {
    fn words(&self, language: Language, community: &CommunityId, link: &Url) -> (String, String) {
        let name = self.communities.get(community).map_or(community.as_str(), String::as_str);
        let subject = self.texts.say(language, "message-subject", &[]);
        let text =
            self.texts.say(language, "message-text", &[("community", name.into()), ("link", link.as_str().into())]);
        (subject, text)
    }
}

impl TellingWords for Words {
    fn words(&self, language: Language, saying: &Saying<'_>) -> (String, String) {
        let say = |key: &str, with: &[(&str, &str)]| {
            let with: Vec<_> = with.iter().map(|(name, value)| (*name, (*value).into())).collect();
            self.texts.say(language, key, &with)
        };
        let subject = self.texts.say(language, "told-subject", &[("count", saying.items.len().into())]);
        let open: Vec<&Item> = saying.items.iter().filter(|item| item.grade_in(saying.most) > Grade::Notice).collect();
        let mut parts: Vec<String> = open.iter().map(|item| self.item(language, item, saying.most)).collect();
        match (parts.is_empty(), open.len() < saying.items.len()) {
            (true, _) if saying.items.iter().any(|item| item.what == What::Wished) => {
                parts.push(say("told-wished", &[]));
            }
            (true, _) => parts.push(say("told-notice", &[])),
            (false, true) => parts.push(say("told-more", &[])),
            (false, false) => {}
        }
        if saying.takes_a_word() {
            parts.push(say("told-answer-here", &[]));
        }
        if let Some(link) = saying.link {
            parts.push(format!("{}\n{link}", say("told-link", &[])));
        }
        parts.extend(
            saying.closed.iter().map(|channel| say("told-closed", &[("channel", &self.channel(language, channel))])),
        );
        if saying.link.is_some() {
            parts.push(say("told-how", &[]));
        }
        (subject, parts.join("\n\n"))
    }
}

impl Words {
    /// What is said of something, where anything is.
    fn item(&self, language: Language, item: &Item, most: Grade) -> String {
        let say = |key: &str, name: &str, value: &str| self.texts.say(language, key, &[(name, value.into())]);
        let What::Kept(kind) = item.what else { return self.texts.say(language, "told-notice", &[]) };
        let Some(says) = &item.says else { return say("told-retracted", "clinic", &item.clinic) };
        let kind = self.texts.say(language, what(kind), &[]);
        let head = [("what", kind.as_str().into()), ("clinic", item.clinic.as_str().into())];
        let head = self.texts.say(language, "told-summary", &head);
        if item.grade_in(most) < Grade::Full {
            return head;
        }
        let unclear = || self.texts.say(language, "message-unclear", &[]);
        let text = if says.is_unclear { unclear() } else { says.text.clone() };
        let by = says.by.as_ref().map(|who| say("told-full-by", "who", who));
        let before = before(says).map(|key| self.texts.say(language, key, &[]));
        let parts = std::iter::once(head).chain(before).chain((!text.is_empty()).then_some(text)).chain(by);
        parts.collect::<Vec<_>>().join("\n")
    }

    /// What a channel is called.
    fn channel(&self, language: Language, channel: &Channel) -> String {
        match channel {
            Channel::Push => self.texts.say(language, "told-way-push", &[]),
            Channel::Community(community) => {
                let name = self.communities.get(community).map_or(community.as_str(), String::as_str);
                self.texts.say(language, "told-way-community", &[("community", name.into())])
            }
        }
    }
}
