//! `RateLimit` headers: how long to wait when nothing is left.
//!
//! Servers send what three generations of drafts and custom gave them: the fields of
//! draft-ietf-httpapi-ratelimit-headers-10 (`RateLimit: "default";r=0;t=30`), of its versions up to 06
//! (`RateLimit-Remaining`, `RateLimit-Reset`), and the same with an `X-` before them.

use jiff::SignedDuration;
use reqwest::header::HeaderMap;

/// A reset later than this is a date, not a number of seconds (some `X-RateLimit-Reset` are Unix times).
const LONGEST: i64 = 24 * 3600;

/// How long until there is something left again; `None` if something is left, or nothing is said.
pub fn exhausted(headers: &HeaderMap) -> Option<SignedDuration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(policies) = text("ratelimit") {
        let waits = policies.split(',').filter_map(|policy| {
            let parameter = |name: &str| {
                let found = policy.split(';').skip(1).filter_map(|part| part.trim().split_once('='));
                found.filter(|(key, _)| *key == name).find_map(|(_, value)| value.trim().parse::<i64>().ok())
            };
            if parameter("r")? == 0 { parameter("t") } else { None }
        });
        return waits.max().and_then(seconds);
    }
    ["ratelimit", "x-ratelimit"].into_iter().find_map(|family| {
        let number = |part: &str| text(&format!("{family}-{part}"))?.parse::<i64>().ok();
        if number("remaining")? == 0 { number("reset").and_then(seconds) } else { None }
    })
}

fn seconds(count: i64) -> Option<SignedDuration> {
    (1..=LONGEST).contains(&count).then(|| SignedDuration::from_secs(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&'static str, &'static str)]) -> Option<i64> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        exhausted(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn every_generation_of_the_headers_is_understood() {
        assert_eq!(wait(&[("ratelimit", "\"default\";r=0;t=30")]), Some(30));
        assert_eq!(wait(&[("ratelimit", "\"a\";r=0;t=5, \"b\"; r=0; t=60")]), Some(60));
        assert_eq!(wait(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "7")]), Some(7));
        assert_eq!(wait(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9")]), Some(9));
    }

    #[test]
    fn as_long_as_something_is_left_nobody_waits() {
        for headers in [
            &[("ratelimit", "\"default\";r=50;t=30")][..],
            &[("ratelimit-remaining", "3"), ("ratelimit-reset", "7")],
            &[("ratelimit", "nonsense")],
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1790000000")],
            &[("ratelimit-remaining", "0"), ("ratelimit-reset", "-1")],
            &[],
        ] {
            assert_eq!(wait(headers), None, "{headers:?}");
        }
    }
}
