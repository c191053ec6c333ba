//! Saying something on the forum, once: before anything is written it is looked whether it stands there.

use std::sync::PoisonError;

use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::read::{self, Listed, Page, Threads};
use super::session::understood;
use super::{Found, Misago, Place, Side, words};
use crate::connectors::{Says, Spoken, cut};
use crate::delivery::member::{Message, MessageError, refused};
use crate::domain::language::Language;

/// The longest text, in characters: each may stand there as two, and with the mark it is no longer than a post may be
/// (`post_length_max` is 60 000, as Misago is set up).
const LONGEST: usize = 29_900;

/// In how many pages of the list of private threads those with a member are looked for, and how many of these are looked at.
const PAGES: usize = 4;
const THREADS: usize = 3;

/// How many pages of a thread are looked at, and how far it goes back where posts were deleted in between.
const LOOKS: usize = 12;
const BACK: u32 = 4;

/// Of how many members it is known in which thread they wrote last, before all of it is forgotten.
const MANY: usize = 10_000;

/// What is found in a thread.
struct Looked {
    place: Place,
    /// Whether it was said.
    is_said: bool,
    /// Its last page.
    last: Page,
}

impl Misago {
    /// Answers somebody where they wrote, if still nobody else reads it.
    pub(super) async fn reply(&self, spoken: &Spoken, says: &Says) -> Result<(), MessageError> {
        let place = conversation(&spoken.conversation).ok_or(MessageError::Unwritten)?;
        let member = spoken.handle.parse().map_err(|_| MessageError::Unwritten)?;
        let language = spoken.language.unwrap_or(self.language);
        let mut text = says.in_lines(language);
        if says.buttons.iter().any(|(_, words)| words::is_short(words)) {
            text = format!("{text}\n{}", words::too_short(language));
        }
        let found = self.look(place, says.id).await?.ok_or(MessageError::Gone(404))?;
        match () {
            () if found.is_said => Ok(()),
            () if self.is_for(&found.last, member).await? => self.write(place, says.id, &text).await,
            () => Err(MessageError::Gone(403)),
        }
    }

    /// Tells a member something: in a private thread with them, or in a new one.
    pub(super) async fn tell(&self, message: &Message) -> Result<(), MessageError> {
        let member: i64 = message.handle.parse().map_err(|_| MessageError::Gone(404))?;
        let username = self.account.get(&format!("/api/users/{member}/"), &[404], read::username).await?;
        let mut fits = None;
        for place in self.threads_with(member, &username).await? {
            let Some(found) = self.look(place, message.id).await? else { continue };
            if found.is_said {
                return Ok(());
            }
            if fits.is_none() && self.is_for(&found.last, member).await? {
                fits = Some(found.place);
            }
        }
        match fits {
            Some(place) => self.write(place, message.id, &message.text).await,
            None => self.begin(&username, message).await,
        }
    }

    /// Says something in a thread, by its id, whether it is a private one or not.
    pub(super) async fn say_in_room(&self, room: &str, id: Uuid, text: &str) -> Result<(), MessageError> {
        let thread: i64 = room.parse().map_err(|_| MessageError::Gone(404))?;
        for side in [Side::Private, Side::Public] {
            let place = Place { side, thread, page: 1 };
            let answer = self.account.call(Method::GET, &place.thread(), None).await?;
            if answer.status == StatusCode::NOT_FOUND {
                continue;
            }
            refused(&answer, &[])?;
            // Others write there, too: by now it may go on on another page.
            let page = understood(read::pages(&answer.body))?.saturating_sub(1).max(1);
            let found = self.look(Place { page, ..place }, id).await?.ok_or(MessageError::Gone(404))?;
            return match () {
                () if found.is_said => Ok(()),
                () if found.last.can_reply() => self.write(place, id, text).await,
                () => Err(MessageError::Gone(403)),
            };
        }
        Err(MessageError::Gone(404))
    }

    async fn is_for(&self, page: &Page, member: i64) -> Result<bool, MessageError> {
        let own = self.account.own().await?;
        Ok(page.can_reply() && page.has(member) && page.is_between(own, member))
    }

    async fn write(&self, place: Place, id: Uuid, text: &str) -> Result<(), MessageError> {
        let body = json!({"post": words::post(&cut(text, LONGEST), id)});
        let answer = self.account.call(Method::POST, &place.posts(), Some(&body)).await?;
        // 403 is that it comes too soon after another post, where the account is not exempt from that; 500 that somebody else wrote
        // in the thread at the same time, and that nothing was written.
        refused(&answer, &[400, 404])
    }

    /// Looks whether something was said in a thread, from a page on. Nothing, where there is no such thread, or none that can be
    /// looked through.
    async fn look(&self, mut place: Place, id: Uuid) -> Result<Option<Looked>, MessageError> {
        let own = self.account.own().await?;
        for _ in 0..LOOKS {
            match self.page(place).await? {
                Found::TooLong => return Ok(None),
                Found::Missing if place.page == 1 => return Ok(None),
                // Posts were deleted, and what stood on the page stands before it now.
                Found::Missing => place.page = place.page.saturating_sub(BACK).max(1),
                Found::There(last) => {
                    let (is_said, (page, pages)) = (last.says(own, id), last.place());
                    if is_said || page >= pages {
                        return Ok(Some(Looked { place, is_said, last }));
                    }
                    place.page = page.saturating_add(1);
                }
            }
        }
        tracing::warn!("a thread goes on for longer than is looked: nothing is said there");
        Ok(None)
    }

    /// Private threads with a member, as far as the lists say: those that somebody wrote in last come first.
    async fn threads_with(&self, member: i64, username: &str) -> Result<Vec<Place>, MessageError> {
        let own = self.account.own().await?;
        let titles = Language::ALL.map(|language| words::title(language, username));
        let is_theirs = |it: &Listed| it.is_of(member) || (it.is_begun_by(own) && titles.contains(&it.title));
        let (mut found, mut from) = (Vec::new(), Some(0));
        for _ in 0..PAGES {
            let Some(start) = from else { break };
            let path = format!("{}/?list=all&start={start}", Side::Private.api());
            let list = self.account.get(&path, &[], Threads::read).await?;
            from = list.next;
            let theirs = list.threads.into_iter().filter(is_theirs);
            found.extend(theirs.map(|it| Place { side: Side::Private, thread: it.id, page: it.pages }));
            found.truncate(THREADS);
            if found.len() == THREADS {
                return Ok(found);
            }
        }
        let known = self.known(member).filter(|known| found.iter().all(|it| it.thread != known.thread));
        Ok(found.into_iter().chain(known).collect())
    }

    /// Begins a private thread with a member.
    async fn begin(&self, username: &str, message: &Message) -> Result<(), MessageError> {
        let body = json!({
            "to": [username],
            "title": words::title(message.language, username),
            "post": words::post(&cut(&message.text, LONGEST), message.id),
        });
        let answer = self.account.call(Method::POST, &format!("{}/", Side::Private.api()), Some(&body)).await?;
        // They want no private threads, or none with the bridge.
        if answer.status == StatusCode::BAD_REQUEST && read::is_about_whom(&answer.body) {
            return Err(MessageError::Gone(400));
        }
        refused(&answer, &[])
    }

    fn known(&self, member: i64) -> Option<Place> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&member).copied()
    }

    /// Remembers in which thread a member and the bridge write to each other.
    pub(super) fn remember(&self, member: i64, place: Place) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MANY {
            known.clear();
        }
        known.insert(member, place);
    }
}

/// Where somebody wrote, as it is noted in what they said.
pub(super) fn noted(place: Place) -> String {
    format!("{}-{}", place.thread, place.page)
}

fn conversation(noted: &str) -> Option<Place> {
    let (thread, page) = noted.split_once('-')?;
    Some(Place { side: Side::Private, thread: thread.parse().ok()?, page: page.parse().ok()? })
}
