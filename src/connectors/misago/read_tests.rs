//! Answers as Misago 0.39.6 gave them, without what is not looked at (tests/fuzz/seeds/misago).

use uuid::Uuid;

use super::read::{self, Page, Threads};
use crate::domain::activity::Deed;

const OWN: i64 = 1;
const SPARROW: i64 = 3;
const WREN: i64 = 4;

macro_rules! recorded {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/seeds/misago/", $name, ".json")).as_slice()
    };
}

#[test]
fn a_list_says_where_something_is_new_and_whose_the_threads_are() {
    let Threads { threads, next, .. } = Threads::read(recorded!("new")).unwrap();
    assert_eq!((threads.len(), next), (1, None));
    let thread = &threads[0];
    assert_eq!((thread.id, thread.pages, thread.title.as_str()), (1, 1, "Good evening"));
    assert_eq!((thread.new_post(), thread.last_post), ("/p/good-evening/1/new/", Some(1)));
    assert!(thread.is_of(SPARROW) && thread.is_begun_by(SPARROW) && !thread.is_of(OWN));
}

#[test]
fn a_thread_that_is_pinned_everywhere_is_of_its_own_category_only() {
    let list = |category: i64, weight: i64, subcategories: &str| {
        let body = format!(
            r#"{{"results":[{{"id":3,"category":4,"title":"Rules","pages":1,"last_post":9,"weight":{weight},
            "starter":null,"last_poster":null,"url":{{"new_post":"/t/rules/3/new/"}}}}],"subcategories":[{subcategories}],"next":null}}"#
        );
        Threads::read(body.as_bytes()).unwrap().of(category).len()
    };
    for (category, weight, subcategories, there) in
        [(3, 2, "", 0), (4, 2, "", 1), (3, 2, "4", 1), (3, 2, "5", 0), (3, 1, "", 1), (3, 0, "", 1)]
    {
        assert_eq!(list(category, weight, subcategories), there, "{category} {weight} {subcategories}");
    }
}

#[test]
fn a_page_says_what_is_new_who_wrote_it_and_who_reads_it() {
    let page = Page::read(recorded!("private1")).unwrap();
    assert_eq!((page.id, page.place(), page.can_reply()), (1, (1, 2), true));
    assert!(page.has(SPARROW) && page.has(WREN) && !page.is_between(OWN, SPARROW), "wren came");
    // Sparrow's; the bridge's own; what was taken back; that wren came; and sparrow's again.
    let seen: Vec<_> = page.posts().iter().map(|post| (post.is_new(), post.author(), post.writer())).collect();
    let of = |is_new, author, writer| (is_new, author, writer);
    let sparrow = Some(SPARROW);
    let expected = [
        of(true, sparrow, sparrow),
        of(false, Some(OWN), Some(OWN)),
        of(true, None, sparrow),
        of(true, None, None),
        of(true, sparrow, sparrow),
    ];
    assert_eq!(seen[..5], expected);
    let second = Page::read(recorded!("private2")).unwrap();
    assert_eq!(second.place(), (2, 2));
}

#[test]
fn what_was_said_is_found_by_its_mark_in_a_post_of_ones_own() {
    let page = Page::read(recorded!("private1")).unwrap();
    let id: Uuid = "0a735a94-0299-83bc-a735-ca646dcc9935".parse().unwrap();
    assert!(page.says(OWN, id) && !page.says(SPARROW, id) && !page.says(OWN, Uuid::nil()));
    assert_eq!(read::mark(id), "[↩](/#mostik-0a735a94-0299-83bc-a735-ca646dcc9935)");
}

#[test]
fn the_first_post_of_a_thread_begins_it_and_others_answer() {
    let page = Page::read(recorded!("public")).unwrap();
    let happened: Vec<_> = page.posts().iter().map(|post| page.happened(post)).collect();
    let first = happened[0].as_ref().unwrap();
    assert_eq!((first.id.as_str(), first.handle.as_str(), first.deed), ("post-7", "3", Deed::Posted));
    assert!(page.posts()[1].is_hidden && happened[1].is_none(), "what is hidden is not counted");
    let private = Page::read(recorded!("private1")).unwrap();
    assert_eq!(private.happened(&private.posts()[4]).unwrap().deed, Deed::Replied);
}

#[test]
fn a_thread_leads_to_its_first_new_post() {
    for (new_post, leads_to, found) in [
        ("/p/good-evening/1/new/", "/p/good-evening/1/#post-1", Some((1, 1))),
        ("/p/good-evening/1/new/", "/p/good-evening/1/2/#post-6", Some((2, 6))),
        ("/p/1/1/new/", "/p/1/1/#post-6", Some((1, 6))),
        ("/t/2/5/new/", "https://forum.example/community/t/2/5/12/#post-600", Some((12, 600))),
        ("/p/good-evening/1/new/", "/p/good-night/1/new/", None),
        ("/p/good-evening/1/new/", "/p/good-evening/1/2/", None),
        ("/p/good-evening/1/new/", "/p/good-evening/1/x/#post-6", None),
        ("/p/good-evening/1/", "/p/good-evening/1/#post-6", None),
        ("", "", None),
    ] {
        assert_eq!(read::first_new(new_post, leads_to).ok(), found, "{new_post} {leads_to}");
    }
}

#[test]
fn small_answers_are_read_and_others_are_not() {
    assert_eq!(read::id(recorded!("account")).unwrap(), OWN);
    assert!(read::is_signed_in(recorded!("account")).unwrap() && !read::is_signed_in(recorded!("nobody")).unwrap());
    assert_eq!(read::username(recorded!("user")).unwrap(), "sparrow");
    assert_eq!(read::written(recorded!("editor")).unwrap(), "yes, *please*");
    assert_eq!(read::pages(recorded!("thread")).unwrap(), 1);
    assert!(read::is_about_whom(recorded!("refused")) && !read::is_about_whom(br#"{"title":["too short"]}"#));
    for body in [&b""[..], b"<html>", b"[]", b"null", br#"{"id":"x"}"#] {
        assert!(read::id(body).is_err() && read::pages(body).is_err() && read::written(body).is_err());
        assert!(Page::read(body).is_err() && Threads::read(body).is_err() && read::username(body).is_err());
    }
}
