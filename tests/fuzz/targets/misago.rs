#![no_main]
//! What a forum of Misago answers.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::connectors::misago::{Page, Threads, first_new, id, is_about_whom, is_signed_in, pages, username, written};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(list) = Threads::read(bytes) {
        let all = list.threads.len();
        for thread in &list.threads {
            assert!(!thread.is_begun_by(1) || thread.is_of(1));
            let leads_to = format!("{}2/#post-7", thread.new_post().strip_suffix("new/").unwrap_or_default());
            assert!(first_new(thread.new_post(), &leads_to).is_ok() == thread.new_post().ends_with("new/"));
        }
        assert!(list.of(3).len() <= all);
    }
    if let Ok(page) = Page::read(bytes) {
        assert!(!page.says(1, uuid::Uuid::max()) || bytes.windows(7).any(|it| it == b"mostik-"));
        for post in page.posts() {
            assert!(post.author().is_none_or(|author| post.writer() == Some(author) && !post.is_hidden));
            assert!(page.happened(post).is_none_or(|it| Some(it.handle) == post.author().map(|author| author.to_string())));
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let (new_post, leads_to) = text.split_once('\n').unwrap_or((text, ""));
        assert!(first_new(new_post, leads_to).is_err() || leads_to.contains("#post-"));
    }
    assert!(username(bytes).is_ok_and(|name| name.len() <= bytes.len()) || username(bytes).is_err());
    let _all = (id(bytes), is_about_whom(bytes), is_signed_in(bytes), pages(bytes), written(bytes));
});
