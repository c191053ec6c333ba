//! The way of a member who signs in at the clinic, as far as it goes while nobody sits in front of the browser.

use jiff::Timestamp;
use reqwest::Url;

use super::{Outcome, Step, scopes_supported};
use crate::delivery::smart_auth::TokenError;
use crate::delivery::smart_auth::launch::{LaunchClient, Rehearsal, Rehearsed};
use crate::vault::signing::SigningKeys;

/// Walks until a step fails on which the next ones stand.
pub async fn check_launch(client: &LaunchClient, keys: &SigningKeys, now: Timestamp) -> Vec<Step> {
    let back = client.settings().redirect_uri.clone();
    let mut steps = vec![Step { name: "launch: back here", outcome: comes_back(&back) }];
    let mut note = |name, outcome| steps.push(Step { name, outcome });
    let Rehearsal { server, authorization, says_who, scopes, answer } = match client.rehearse(now).await {
        Ok(rehearsal) => rehearsal,
        Err(failure) => {
            note("launch: discovery", Outcome::Wrong(failure.to_string()));
            return steps;
        }
    };
    let host = authorization.host_str().unwrap_or_default();
    let who = if says_who { "and learn who signed in" } else { "which does not say who signed in" };
    note("launch: discovery", Outcome::Good(format!("members sign in at {host}, {who}")));
    note("launch: scopes", scopes_supported(&server, &scopes));
    if client.settings().signed {
        let key = keys.active(now, |algorithm| server.accepts(algorithm));
        let kid = key.as_ref().map(|key| key.kid().to_owned());
        let signs = Outcome::of(kid.is_some(), kid.unwrap_or_default(), TokenError::NoKey.to_string());
        note("launch: key", signs);
    }
    note("launch: sign-in", asks(&answer, &client.settings().client_id, &back));
    steps
}

/// The settings let nothing be plain HTTP but what is reached from this machine alone.
fn comes_back(back: &Url) -> Outcome {
    Outcome::of(
        back.scheme() == "https",
        format!("to {back}: the redirect URI that the clinic registers"),
        format!("to {back}, on their own machine: set server.public_url to where members reach this bridge"),
    )
}

/// What came of going where a member's browser would be sent.
fn asks(answer: &Rehearsed, client_id: &str, back: &Url) -> Outcome {
    match answer {
        Rehearsed::Asks => Outcome::Good("the server asks whoever comes to sign in".to_owned()),
        Rehearsed::SentBack(code) => Outcome::Wrong(format!(
            "the server sends whoever comes back at once ({code}): ask the clinic what {client_id} lacks"
        )),
        Rehearsed::Refused(status) => Outcome::Wrong(format!(
            "the server refuses whoever comes ({status}): check that the clinic registered {client_id} with the redirect URI \
             {back}, to the letter"
        )),
        Rehearsed::NoAnswer => Outcome::Wrong("the authorization endpoint gives no answer: ask the clinic".to_owned()),
    }
}
