//! What Discourse brings: webhooks of posts and likes (its `app/models/web_hook.rb` and `web_hook_post_serializer.rb`). What
//! is written in public is looked at and forgotten.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};

use crate::connectors::{Happened, Heard, LONGEST_NAME, Refused, Undone, Wrote};
use crate::domain::activity::Deed;

/// Posts of people; others are Discourse's own, such as that a topic was closed (`Post.types`).
const REGULAR: i64 = 1;

/// What a webhook says, before it is known whether a private message is private.
#[derive(PartialEq, Eq, Debug)]
pub enum Said {
    /// Somebody wrote a private message.
    Private(Private),
    /// Something happened in public, or was taken back.
    Public(Vec<Heard>),
}

/// A private message. Personal.
#[derive(PartialEq, Eq)]
pub struct Private {
    /// The post's id.
    pub post: i64,
    /// Its place in its topic.
    pub number: i64,
    /// Its topic.
    pub topic: i64,
    /// Who wrote it.
    pub author: String,
    /// What they wrote.
    pub raw: String,
}

#[derive(Deserialize)]
struct OfPost {
    post: Post,
}

#[derive(Deserialize)]
struct OfLike {
    like: Like,
}

#[derive(Deserialize)]
struct Like {
    post: Post,
    user: User,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "Discourse calls them so")]
struct Post {
    id: i64,
    #[serde(deserialize_with = "name")]
    username: String,
    created_at: Timestamp,
    post_number: i64,
    post_type: i64,
    topic_id: i64,
    topic_archetype: Option<String>,
    category_id: Option<i64>,
    reply_to_post_number: Option<i64>,
    reply_to_user: Option<User>,
    #[serde(default)]
    raw: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(deserialize_with = "name")]
    username: String,
}

/// Reads what came under an event's name (`X-Discourse-Event`) at this time. `own`: the bridge's account there, of which nothing
/// is heard. What happens in other categories than those that are counted is not looked at.
///
/// # Errors
/// [`Refused::Malformed`].
pub fn read(event: &str, body: &[u8], (own, counted): (&str, &BTreeSet<i64>), at: Timestamp) -> Result<Said, Refused> {
    let nothing = Said::Public(Vec::new());
    Ok(match event {
        "post_created" => {
            let OfPost { post } = json(body, "expected a post")?;
            match () {
                () if post.username == own || post.post_type != REGULAR => nothing,
                () if post.is_private() => Said::Private(Private {
                    post: post.id,
                    number: post.post_number,
                    topic: post.topic_id,
                    author: post.username,
                    raw: post.raw,
                }),
                () if !post.is_in(counted) => nothing,
                () => {
                    let wrote = Heard::Wrote(Wrote { handle: post.username.clone(), text: own_words(&post.raw) });
                    Said::Public(post.happened().into_iter().map(Heard::Happened).chain([wrote]).collect())
                }
            }
        }
        "post_destroyed" => {
            let OfPost { post } = json(body, "expected a post")?;
            // Wherever it stands: it may have been counted before its topic was moved.
            let undone = |it: Happened| Heard::Undone(Undone { id: it.id, handle: it.handle });
            if post.is_private() { nothing } else { Said::Public(post.happened().into_iter().map(undone).collect()) }
        }
        "post_liked" => {
            let OfLike { like } = json(body, "expected a like")?;
            if like.post.is_in(counted) { Said::Public(like.happened(own, at)) } else { nothing }
        }
        _ => nothing,
    })
}

/// Without what it quotes (`[quote]`…`[/quote]`, and lines that begin with `>`).
fn own_words(raw: &str) -> String {
    let mut depth = 0_usize;
    let own = raw.lines().filter(|line| {
        let (opens, closes) = (line.contains("[quote"), line.contains("[/quote]"));
        let is_quoted = depth > 0 || opens || line.trim_start().starts_with('>');
        depth = (depth + usize::from(opens)).saturating_sub(usize::from(closes));
        !is_quoted
    });
    own.collect::<Vec<_>>().join("\n")
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8], expected: &'static str) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|_| Refused::Malformed(expected))
}

/// Somebody's name there.
fn name<'a, D: Deserializer<'a>>(given: D) -> Result<String, D::Error> {
    let name = String::deserialize(given)?;
    let is_name = (1..=LONGEST_NAME).contains(&name.len());
    is_name.then_some(name).ok_or_else(|| de::Error::custom("expected a name"))
}

impl Post {
    fn is_in(&self, counted: &BTreeSet<i64>) -> bool {
        self.category_id.is_some_and(|category| counted.contains(&category))
    }

    fn is_private(&self) -> bool {
        self.topic_archetype.as_deref() == Some("private_message")
    }

    fn happened(&self) -> Vec<Happened> {
        let id = format!("post-{}", self.id);
        let deed = if self.reply_to_post_number.is_some() { Deed::Replied } else { Deed::Posted };
        let whom = self.reply_to_user.as_ref().filter(|whom| whom.username != self.username);
        let of = |id, handle: &str, deed| Happened { id, handle: handle.to_owned(), at: self.created_at, deed };
        let got = whom.map(|whom| of(format!("{id}-got"), &whom.username, Deed::GotReply));
        [of(id, &self.username, deed)].into_iter().chain(got).collect()
    }
}

impl Like {
    /// It has neither an id nor a time of its own: who likes what is the same however often it is said.
    fn happened(&self, own: &str, at: Timestamp) -> Vec<Heard> {
        if self.post.is_private() || self.user.username == own {
            return Vec::new();
        }
        let id = format!("like-{}-{}", self.post.id, self.user.username);
        let got = format!("{id}-got");
        [(id, &self.user.username, Deed::Reacted), (got, &self.post.username, Deed::GotReaction)]
            .into_iter()
            .map(|(id, handle, deed)| Heard::Happened(Happened { id, handle: handle.clone(), at, deed }))
            .collect()
    }
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Private(..)")
    }
}
