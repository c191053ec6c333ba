//! The portal's cookies. `__Host-`: sent to this very host only, and no other host can have set them (RFC 6265bis,
//! section 4.1.3.2). `Lax`, not `Strict`: members come back from their mail and from their clinic by links.

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;

/// Who is signed in. Ends with the browser.
pub const SESSION: Cookie = Cookie { name: "__Host-session", max_age: None };
/// Who of a clinic's staff is signed in to the staff view. Ends with the browser.
pub const STAFF: Cookie = Cookie { name: "__Host-staff", max_age: None };
/// Who of a community's people is signed in to its review queue. Ends with the browser.
pub const MODERATOR: Cookie = Cookie { name: "__Host-moderator", max_age: None };
/// Which browser it is, before anybody has signed in. Outlasts the walk to the inbox and back.
pub const VISIT: Cookie = Cookie { name: "__Host-visit", max_age: Some(3600) };
/// The path of the page that somebody asked for before they had signed in. As long as their link is good, and then some.
pub const ASKED_FOR: Cookie = Cookie { name: "__Host-asked-for", max_age: Some(3600) };
/// In which language.
pub const LANGUAGE: Cookie = Cookie { name: "__Host-language", max_age: Some(365 * 24 * 3600) };
/// What the next page says about what was just done: the key of a text.
pub const FLASH: Cookie = Cookie { name: "__Host-flash", max_age: Some(60) };

/// A cookie's name, and how long it stays.
#[derive(Clone, Copy, Debug)]
pub struct Cookie {
    name: &'static str,
    max_age: Option<u32>,
}

impl Cookie {
    /// What the browser sent.
    pub fn of<'a>(&self, request: &'a HttpRequest) -> Option<&'a str> {
        let headers = request.headers().get_all(COOKIE).filter_map(|header| header.to_str().ok());
        headers
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(name, value)| (name == self.name).then_some(value))
    }

    /// The header that sets it. The value must be plain: letters, digits, dashes and slashes.
    pub fn set(&self, value: &str) -> String {
        let max_age = self.max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        format!("{}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{max_age}", self.name)
    }

    /// The header that takes it away.
    pub fn clear(&self) -> String {
        format!("{}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0", self.name)
    }
}
