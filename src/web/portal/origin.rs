//! Where the portal is. It comes from the configuration alone: what a request says of the host it was sent to is only
//! compared with it.

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderName, ORIGIN};
use url::Url;

/// The address of the portal.
#[derive(Clone, Debug)]
pub struct Origin {
    url: Url,
    text: String,
}

impl Origin {
    /// The origin of this address.
    #[must_use]
    pub fn new(url: &Url) -> Self {
        Self { url: url.clone(), text: url.origin().ascii_serialization() }
    }

    /// The whole address of a path of the portal, for people to write down.
    #[must_use]
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// The path, if an address given from outside leads to the portal itself; everything else is refused.
    #[must_use]
    pub fn local_path(&self, given: &str) -> Option<String> {
        let led_by_slash =
            given.starts_with('/') && !given.starts_with("//") && !given.contains(['\\', '\r', '\n', '\t']);
        let url = self.url.join(given).ok().filter(|url| led_by_slash && url.origin() == self.url.origin())?;
        Some(url.path().to_owned())
    }

    /// Whether a request was sent to this host.
    #[must_use]
    pub fn is_addressed(&self, request: &HttpRequest) -> bool {
        // HTTP/2 and requests in absolute form name the host in the target.
        let target = request.uri().authority().map(|authority| authority.as_str().to_owned());
        let header = request.headers().get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
        let same = |host: &String| {
            let url = Url::parse(&format!("{}://{host}/", self.url.scheme()));
            url.is_ok_and(|url| url.origin() == self.url.origin() && url.path() == "/" && url.username().is_empty())
        };
        match (target, header) {
            (Some(target), Some(header)) => same(&target) && same(&header),
            (Some(host), None) | (None, Some(host)) => same(&host),
            (None, None) => false,
        }
    }

    /// Whether a request that changes something comes from a page of the portal, as far as the browser says. Browsers
    /// that say nothing are told apart by the form's token alone.
    #[must_use]
    pub fn is_own(&self, request: &HttpRequest) -> bool {
        const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
        let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        let origin = header(ORIGIN).is_none_or(|origin| origin == self.text);
        // `none`: the person themselves, who loads the answer to a form once more.
        origin && header(SITE).is_none_or(|site| matches!(site, "same-origin" | "none"))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::new(&Url::parse(url).unwrap())
    }

    #[test]
    fn only_the_configured_host_is_the_host() {
        let here = origin("https://mostik.example");
        let addressed =
            |host: &str| here.is_addressed(&TestRequest::default().insert_header((HOST, host)).to_http_request());
        for host in ["mostik.example", "MOSTIK.example", "mostik.example:443"] {
            assert!(addressed(host), "{host}");
        }
        for host in
            ["", "evil.example", "mostik.example.evil", "mostik.example:444", "a@mostik.example", "mostik.example/x"]
        {
            assert!(!addressed(host), "{host}");
        }
        let other = TestRequest::with_uri("https://evil.example/").insert_header((HOST, "mostik.example"));
        assert!(!here.is_addressed(&other.to_http_request()));
    }

    #[test]
    fn only_paths_of_the_portal_are_gone_back_to() {
        let here = origin("https://mostik.example");
        assert_eq!(here.local_path("/settings?a=b").as_deref(), Some("/settings"));
        assert_eq!(here.local_path("/a/../sharing").as_deref(), Some("/sharing"));
        for away in [
            "",
            "settings",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "/\t/evil.example",
            "javascript:alert(1)",
            "/\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(here.local_path(away), None, "{away:?}");
        }
    }

    #[test]
    fn a_form_of_another_site_is_not_ours() {
        let here = origin("https://mostik.example");
        let own = |headers: &[(&'static str, &'static str)]| {
            let request = headers.iter().fold(TestRequest::post(), |request, header| request.insert_header(*header));
            here.is_own(&request.to_http_request())
        };
        assert!(own(&[]) && own(&[("origin", "https://mostik.example"), ("sec-fetch-site", "same-origin")]));
        for header in [
            ("origin", "null"),
            ("origin", "https://evil.example"),
            ("origin", "http://mostik.example"),
            ("origin", "https://mostik.example.evil"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert!(!own(&[header]), "{header:?}");
        }
    }
}
