//! The words of messages that lead members to the portal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use url::Url;

use super::texts::{TextError, Texts};
use crate::domain::ids::{CommunityId, ConcernId};
use crate::domain::language::Language;
use crate::enrolment::sign_in::LinkWords;
use crate::safety::AlarmWords;

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

impl LinkWords for Words {
    fn words(&self, language: Language, community: &CommunityId, link: &Url) -> (String, String) {
        let name = self.communities.get(community).map_or(community.as_str(), String::as_str);
        let subject = self.texts.say(language, "message-subject", &[]);
        let text =
            self.texts.say(language, "message-text", &[("community", name.into()), ("link", link.as_str().into())]);
        (subject, text)
    }
}
