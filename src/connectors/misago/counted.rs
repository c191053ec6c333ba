//! Counting what is written in public categories, and taking back what is no longer there.
//!
//! Misago says of nothing that it was hidden or deleted. So the threads in which something was written lately are looked at again,
//! page by page, as far as their last pages go: what is hidden there is taken back, and what stood there before and does not any
//! more. What is deleted while no process looks, or moved to another thread, is not told from what was never there.

use std::collections::{BTreeMap, VecDeque};

use reqwest::{Method, StatusCode};

use super::hear::News;
use super::read::{self, Page};
use super::{Found, Misago, Place, Side};
use crate::connectors::{Heard, Undone};
use crate::delivery::member::{MessageError, refused};

/// How many pages of a thread are looked at again, how many pages at once, and how many posts of a thread are remembered.
const PAGES: u32 = 3;
const AT_ONCE: usize = 3;
const POSTS: usize = 200;

/// What was seen of the categories that are counted. Personal.
#[derive(Default)]
pub(super) struct Counted {
    threads: BTreeMap<i64, Seen>,
    /// The pages that are still to be looked at again, before a list is asked for anew.
    next: VecDeque<Place>,
}

/// What was seen of a thread.
#[derive(Default)]
struct Seen {
    category: i64,
    /// Whether it stands in the list of those in which something was written lately.
    is_listed: bool,
    /// By post, who wrote it; nobody, once it was taken back.
    posts: BTreeMap<i64, Option<i64>>,
}

impl Misago {
    /// What is new in public; where nothing is, what was taken back in one of the threads.
    pub(super) async fn in_public(&self, counted: &mut Counted) -> Result<News, MessageError> {
        let mut news = News::default();
        for category in &self.counted {
            self.in_category(*category, counted, &mut news).await?;
        }
        if news.read.is_empty() {
            news.heard = self.taken_back(counted).await?;
        }
        Ok(news)
    }

    async fn in_category(&self, category: i64, counted: &mut Counted, news: &mut News) -> Result<(), MessageError> {
        let own = self.account.own().await?;
        for listed in self.waiting(Side::Public, Some(category)).await? {
            let Some((place, page)) = self.opened(Side::Public, &listed, news).await? else { continue };
            let seen = counted.seen(category, place);
            for post in page.posts().iter().filter(|post| post.is_new()) {
                if news.is_enough() {
                    return Ok(());
                }
                news.reads(place, post.id);
                if post.author().is_none_or(|author| author == own) {
                    continue;
                }
                seen.posts.insert(post.id, post.author());
                news.heard.extend(page.happened(post).map(Heard::Happened));
            }
        }
        Ok(())
    }

    /// Looks at a few pages again.
    async fn taken_back(&self, counted: &mut Counted) -> Result<Vec<Heard>, MessageError> {
        if counted.next.is_empty() {
            self.list(counted).await?;
        }
        let mut heard = Vec::new();
        for _ in 0..AT_ONCE {
            let Some(place) = counted.next.pop_front() else { break };
            heard.extend(self.look_again(place, counted).await?);
        }
        Ok(heard)
    }

    async fn look_again(&self, place: Place, counted: &mut Counted) -> Result<Vec<Heard>, MessageError> {
        let Some(seen) = counted.threads.get_mut(&place.thread) else { return Ok(Vec::new()) };
        let found = self.page(place).await?;
        if !matches!(found, Found::Missing) {
            let own = self.account.own().await?;
            let undone = if let Found::There(page) = found { seen.compare(&page, own) } else { Vec::new() };
            if !seen.is_listed {
                counted.threads.remove(&place.thread);
            }
            return Ok(undone);
        }
        let answer = self.account.call(Method::GET, &place.thread(), None).await?;
        if answer.status != StatusCode::NOT_FOUND {
            // Only the page is gone, since there are fewer posts.
            return refused(&answer, &[]).map(|()| Vec::new());
        }
        // Not if the account does not see the whole category any more.
        self.listed(Side::Public, Some(seen.category), "all").await?;
        let gone = counted.threads.remove(&place.thread).map(|seen| seen.posts).unwrap_or_default();
        Ok(gone.into_iter().filter_map(|(post, writer)| Some(undone(post, writer?))).collect())
    }

    /// Asks in which threads something was written lately; those of before are looked at once more.
    async fn list(&self, counted: &mut Counted) -> Result<(), MessageError> {
        counted.threads.values_mut().for_each(|seen| seen.is_listed = false);
        for category in &self.counted {
            for listed in self.listed(Side::Public, Some(*category), "all").await? {
                let place = Place { side: Side::Public, thread: listed.id, page: listed.pages };
                counted.seen(*category, place).is_listed = true;
                let pages = (1..=listed.pages).rev().take(PAGES as usize);
                counted.next.extend(pages.map(|page| Place { page, ..place }));
            }
        }
        let before = counted.threads.iter().filter(|(_, seen)| !seen.is_listed);
        let before = before.map(|(thread, _)| Place { side: Side::Public, thread: *thread, page: 1 });
        counted.next.extend(before.collect::<Vec<_>>());
        Ok(())
    }
}

impl Counted {
    fn seen(&mut self, category: i64, place: Place) -> &mut Seen {
        let seen = self.threads.entry(place.thread).or_default();
        seen.category = category;
        seen
    }
}

impl Seen {
    /// What was taken back since, as far as this page shows.
    fn compare(&mut self, page: &Page, own: i64) -> Vec<Heard> {
        let there: BTreeMap<i64, _> = page.posts().iter().map(|post| (post.id, post)).collect();
        let (number, pages) = page.place();
        let first = if number <= 1 { i64::MIN } else { there.keys().next().copied().unwrap_or(i64::MAX) };
        let last = if number >= pages { i64::MAX } else { there.keys().last().copied().unwrap_or(i64::MIN) };
        let is_deleted = |post: &i64| first <= *post && *post <= last && !there.contains_key(post);
        let deleted = self.posts.extract_if(.., |post, _| is_deleted(post));
        let mut heard: Vec<Heard> = deleted.filter_map(|(post, writer)| Some(undone(post, writer?))).collect();
        for (id, post) in &there {
            let Some(writer) = post.writer().filter(|writer| *writer != own) else { continue };
            let now = Some(writer).filter(|_| !post.is_hidden);
            if self.posts.insert(*id, now) != Some(None) && post.is_hidden {
                heard.push(undone(*id, writer));
            }
        }
        while self.posts.len() > POSTS {
            self.posts.pop_first();
        }
        heard
    }
}

fn undone(post: i64, writer: i64) -> Heard {
    Heard::Undone(Undone { id: read::counted(post), handle: writer.to_string() })
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counted(..)")
    }
}
