//! The staff view, asked for as everybody there is: nobody else's session opens anything there, and staff see their own clinic.

use super::Body::{Form, Nothing};
use super::Who::{OtherStaff, Staff};
use super::{Body, Row, Target, row};

/// Where everybody is led who is not signed in as staff.
const AWAY: &str = "303 /clinic/sign-in";

fn page(path: &str) -> (String, Body) {
    (path.to_owned(), Nothing)
}

fn form(path: &str, fields: &[(&'static str, &str)]) -> (String, Body) {
    (path.to_owned(), Form(fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()))
}

fn of(it: &Target, room: &str, rest: &str) -> String {
    format!("/clinic/{room}/{}{rest}", it.booking)
}

/// A group session that no clinic has.
const NO_GROUP: &str = "/clinic/groups/00000000-0000-0000-0000-000000000000";

/// A material that no clinic has.
const NO_MATERIAL: &str = "/clinic/materials/00000000-0000-0000-0000-000000000000";

const NONE: &[(super::Who, &str)] = &[(Staff, "404"), (OtherStaff, "404")];
const BOTH: &[(super::Who, &str)] = &[(Staff, "200"), (OtherStaff, "200")];
const THEIR_OWN: &[(super::Who, &str)] = &[(Staff, "200"), (OtherStaff, "404")];

#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row("GET /clinic", |_| page("/clinic"), AWAY, BOTH),
    row("GET /clinic/requests/{booking}", |it| page(&of(it, "requests", "")), AWAY, THEIR_OWN),
    row("POST /clinic/requests/{booking}", |it| form(&of(it, "requests", ""), &[("how", "give")]), AWAY, &[(Staff, "422"), (OtherStaff, "404")]),
    row("POST /clinic/requests/{booking}/decline", |it| form(&of(it, "requests", "/decline"), &[("why", "call")]), AWAY,
        &[(Staff, "303 /clinic"), (OtherStaff, "404")]),
    row("GET /clinic/today", |_| page("/clinic/today"), AWAY, BOTH),
    row("GET /clinic/free", |_| page("/clinic/free"), AWAY, BOTH),
    row("GET /clinic/groups", |_| page("/clinic/groups"), AWAY, BOTH),
    row("POST /clinic/groups", |_| form("/clinic/groups", &[("kind", "calm-evening")]), AWAY, &[(Staff, "422"), (OtherStaff, "422")]),
    row("GET /clinic/groups/{group}", |_| page(NO_GROUP), AWAY, NONE),
    row("POST /clinic/groups/{group}/change", |_| form(&format!("{NO_GROUP}/change"), &[]), AWAY, NONE),
    row("POST /clinic/groups/{group}/cancel", |_| form(&format!("{NO_GROUP}/cancel"), &[]), AWAY, NONE),
    row("GET /clinic/groups/{group}/join", |_| page(&format!("{NO_GROUP}/join")), AWAY, NONE),
    row("GET /clinic/materials", |_| page("/clinic/materials"), AWAY, BOTH),
    row("POST /clinic/materials", |_| form("/clinic/materials", &[("language", "en")]), AWAY, &[(Staff, "400"), (OtherStaff, "400")]),
    row("GET /clinic/materials/{material}", |_| page(NO_MATERIAL), AWAY, NONE),
    row("POST /clinic/materials/{material}", |_| form(NO_MATERIAL, &[("version", "1")]), AWAY, NONE),
    row("POST /clinic/materials/{material}/retract", |_| form(&format!("{NO_MATERIAL}/retract"), &[]), AWAY, NONE),
    row("GET /clinic/offered", |_| page("/clinic/offered"), AWAY, BOTH),
    row("GET /clinic/offered/{visit}", |_| page("/clinic/offered/first-talk"), AWAY, THEIR_OWN),
    row("POST /clinic/offered/{visit}", |_| form("/clinic/offered/first-talk", &[("hold", "0"), ("version", "0")]), AWAY, &[(Staff, "422"), (OtherStaff, "404")]),
    // Nothing was changed, so there is nothing to take back.
    row("POST /clinic/offered/{visit}/usual", |_| form("/clinic/offered/first-talk/usual", &[("version", "1")]), AWAY,
        &[(Staff, "409"), (OtherStaff, "404")]),
    // It has no time yet.
    row("GET /clinic/visits/{booking}", |it| page(&of(it, "visits", "")), AWAY, &[(Staff, "404"), (OtherStaff, "404")]),
    row("GET /clinic/visits/{booking}/join", |it| page(&of(it, "visits", "/join")), AWAY,
        &[(Staff, "303 /clinic/visits/{booking}"), (OtherStaff, "404")]),
    row("POST /clinic/visits/{booking}/mark", |it| form(&of(it, "visits", "/mark"), &[("from", "booked"), ("as", "noshow")]), AWAY,
        &[(Staff, "409"), (OtherStaff, "404")]),
    row("POST /clinic/visits/{booking}/cancel", |it| form(&of(it, "visits", "/cancel"), &[("why", "call")]), AWAY,
        &[(Staff, "303 /clinic/visits/{booking}"), (OtherStaff, "404")]),
    row("GET /clinic/sign-in", |_| page("/clinic/sign-in"), "200", &[(Staff, "303 /clinic"), (OtherStaff, "303 /clinic")]),
    row("POST /clinic/sign-in", |_| form("/clinic/sign-in", &[("clinic", "riverside")]), "403", &[(Staff, "502"), (OtherStaff, "502")]),
    row("GET /clinic/return", |_| page("/clinic/return?state=x&code=x"), "422", &[]),
    row("POST /clinic/language", |_| form("/clinic/language", &[("language", "ru"), ("back", "/clinic")]), "403",
        &[(Staff, "303 /clinic"), (OtherStaff, "303 /clinic")]),
    row("POST /clinic/sign-out", |_| form("/clinic/sign-out", &[]), AWAY, &[(Staff, AWAY), (OtherStaff, AWAY)]),
];
