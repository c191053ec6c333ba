//! A browser, as far as it takes one to sign in somewhere: it follows redirects and keeps cookies.

use std::collections::BTreeMap;

use reqwest::Url;

use super::http;

/// Goes from `start` with these cookies until the way leads to `comes_back`; returns that address.
pub async fn walk(start: Url, cookies: &[(&str, &str)], comes_back: &str) -> Url {
    let mut jar: BTreeMap<String, String> =
        cookies.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (client, mut at) = (http::client(), start);
    for _ in 0..8 {
        let shown: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = client.get(at.clone()).header("cookie", shown.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            jar.insert(name.to_owned(), value.to_owned());
        }
        let Some(location) = answer.headers().get("location") else {
            panic!("the way ends at {at}: {} {}", answer.status(), answer.text().await.unwrap())
        };
        at = at.join(location.to_str().unwrap()).unwrap();
        if at.as_str().starts_with(comes_back) {
            return at;
        }
    }
    panic!("the way does not end: {at}")
}

/// A parameter of an address.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
