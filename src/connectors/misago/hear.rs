//! Hearing the forum: what nobody marked as read there is new.

use std::cmp;
use std::time::{Duration, Instant};

use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};

use super::counted::Counted;
use super::read::{self, Listed, Page, Threads};
use super::session::understood;
use super::{Found, Misago, Place, Side, say};
use crate::connectors::{Heard, Listened, PATIENCE, Spoken, Words};
use crate::delivery::egress::EgressError;
use crate::delivery::member::{MessageError, refused};

/// How many threads are opened at once, and how many posts are taken from them; each may take an answer.
const THREADS: usize = 5;
const POSTS: usize = 10;

/// How soon it is asked again after something came, and how late where nothing does: it is asked half as often each time.
const SOON: Duration = Duration::from_secs(1);
const PRIVATE: Duration = Duration::from_secs(5);
const PUBLIC: Duration = Duration::from_secs(30);

/// What hearing the forum takes.
#[derive(Debug)]
pub(super) struct Hearing {
    in_hand: Option<InHand>,
    /// How many times something was brought.
    brought: u64,
    private: Pace,
    public: Pace,
    pub(super) counted: Counted,
}

/// What was brought, and is not known to be done.
#[derive(Debug)]
struct InHand {
    mark: String,
    news: News,
}

/// What is new. Personal.
#[derive(Default)]
pub(super) struct News {
    pub heard: Vec<Heard>,
    /// The posts that are to be marked as read when all of it is done.
    pub read: Vec<(Side, i64, i64)>,
}

/// When it is asked again: whoever writes does so again soon.
#[derive(Debug)]
struct Pace {
    next: Instant,
    wait: Duration,
    longest: Duration,
}

impl Misago {
    pub(super) async fn hear(&self, done: Option<String>) -> Result<Listened, MessageError> {
        let mut hearing = self.hearing.lock().await;
        if let Some(in_hand) = &hearing.in_hand {
            if done.as_ref() != Some(&in_hand.mark) {
                // Not all of it was done: so all of it is brought again.
                return Ok(in_hand.brought());
            }
            self.mark_as_read(&in_hand.news.read).await?;
            hearing.in_hand = None;
        }
        let end = Instant::now() + PATIENCE;
        loop {
            let news = self.news(&mut hearing).await?;
            if !news.is_nothing() {
                hearing.brought += 1;
                let mark = hearing.brought.to_string();
                return Ok(hearing.in_hand.insert(InHand { mark, news }).brought());
            }
            let next = cmp::min(hearing.private.next, hearing.public.next);
            if next > end {
                return Ok(Listened { heard: Vec::new(), done });
            }
            tokio::time::sleep(next.saturating_duration_since(Instant::now())).await;
        }
    }

    /// What is new, as far as it is time to ask.
    async fn news(&self, hearing: &mut Hearing) -> Result<News, MessageError> {
        if hearing.private.is_time() {
            let news = self.in_private().await?;
            hearing.private.came(!news.is_nothing());
            if !news.is_nothing() {
                return Ok(news);
            }
        }
        if !hearing.public.is_time() {
            return Ok(News::default());
        }
        // Whatever is wrong with a category, nobody who writes in private waits for it.
        let news = self.in_public(&mut hearing.counted).await.unwrap_or_else(|error| {
            tracing::warn!(cause = %error, "what is written in public is not counted at present");
            News::default()
        });
        hearing.public.came(!news.is_nothing());
        Ok(news)
    }

    async fn in_private(&self) -> Result<News, MessageError> {
        let (own, mut news) = (self.account.own().await?, News::default());
        for listed in self.waiting(Side::Private, None).await? {
            let Some((place, page)) = self.opened(Side::Private, &listed, &mut news).await? else { continue };
            for post in page.posts().iter().filter(|post| post.is_new()) {
                if news.is_enough() {
                    return Ok(news);
                }
                news.reads(place, post.id);
                let Some(author) = post.author().filter(|author| *author != own) else { continue };
                if page.can_reply() && page.has(own) && page.is_between(own, author) {
                    news.heard.extend(self.said(place, post.id, author).await?);
                }
            }
        }
        Ok(news)
    }

    /// What somebody said in a post; nothing, if it was taken back in between, or is longer than is read.
    async fn said(&self, place: Place, post: i64, author: i64) -> Result<Option<Heard>, MessageError> {
        let path = format!("{}reply_editor/?reply={post}", place.posts());
        let answer = match self.account.call(Method::GET, &path, None).await {
            Err(MessageError::Egress(EgressError::AnswerTooLong)) => return Ok(None),
            answer => answer?,
        };
        if matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        refused(&answer, &[])?;
        self.remember(author, place);
        Ok(Some(Heard::Said(Spoken {
            id: format!("post-{post}"),
            handle: author.to_string(),
            conversation: say::noted(place),
            words: Words::Written(understood(read::written(&answer.body))?),
            language: None,
        })))
    }

    /// The threads in which something is new, those first that have waited longest.
    pub(super) async fn waiting(&self, side: Side, category: Option<i64>) -> Result<Vec<Listed>, MessageError> {
        let mut waiting = Vec::new();
        for list in ["unread", "new"] {
            waiting.extend(self.listed(side, category, list).await?);
        }
        waiting.sort_by_key(|listed| listed.last_post);
        waiting.truncate(THREADS);
        Ok(waiting)
    }

    /// The first page of a list of threads, the newest first.
    pub(super) async fn listed(
        &self,
        side: Side,
        category: Option<i64>,
        list: &str,
    ) -> Result<Vec<Listed>, MessageError> {
        let path = format!("{}/?list={list}", side.api());
        let path = category.map_or_else(|| path.clone(), |category| format!("{path}&category={category}"));
        let threads = self.account.get(&path, &[], Threads::read).await?;
        Ok(match category {
            Some(category) => threads.of(category),
            None => threads.threads,
        })
    }

    /// The page of a thread on which the first new post stands. That post is marked as read in any case: it may be one that no
    /// page shows, or one of a page that is too long: then they are passed over one after the other.
    pub(super) async fn opened(
        &self,
        side: Side,
        listed: &Listed,
        news: &mut News,
    ) -> Result<Option<(Place, Page)>, MessageError> {
        let leads = self.account.call(Method::GET, listed.new_post(), None).await?;
        if leads.status != StatusCode::FOUND {
            // It is gone, or called otherwise by now.
            return Ok(None);
        }
        let leads_to = leads.headers.get(LOCATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
        let (page, first) = understood(read::first_new(listed.new_post(), leads_to))?;
        let place = Place { side, thread: listed.id, page };
        Ok(match self.page(place).await? {
            Found::Missing => None,
            Found::TooLong => {
                news.reads(place, first);
                None
            }
            Found::There(page) => {
                if page.posts().iter().all(|post| post.id != first) {
                    news.reads(place, first);
                }
                Some((place, page))
            }
        })
    }

    async fn mark_as_read(&self, posts: &[(Side, i64, i64)]) -> Result<(), MessageError> {
        for (side, thread, post) in posts {
            let path = format!("{}/{thread}/posts/{post}/read/", side.api());
            let answer = self.account.call(Method::POST, &path, None).await?;
            if !matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) {
                refused(&answer, &[])?;
            }
        }
        Ok(())
    }
}

impl Hearing {
    /// Another process hears the forum. What is brought next has a mark that nothing had before.
    pub(super) fn let_go(&mut self) {
        *self = Self { brought: self.brought, ..Self::default() };
    }
}

impl News {
    /// A post is to be marked as read.
    pub(super) fn reads(&mut self, place: Place, post: i64) {
        self.read.push((place.side, place.thread, post));
    }

    /// Whether there are enough posts in it.
    pub(super) fn is_enough(&self) -> bool {
        self.read.len() >= POSTS
    }

    fn is_nothing(&self) -> bool {
        self.heard.is_empty() && self.read.is_empty()
    }
}

impl InHand {
    fn brought(&self) -> Listened {
        Listened { heard: self.news.heard.clone(), done: Some(self.mark.clone()) }
    }
}

impl Pace {
    fn of(longest: Duration) -> Self {
        Self { next: Instant::now(), wait: SOON, longest }
    }

    fn is_time(&self) -> bool {
        Instant::now() >= self.next
    }

    fn came(&mut self, something: bool) {
        self.wait = if something { SOON } else { cmp::min(self.wait * 2, self.longest) };
        self.next = Instant::now() + self.wait;
    }
}

impl Default for Hearing {
    fn default() -> Self {
        let (private, public) = (Pace::of(PRIVATE), Pace::of(PUBLIC));
        Self { in_hand: None, brought: 0, private, public, counted: Counted::default() }
    }
}

impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("News(..)")
    }
}
