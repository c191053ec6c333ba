//! The page that somebody asked for who had to sign in first: they are led there afterwards.
//!
//! Its path is kept in a cookie that no other host can set. Whatever stands in it, it leads to a page of the portal: a plain
//! path, without a host, a query or dots.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};

use super::cookies::ASKED_FOR;
use super::sign_in::append;

/// Where those are led who asked for nothing.
const FIRST_PAGE: &str = "/sharing";

/// The longest path that is kept.
const LONGEST: usize = 120;

/// Keeps the page that was asked for, if it can be led to.
pub fn keep(request: &HttpRequest, answer: &mut HttpResponse) {
    let path = request.path();
    if matches!(*request.method(), Method::GET | Method::HEAD) && is_plain(path) {
        append(answer, &ASKED_FOR.set(path));
    }
}

/// The page to which somebody is led who has signed in.
pub fn page(request: &HttpRequest) -> &str {
    ASKED_FOR.of(request).filter(|path| is_plain(path)).unwrap_or(FIRST_PAGE)
}

/// They were led there.
pub fn forget(request: &HttpRequest, answer: &mut HttpResponse) {
    if ASKED_FOR.of(request).is_some() {
        append(answer, &ASKED_FOR.clear());
    }
}

fn is_plain(path: &str) -> bool {
    let is_segment =
        |segment: &str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let path = path.strip_prefix('/').filter(|rest| rest.len() < LONGEST);
    path.is_some_and(|rest| rest.split('/').all(is_segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_path_of_this_host_is_led_to() {
        for path in ["/messages", "/messages/01a20677-edf1-7058-8494-38af47edf4fc", "/settings/messages"] {
            assert!(is_plain(path), "{path}");
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        for path in [
            "",
            "/",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a/../b",
            "/a//b",
            "/a?b",
            "/a;b",
            "/a/",
            "/%2f",
            "messages",
            long.as_str(),
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
