//! What Misago answers (0.39: `misago/threads/serializers`, `misago/users/serializers`), as far as it is looked at. Of what is
//! written in public nothing is read but that something was.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

use crate::connectors::{Happened, Refused};
use crate::domain::activity::Deed;

/// What stands in a link of the bridge's own post, before the id of what is said there.
const MARK: &str = "#mostik-";

/// The weight of a thread that stands in the list of each category.
const PINNED_EVERYWHERE: i64 = 2;

/// Somebody with an account: of these, only an id is looked at.
#[derive(Deserialize)]
struct Somebody {
    id: i64,
}

/// A list of threads.
#[derive(Deserialize)]
pub struct Threads {
    /// The newest first.
    #[serde(rename = "results")]
    pub threads: Vec<Listed>,
    /// The categories right below the one that was asked for.
    #[serde(default)]
    pub subcategories: BTreeSet<i64>,
    /// Where the list goes on.
    pub next: Option<i64>,
}

/// A thread in a list. Personal.
#[derive(Deserialize)]
pub struct Listed {
    /// Its id.
    pub id: i64,
    /// Its category.
    pub category: i64,
    /// How it is called.
    pub title: String,
    /// How many pages it has.
    pub pages: u32,
    /// What was written last in it.
    pub last_post: Option<i64>,
    #[serde(default)]
    weight: i64,
    starter: Option<Somebody>,
    last_poster: Option<Somebody>,
    url: Addresses,
}

#[derive(Deserialize)]
struct Addresses {
    new_post: String,
}

/// A page of a thread. Personal.
#[derive(Deserialize)]
pub struct Page {
    /// The thread's id.
    pub id: i64,
    started_on: Timestamp,
    #[serde(default)]
    acl: Rights,
    #[serde(default)]
    participants: Vec<Somebody>,
    post_set: Posts,
}

#[derive(Deserialize, Default)]
struct Rights {
    #[serde(default)]
    can_reply: bool,
}

#[derive(Deserialize)]
struct Posts {
    results: Vec<Post>,
    page: u32,
    pages: u32,
}

/// A post. Personal.
#[derive(Deserialize)]
pub struct Post {
    /// Its id.
    pub id: i64,
    posted_on: Timestamp,
    poster: Option<Somebody>,
    content: Option<String>,
    /// Whether it is the forum's own, such as that somebody came.
    is_event: bool,
    /// Whether it was taken back.
    pub is_hidden: bool,
    #[serde(default)]
    is_unapproved: bool,
    is_new: Option<bool>,
}

impl Threads {
    /// Reads a list.
    ///
    /// # Errors
    /// [`Refused::Malformed`].
    pub fn read(body: &[u8]) -> Result<Self, Refused> {
        json(body, "expected a list of threads")
    }

    /// Those of a category and of what is below it: threads that are pinned everywhere stand in the list of each.
    #[must_use]
    pub fn of(self, category: i64) -> Vec<Listed> {
        let Self { mut threads, subcategories, .. } = self;
        let is_there = |it: &Listed| it.category == category || subcategories.contains(&it.category);
        threads.retain(|thread| thread.weight < PINNED_EVERYWHERE || is_there(thread));
        threads
    }
}

impl Listed {
    /// Where it goes on from what was read of it, as a path.
    #[must_use]
    pub fn new_post(&self) -> &str {
        &self.url.new_post
    }

    /// Whether somebody began it, or wrote in it last.
    #[must_use]
    pub fn is_of(&self, account: i64) -> bool {
        [&self.starter, &self.last_poster].into_iter().flatten().any(|somebody| somebody.id == account)
    }

    /// Whether somebody began it.
    #[must_use]
    pub fn is_begun_by(&self, account: i64) -> bool {
        self.starter.as_ref().is_some_and(|starter| starter.id == account)
    }
}

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    /// [`Refused::Malformed`].
    pub fn read(body: &[u8]) -> Result<Self, Refused> {
        json(body, "expected a page of a thread")
    }

    /// Which page it is, and how many there are.
    #[must_use]
    pub const fn place(&self) -> (u32, u32) {
        (self.post_set.page, self.post_set.pages)
    }

    /// Whether the bridge may write there.
    #[must_use]
    pub const fn can_reply(&self) -> bool {
        self.acl.can_reply
    }

    /// Whether nobody reads it but these two.
    #[must_use]
    pub fn is_between(&self, own: i64, member: i64) -> bool {
        self.participants.iter().all(|somebody| somebody.id == own || somebody.id == member)
    }

    /// Whether somebody takes part in it.
    #[must_use]
    pub fn has(&self, member: i64) -> bool {
        self.participants.iter().any(|somebody| somebody.id == member)
    }

    /// What stands on it, in order.
    #[must_use]
    pub fn posts(&self) -> &[Post] {
        &self.post_set.results
    }

    /// Whether the bridge said this there.
    #[must_use]
    pub fn says(&self, own: i64, id: Uuid) -> bool {
        let mark = format!("{MARK}{id}");
        let is_own = |post: &&Post| post.poster.as_ref().is_some_and(|poster| poster.id == own);
        self.posts().iter().filter(is_own).any(|post| post.content.as_ref().is_some_and(|text| text.contains(&mark)))
    }

    /// What is counted of a post: whoever wrote the first one of a thread began it.
    #[must_use]
    pub fn happened(&self, post: &Post) -> Option<Happened> {
        let handle = post.author()?.to_string();
        let deed = if post.posted_on == self.started_on { Deed::Posted } else { Deed::Replied };
        Some(Happened { id: counted(post.id), handle, at: post.posted_on, deed })
    }
}

impl Post {
    /// Whether it was not marked as read.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new == Some(true)
    }

    /// Who wrote it, if somebody did who has an account, and it is there for others.
    #[must_use]
    pub fn author(&self) -> Option<i64> {
        if self.is_hidden { None } else { self.writer() }
    }

    /// Who wrote it, whether or not it was taken back.
    #[must_use]
    pub fn writer(&self) -> Option<i64> {
        let poster = self.poster.as_ref().filter(|_| !self.is_event && !self.is_unapproved);
        poster.map(|poster| poster.id)
    }
}

/// The id under which a post is counted.
#[must_use]
pub fn counted(post: i64) -> String {
    format!("post-{post}")
}

/// The link by which something that the bridge said is found again: it survives what Misago makes of a text.
#[must_use]
pub fn mark(id: Uuid) -> String {
    format!("[↩](/{MARK}{id})")
}

/// The id of whatever has one: an account, or a thread that was begun.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn id(body: &[u8]) -> Result<i64, Refused> {
    json(body, "expected something with an id").map(|Somebody { id }| id)
}

/// How many pages a thread has.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn pages(body: &[u8]) -> Result<u32, Refused> {
    #[derive(Deserialize)]
    struct Thread {
        pages: u32,
    }
    json(body, "expected a thread").map(|Thread { pages }| pages)
}

/// Whether an account is signed in, as it is told of itself.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn is_signed_in(body: &[u8]) -> Result<bool, Refused> {
    #[derive(Deserialize)]
    struct Itself {
        id: Option<i64>,
    }
    json(body, "expected an account").map(|Itself { id }| id.is_some())
}

/// How somebody is called now.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn username(body: &[u8]) -> Result<String, Refused> {
    #[derive(Deserialize)]
    struct User {
        username: String,
    }
    json(body, "expected an account").map(|User { username }| username)
}

/// A post as it was written.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn written(body: &[u8]) -> Result<String, Refused> {
    #[derive(Deserialize)]
    struct Quoted {
        post: String,
    }
    json(body, "expected a post to answer").map(|Quoted { post }| post)
}

/// Whether a thread was not begun because of whom it was to.
#[must_use]
pub fn is_about_whom(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct NotTaken {
        to: Option<IgnoredAny>,
    }
    serde_json::from_slice(body).is_ok_and(|NotTaken { to }| to.is_some())
}

/// Where a thread's [`Listed::new_post`] leads: to a page, and a post there that is the first one not marked as read.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn first_new(new_post: &str, leads_to: &str) -> Result<(u32, i64), Refused> {
    let read = || {
        let (_, rest) = leads_to.split_once(new_post.strip_suffix("new/")?)?;
        let (page, post) = rest.split_once("#post-")?;
        let page = if page.is_empty() { 1 } else { page.strip_suffix('/')?.parse().ok()? };
        Some((page, post.parse().ok()?))
    };
    read().ok_or(Refused::Malformed("expected a page of the thread"))
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8], expected: &'static str) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|_| Refused::Malformed(expected))
}
