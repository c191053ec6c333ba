//! A bridge with a portal, and people who look at it with a browser that has no JavaScript.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::Timestamp;
use mostik::app;
use mostik::config::Config;
use mostik::enrolment::sign_in::LinkSender;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};

use super::bridge::{NOON, Person, TestBridge, config_text};
use super::database::Database;
use super::html::Element;
use super::http;
use super::postbox::{Postbox, SECRET};

/// Where the portal is, as far as browsers know.
pub const PORTAL: &str = "https://mostik.example";

/// A bridge whose community brings its members links.
pub struct Portal {
    pub bridge: TestBridge,
    pub postbox: Postbox,
    pub sender: LinkSender,
    /// Where it is, as far as browsers know.
    pub origin: String,
}

/// A configuration with a portal and a way to the members of the forum.
pub fn portal_config(database: &Database, ehr: &str, postbox: &Postbox) -> String {
    let secret = database.folder.path().join("forum.secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let text = config_text(database, ehr, "127.0.0.1:0");
    let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
    format!(
        "{text}[communities.forum.messages]\nmethod = \"webhook\"\nurl = {:?}\nsecret_file = {:?}\n",
        postbox.url,
        secret.display().to_string()
    )
}

impl Portal {
    /// Opens a portal before this EHR.
    pub async fn open(database: Database, ehr: &str) -> Self {
        let postbox = Postbox::open();
        let text = portal_config(&database, ehr, &postbox);
        Self::open_with(database, &text, postbox).await
    }

    /// Opens a portal with this configuration.
    pub async fn open_with(database: Database, text: &str, postbox: Postbox) -> Self {
        Self::open_at(database, text, postbox, NOON.parse().unwrap()).await
    }

    /// The same, with a clock that begins at `start`.
    pub async fn open_at(database: Database, text: &str, postbox: Postbox, start: Timestamp) -> Self {
        Self::before(TestBridge::start_at(database, text, start).await, postbox)
    }

    /// Opens the portal of this bridge.
    pub fn before(bridge: TestBridge, postbox: Postbox) -> Self {
        let config = Config::from_toml(&bridge.config).unwrap();
        let sender = app::link_sender(&config, &bridge.bridge).unwrap();
        let origin = config.server.public_url.as_str().trim_end_matches('/').to_owned();
        Self { bridge, postbox, sender, origin }
    }

    /// Somebody's browser, with nothing in it.
    pub fn browser(&self) -> Browser {
        let (api, origin) = (self.bridge.api.clone(), self.origin.clone());
        Browser { client: http::client(), api, origin, cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// Sends every link that was asked for.
    pub async fn send_links(&self) {
        while self.sender.send_one().await.unwrap() {}
    }

    /// Asks for a link in a browser; returns where it leads, as it stands in the message.
    pub async fn link(&self, browser: &mut Browser, handle: &str) -> String {
        browser.get("/sign-in").await;
        let asked = browser.post("/sign-in", &[("community", "forum"), ("handle", handle)]).await;
        assert_eq!((asked.status, asked.location()), (303, "/sign-in/sent"), "{}", asked.body);
        self.send_links().await;
        let link = self.postbox.letters().last().unwrap().link();
        link.strip_prefix(&self.origin).unwrap().to_owned()
    }

    /// Signs a person in the way they do it themselves: ask, get the link, open it, press the button.
    pub async fn sign_in(&self, person: &Person) -> Browser {
        let mut browser = self.browser();
        let link = self.link(&mut browser, &person.handle).await;
        assert_eq!(browser.get(&link).await.status, 200);
        let entered = browser.post(&link, &[]).await;
        assert_eq!((entered.status, entered.location()), (303, "/sharing"), "{}", entered.body);
        browser
    }
}

/// A browser: keeps cookies, and sends with each form the token of the page that it saw last.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    api: String,
    origin: String,
    pub cookies: BTreeMap<String, String>,
    pub csrf: String,
}

/// A part of a form with a file.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    pub name: &'a str,
    /// What the file is called, if it is one.
    pub file: Option<&'a str>,
    pub content: &'a [u8],
}

impl<'a> Part<'a> {
    pub const fn text(name: &'a str, content: &'a str) -> Self {
        Self { name, file: None, content: content.as_bytes() }
    }

    pub const fn file(file: &'a str, content: &'a [u8]) -> Self {
        Self { name: "file", file: Some(file), content }
    }
}

/// A page, or whatever else came.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    /// The same, where it is no text.
    pub bytes: Vec<u8>,
}

impl Page {
    /// What is on it. No page has a style of its own, or a script that is not a file of the portal: the policy allows neither,
    /// and such a file only where the page says so.
    pub fn html(&self) -> Element {
        let page = Element::page(&self.body);
        let scripts = page.named("script");
        let allowed = self.header("content-security-policy").contains("script-src 'self'");
        let is_own = |script: &&Element| script.get("src").starts_with("/assets/") && script.children.is_empty();
        assert!(scripts.iter().all(is_own) && (allowed || scripts.is_empty()), "{}", self.body);
        assert!(page.named("style").is_empty(), "{}", self.body);
        let inline =
            page.all(&|element| element.attributes.keys().any(|name| name == "style" || name.starts_with("on")));
        assert!(inline.is_empty(), "{inline:?}");
        page
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// What a cookie was set to, with its attributes.
    pub fn set_cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        cookies.into_iter().find(|cookie| cookie.starts_with(&format!("{name}=")))
    }
}

impl Browser {
    /// The same browser, led to another replica.
    pub fn at(&self, api: &str) -> Self {
        Self { api: api.to_owned(), ..self.clone() }
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Page {
        self.request(Method::GET, path, &[], None).await
    }

    /// Sends a form of the page that was opened last.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf.clone();
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        let origin = self.origin.clone();
        self.request(Method::POST, path, &[("origin", &origin), ("sec-fetch-site", "same-origin")], Some(&fields)).await
    }

    /// Sends a form with a file, part by part as it is written here.
    pub async fn upload(&mut self, path: &str, parts: &[Part<'_>]) -> Page {
        const BOUNDARY: &str = "----a-line-that-is-in-no-file";
        let mut body = Vec::new();
        for Part { name, file, content } in parts {
            let file = file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: text/csv")).unwrap_or_default();
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            body.extend(head.into_bytes().into_iter().chain(content.iter().copied()).chain(*b"\r\n"));
        }
        body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let origin = self.origin.clone();
        let headers =
            [("origin", origin.as_str()), ("sec-fetch-site", "same-origin"), ("content-type", media_type.as_str())];
        self.send(Method::POST, path, &headers, |request| request.body(body)).await
    }

    /// Sends a form, and opens the page that it leads to.
    pub async fn post_and_follow(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let to = answer.location().to_owned();
        self.get(&to).await
    }

    /// Sends anything at all.
    pub async fn request(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        form: Option<&[(&str, &str)]>,
    ) -> Page {
        self.send(method, path, headers, |request| match form {
            Some(form) => request.form(form),
            None => request,
        })
        .await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        with_body: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Page {
        let mut request = self.client.request(method, format!("{}{path}", self.api)).header("accept", "text/html");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.origin.split_once("://").unwrap().1);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !jar.is_empty() {
            request = request.header("cookie", jar.join("; "));
        }
        let answer = with_body(request).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await.unwrap().to_vec();
        let page = Page { status, headers, body: String::from_utf8_lossy(&bytes).into_owned(), bytes };
        self.keep(&page);
        page
    }

    fn keep(&mut self, page: &Page) {
        for cookie in page.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some((_, rest)) = page.body.split_once("name=\"csrf\" value=\"") {
            rest.split('"').next().unwrap().clone_into(&mut self.csrf);
        }
    }
}
