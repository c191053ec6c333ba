//! The review queue, asked for as everybody there is: nobody else's session opens anything there, and people see their own community.

use super::Body::{Form, Nothing};
use super::Who::{Moderator, OtherModerator};
use super::{Body, Row, Target, row};

/// Where everybody is led who is none of a community's people.
const AWAY: &str = "303 /moderate/sign-in";

fn page(path: &str) -> (String, Body) {
    (path.to_owned(), Nothing)
}

fn form(path: &str, fields: &[(&'static str, &str)]) -> (String, Body) {
    (path.to_owned(), Form(fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()))
}

fn of(it: &Target, rest: &str) -> String {
    format!("/moderate/concerns/{}{rest}", it.concern)
}

const BOTH: &[(super::Who, &str)] = &[(Moderator, "200"), (OtherModerator, "200")];

#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row("GET /moderate", |_| page("/moderate"), AWAY, BOTH),
    row("GET /moderate/history", |_| page("/moderate/history"), AWAY, BOTH),
    row("GET /moderate/concerns/{concern}", |it| page(&of(it, "")), AWAY, &[(Moderator, "200"), (OtherModerator, "404")]),
    row("POST /moderate/concerns/{concern}/acknowledge", |it| form(&of(it, "/acknowledge"), &[("by", "anna")]), AWAY,
        &[(Moderator, "303 /moderate/concerns/{concern}"), (OtherModerator, "404")]),
    row("POST /moderate/concerns/{concern}/escalate", |it| form(&of(it, "/escalate"), &[]), AWAY,
        &[(Moderator, "303 /moderate/concerns/{concern}"), (OtherModerator, "404")]),
    // Nobody has taken it yet.
    row("POST /moderate/concerns/{concern}/close", |it| form(&of(it, "/close"), &[("by", "anna")]), AWAY,
        &[(Moderator, "409"), (OtherModerator, "404")]),
    row("GET /moderate/sign-in", |_| page("/moderate/sign-in"), "200", &[(Moderator, "303 /moderate"), (OtherModerator, "303 /moderate")]),
    row("POST /moderate/sign-in", |_| form("/moderate/sign-in", &[("community", "forum")]), "403", &[(Moderator, "502"), (OtherModerator, "502")]),
    row("GET /moderate/return", |_| page("/moderate/return?state=x&code=x"), "422", &[]),
    row("POST /moderate/language", |_| form("/moderate/language", &[("language", "ru"), ("back", "/moderate")]), "403",
        &[(Moderator, "303 /moderate"), (OtherModerator, "303 /moderate")]),
    row("POST /moderate/sign-out", |_| form("/moderate/sign-out", &[]), AWAY, &[(Moderator, AWAY), (OtherModerator, AWAY)]),
];
