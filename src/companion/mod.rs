//! The companion: a program that talks with members, by a script, with fixed answers. It is the same wherever they talk to it.
//!
//! 1. What somebody says leads from the place where their talk waits to another ([`talk`]).
//! 2. A place that does something does it by the functions that the portal has ([`act`]), and leads on by what became of it.
//! 3. Where the talk waits again, something is said; where it stands is kept ([`kept`]), sealed with the member's key.
//!
//! Where it stands is kept after all was done. Whoever says the same again because no answer came says it with the same key,
//! and nothing is done twice. Of two messages at once, the one that comes second to where the talk stands is heard again from
//! there.

mod act;
pub mod danger;
mod error;
mod forms;
mod kept;
pub mod meet;
mod messages;
pub mod rules;
pub mod script;
pub mod talk;
mod words;

pub use error::CompanionError;
pub use kept::KEPT_FOR;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use self::kept::{SaidMood, Stand};
use self::rules::OfRules;
use self::script::{Act, Became, Place, Takes, Waits};
use self::talk::{Said, Talk};
use crate::domain::consented::Method;
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::language::Language;
use crate::insight::entry::Teller;
use crate::pipeline::Bridge;
use crate::store::Tx;
use crate::vault::MemberKey;

/// The most places that a talk goes through before it waits again: more than any script has.
const MOST_STEPS: usize = 20;

/// How often a message is heard again because others of the same member were quicker: each time, one of those was answered.
const MOST_TRIES: usize = 32;

/// What a member says. Personal.
#[derive(Clone, Copy)]
pub struct Heard<'a> {
    /// Who.
    pub member: MemberId,
    /// What makes it the same when it is heard again.
    pub key: Uuid,
    /// When they said it.
    pub at: Timestamp,
    /// What they said; nothing, where they only look.
    pub said: Option<Said<'a>>,
    /// The number that was understood in it.
    number: Option<u8>,
    /// In which language they are answered.
    pub language: Language,
    /// How they say it.
    pub by: Method,
    /// In which community they say it, where that is known.
    pub community: Option<&'a CommunityId>,
}

/// What stands in a text.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Words. Personal.
    Text(String),
    /// A number.
    Number(i64),
    /// A day.
    Day(Date),
}

/// What stands in a text, by name.
pub type Values = Vec<(&'static str, Value)>;

/// A message that is heard, from where the talk stood.
struct Turn<'a> {
    bridge: &'a Bridge,
    key: MemberKey,
    heard: Heard<'a>,
    /// Where the talk stood when it was read.
    was: Stand,
    /// Where it stands by now.
    stand: Stand,
    /// Open where something was done that is kept together with where the talk stands then.
    tx: Option<Tx>,
}

/// What became of something that was done, and what is to be said of it.
struct Done {
    became: Became,
    values: Values,
    page: Option<Cow<'static, str>>,
}

/// What the companion says. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Saying {
    /// The key of its text.
    pub text: String,
    /// What stands in it.
    pub values: Values,
    /// The page of the portal where it is to be done, or read, by its path.
    pub page: Option<Cow<'static, str>>,
    /// What is said of the rules of a community below it.
    pub rules: Option<(OfRules, CommunityId)>,
    /// Whether it is said where help is found.
    pub helps: bool,
    /// The keys of what is said below all of it.
    pub also: Vec<&'static str>,
    /// Whether what was said before was not understood.
    pub is_lost: bool,
    /// What can be said beside words; its numbers are buttons.
    pub takes: Vec<Takes>,
    /// The words that can be said, as buttons: each by its name, and as it is written.
    pub words: Vec<(String, String)>,
    /// What its buttons are marked with: who presses one of something that was said before says nothing, unless they want help.
    mark: Option<String>,
}

impl Saying {
    /// What can be said with one press, in a chat: each with its value, and what stands on it. What the numbers stand for is in
    /// the text.
    #[must_use]
    pub fn buttons(&self) -> Vec<(String, String)> {
        let numbers = self.takes.iter().flat_map(|takes| {
            let (least, most) = takes.bounds();
            (least..=most).map(|number| (self.value_of(&number.to_string()), number.to_string()))
        });
        numbers.chain(self.words.iter().map(|(word, written)| (self.value_of(word), capitalized(written)))).collect()
    }

    /// What the button has for a value that stands for a number or the name of a word.
    #[must_use]
    pub fn value_of(&self, name: &str) -> String {
        self.mark.as_ref().map_or_else(|| name.to_owned(), |mark| format!("{name}.{mark}"))
    }

    /// The same with where help is found, whatever else is said.
    fn with_help(mut self) -> Self {
        if !self.helps {
            self.also.push("companion-help");
        }
        Self { helps: true, ..self }
    }

    /// The same with another text under a name, where there is one.
    #[must_use]
    pub fn with(&self, name: &str, text: &str) -> Self {
        let mut other = self.clone();
        for (_, value) in other.values.iter_mut().filter(|(found, _)| *found == name) {
            *value = Value::Text(text.to_owned());
        }
        other
    }

    /// What stands in its text under a name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// As it stands on a button.
#[must_use]
pub fn capitalized(written: &str) -> String {
    let mut letters = written.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl Value {
    /// A small number.
    fn count(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<'a> Heard<'a> {
    /// What a member says.
    #[must_use]
    pub const fn new(
        member: MemberId,
        (key, at): (Uuid, Timestamp),
        said: Option<Said<'a>>,
        (language, by): (Language, Method),
    ) -> Self {
        Self { member, key, at, said, number: None, language, by, community: None }
    }

    /// In the chat of which community they say it; nothing in the portal.
    fn chat(&self) -> Option<&'a CommunityId> {
        self.community.filter(|_| self.by == Method::Chat)
    }

    /// The same, said in this community.
    #[must_use]
    pub const fn within(self, community: &'a CommunityId) -> Self {
        Self { community: Some(community), ..self }
    }
}

/// Hears what a member says, does what it means, and answers.
///
/// # Errors
/// [`CompanionError`]; whoever says the same again then tries it again.
pub async fn hear(bridge: &Bridge, talk: &Talk, heard: Heard<'_>) -> Result<Saying, CompanionError> {
    for _ in 0..MOST_TRIES {
        match hear_from_here(bridge, talk, heard).await {
            Err(CompanionError::WentOn) => {}
            answered => return answered,
        }
    }
    Err(CompanionError::WentOn)
}

/// Hears it from where the talk stands: [`CompanionError::WentOn`] if it stands elsewhere meanwhile.
async fn hear_from_here(bridge: &Bridge, talk: &Talk, heard: Heard<'_>) -> Result<Saying, CompanionError> {
    let mut turn = Turn::begin(bridge, heard).await?;
    let (heard, stand) = (&mut turn.heard, &mut turn.stand);
    let (mut at, mut place) = talk.place(&stand.place).ok_or(CompanionError::Nowhere)?;
    let (mut is_lost, is_look) = (false, heard.said.is_none());
    let is_known = stand.knows(heard.key);
    let is_watched = danger::listen(bridge, &turn.key, heard, is_known).await?;
    heard.said = heard.said.filter(|said| !is_known && said.is_marked(stand.mark().as_deref())).map(Said::unmarked);
    if let Place::Waits(waits) = place {
        let understood = heard.said.and_then(|said| talk.understand(waits, said));
        is_lost = heard.said.is_some() && understood.is_none();
        heard.number = understood.as_ref().and_then(|it| it.number);
        note_mood(waits, heard, stand);
        if let Some(to) = understood.map(|it| it.to).as_ref().or(waits.again.as_ref()) {
            (at, place) = talk.place(to).ok_or(CompanionError::Nowhere)?;
        }
    }
    if is_watched && is_lost {
        is_lost = false;
        (at, place) = talk.script().help().ok_or(CompanionError::Nowhere)?;
    }
    if heard.said.is_some() {
        stand.hears(heard.key);
    }
    let mut done = Done::of(Became::Done);
    for _ in 0..MOST_STEPS {
        match place {
            Place::Waits(waits) => {
                let is_done = turn.tx.is_some();
                let mut tx = turn.locked().await?;
                let Turn { key, heard, mut stand, .. } = turn;
                at.clone_into(&mut stand.place);
                let mark = stand.mark();
                kept::keep(&mut tx, &key, heard.chat(), stand, bridge.clock.now()).await?;
                let rules = if is_look { None } else { rules::news(bridge, &mut tx, &heard).await? };
                tx.commit().await?;
                if is_done {
                    bridge.wake.notify_waiters();
                }
                let said = Saying { rules, is_lost, ..saying(talk, waits, done, mark, heard.language) };
                return Ok(if is_watched { danger::answered(said) } else { said });
            }
            Place::Acts(acts) => {
                done = turn.act(acts.does).await?;
                let to = talk.after(acts, done.became).ok_or(CompanionError::Nowhere)?;
                (at, place) = talk.place(to).ok_or(CompanionError::Nowhere)?;
            }
        }
    }
    Err(CompanionError::Nowhere)
}

/// A mood that was said stays the same, however often it is tried to keep it.
fn note_mood(waits: &Waits, heard: &Heard<'_>, stand: &mut Stand) {
    if let Some(level) = heard.number.filter(|_| waits.takes.contains_key(&Takes::Mood)) {
        stand.mood = Some(SaidMood { level, key: heard.key, at: heard.at });
    }
}

fn saying(talk: &Talk, waits: &Waits, done: Done, mark: Option<String>, language: Language) -> Saying {
    let words = waits.words.iter().map(|(word, _)| (word.clone(), talk.written(language, word).to_owned()));
    Saying {
        text: waits.say.clone(),
        values: done.values,
        page: done.page,
        rules: None,
        helps: waits.helps,
        also: Vec::new(),
        is_lost: false,
        mark,
        takes: waits.takes.keys().copied().collect(),
        words: words.collect(),
    }
}

impl<'a> Turn<'a> {
    async fn begin(bridge: &'a Bridge, heard: Heard<'a>) -> Result<Self, CompanionError> {
        let mut tx = bridge.store.read().await?;
        let wrapped = tx.member_key(heard.member).await?.ok_or(CompanionError::UnknownMember)?;
        let key = bridge.keyring.unwrap_member_key(heard.member, &wrapped)?;
        let was = kept::stand(&mut tx, &key, heard.chat()).await?;
        Ok(Self { bridge, key, heard, stand: was.clone(), was, tx: None })
    }

    /// The transaction in which the talk goes on. From here on, nothing else is heard of the member: so it begins only if
    /// nothing was since it was read where the talk stands.
    async fn locked(&mut self) -> Result<Tx, CompanionError> {
        if let Some(tx) = self.tx.take() {
            return Ok(tx);
        }
        let mut tx = self.bridge.store.begin().await?;
        tx.lock_member(self.heard.member).await?;
        if kept::stand(&mut tx, &self.key, self.heard.chat()).await? != self.was {
            return Err(CompanionError::WentOn);
        }
        Ok(tx)
    }

    /// Who says it, and where.
    fn teller(&self) -> Teller<'a> {
        (self.key.member(), self.heard.chat())
    }

    async fn act(&mut self, act: Act) -> Result<Done, CompanionError> {
        // What is done next may have a transaction of its own.
        if let Some(tx) = self.tx.take() {
            tx.commit().await?;
        }
        act::act(self, act).await
    }
}

impl Done {
    const fn of(became: Became) -> Self {
        Self { became, values: Values::new(), page: None }
    }

    fn saying(self, name: &'static str, value: Value) -> Self {
        let mut values = self.values;
        values.push((name, value));
        Self { values, ..self }
    }

    fn on(self, page: impl Into<Cow<'static, str>>) -> Self {
        Self { page: Some(page.into()), ..self }
    }
}
