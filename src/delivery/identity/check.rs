//! Walks the way to a community's identity provider step by step, as far as it can be walked without a member. Stores
//! nothing.

use jiff::Timestamp;

use super::failure::Failure;
use super::provider::Provider;
use crate::delivery::check::{Outcome, Step};

/// Walks until a step fails on which the next ones stand.
pub async fn check(provider: &Provider, now: Timestamp) -> Vec<Step> {
    let found = match provider.find(now).await {
        Ok(found) => found,
        Err(error) => return vec![Step { name: "provider", outcome: Outcome::Wrong(error.to_string()) }],
    };
    let host = found.authorization.url().host_str().unwrap_or_default();
    let says_issuer = if found.says_issuer {
        Outcome::Good("each response says whose it is".to_owned())
    } else {
        Outcome::Skipped("responses do not say whose they are (RFC 9207); one provider for each community bears that")
    };
    let steps = [
        ("provider", Outcome::Good(format!("it is {}, and members sign in at {host}", provider.issuer()))),
        ("iss", says_issuer),
        ("client", client(provider.knock(now).await)),
        ("redirect URI", Outcome::Skipped("a member's first sign-in shows whether the provider knows it")),
    ];
    steps.into_iter().map(|(name, outcome)| Step { name, outcome }).collect()
}

/// What comes of a code that nobody was given.
fn client(knocked: Result<(), Failure>) -> Outcome {
    match knocked {
        Err(Failure::Refused("invalid_grant")) => Outcome::Good("the provider knows it".to_owned()),
        Err(error @ (Failure::Refused("invalid_client" | "unauthorized_client") | Failure::NoAnswer(_))) => {
            Outcome::Wrong(error.to_string())
        }
        Ok(()) => Outcome::Wrong("the provider takes a code that nobody was given: do not use it".to_owned()),
        Err(_) => Outcome::Skipped("the provider does not say; a member's first sign-in shows it"),
    }
}
