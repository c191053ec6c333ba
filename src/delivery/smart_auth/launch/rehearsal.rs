//! What an authorization endpoint answers to a browser that was just sent there, before anybody has signed in.

use std::sync::Arc;

use reqwest::header::LOCATION;
use reqwest::{StatusCode, Url};

use crate::delivery::egress::Answer;
use crate::delivery::smart_auth::discovery::AuthorizationServer;

/// What is known of a launch that nobody went through with.
#[derive(Debug)]
pub struct Rehearsal {
    /// The clinic's server.
    pub server: Arc<AuthorizationServer>,
    /// Where browsers are sent.
    pub authorization: Url,
    /// Whether it will say who signed in.
    pub says_who: bool,
    /// What is asked for.
    pub scopes: String,
    /// What came of going there.
    pub answer: Rehearsed,
}

/// What came of going where a member's browser would be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rehearsed {
    /// It shows a page, or leads on to one.
    Asks,
    /// It sends the browser back at once, for this reason (RFC 6749, section 4.1.2.1).
    SentBack(String),
    /// It refuses: the client, or where it wants browsers back (RFC 6749, section 4.1.2.1: nobody is sent there then).
    Refused(StatusCode),
    /// There is no answer.
    NoAnswer,
}

impl Rehearsed {
    pub(super) fn of(answer: Option<Answer>, back: &Url) -> Self {
        let Some(answer) = answer else { return Self::NoAnswer };
        let to = answer.headers.get(LOCATION).and_then(|to| Url::parse(to.to_str().ok()?).ok());
        let is_back = |to: &Url| to.origin() == back.origin() && to.path() == back.path();
        match (answer.status, to.filter(is_back)) {
            (status, Some(to)) if status.is_redirection() => Self::SentBack(reason(&to)),
            (status, _) if status.is_success() || status.is_redirection() => Self::Asks,
            (status, _) => Self::Refused(status),
        }
    }
}

/// The code of an error: a word of the standard, and never more than one.
fn reason(to: &Url) -> String {
    let code = to.query_pairs().find(|(name, _)| name == "error").map(|(_, code)| code.into_owned());
    let is_word =
        |code: &String| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    code.filter(is_word).unwrap_or_else(|| "without a reason".to_owned())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn rehearsed(status: u16, to: Option<&str>) -> Rehearsed {
        let mut headers = HeaderMap::new();
        headers.extend(to.map(|to| (LOCATION, to.parse().unwrap())));
        let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Vec::new() };
        Rehearsed::of(Some(answer), &Url::parse("https://mostik.example/launch/return").unwrap())
    }

    #[test]
    fn a_page_to_sign_in_and_the_way_there_are_told_from_a_refusal() {
        assert_eq!(rehearsed(200, None), Rehearsed::Asks);
        assert_eq!(rehearsed(303, Some("/interaction/1")), Rehearsed::Asks);
        assert_eq!(rehearsed(302, Some("https://login.example/launch/return?error=no")), Rehearsed::Asks);
        assert_eq!(rehearsed(400, None), Rehearsed::Refused(StatusCode::BAD_REQUEST));
        let back = "https://mostik.example/launch/return?state=s&error=";
        assert_eq!(rehearsed(302, Some(&format!("{back}invalid_scope"))), Rehearsed::SentBack("invalid_scope".into()));
        assert_eq!(rehearsed(302, Some(&format!("{back}%1b[2J"))), Rehearsed::SentBack("without a reason".into()));
        assert_eq!(Rehearsed::of(None, &Url::parse("https://mostik.example/").unwrap()), Rehearsed::NoAnswer);
    }
}
