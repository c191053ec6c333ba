//! *What was shared*: everything that clinics have received, the newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, page};
use super::own::Own;
use super::sharing::words;
use crate::audit::shared::{ByStaff, Shared, Standing, by_staff, shared};
use crate::domain::audit::About;
use crate::domain::delivery::Operation;
use crate::domain::language::Language;
use crate::domain::warning::{WarningPurpose, basis_in};
use crate::safety::{Warned, warnings};
use crate::store::AuditCursor;
use crate::web::State;

/// How many looks of a clinic's staff are gone through for those that are shown.
const LOOKS: i64 = 100;

/// How many there are on a page.
const ON_A_PAGE: i64 = 50;

#[derive(Template)]
#[template(path = "shared.html")]
struct SharedPage {
    frame: Frame,
    items: Vec<Item>,
    /// What clinics' staff did with the member's visits: the key of its words, which clinic, and when.
    looks: Vec<(&'static str, String, String)>,
    /// Where the next page begins.
    next: Option<String>,
}

/// Something that a clinic received.
struct Item {
    clinic: String,
    /// What it was: the key of its words.
    what: &'static str,
    /// What the clinic was told about it: the key of its words.
    told: &'static str,
    /// How it stands there: the key of its words.
    standing: &'static str,
    lived: Option<String>,
    arrived: String,
    version: Option<String>,
    /// By which right it went without consent, if it did.
    without: Option<Without>,
}

/// By which right something went without consent.
struct Without {
    /// What it may be used for: the key of its words.
    purpose: &'static str,
    /// The law, in the operator's words.
    legal_basis: String,
}

/// Which page.
#[derive(Deserialize)]
pub struct Which {
    before: Option<String>,
}

/// Shows a page of it.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: Session,
    which: Query<Which>,
) -> Result<HttpResponse, PortalError> {
    let before = match &which.before {
        None => None,
        Some(text) => Some(cursor(text).ok_or(PortalError::NotFound)?),
    };
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let found = shared(&mut tx, &own.key, before.as_ref(), ON_A_PAGE).await?;
    let warnings = warnings(&mut tx, &own.key).await?;
    // The newest only, and so on the first page.
    let looks = if before.is_none() { by_staff(&mut tx, session.member, LOOKS).await? } else { Vec::new() };
    let language = frame.language;
    let days = own.days();
    let day = |at| frame.date(days.day_of(at));
    let item = |item: Shared| Item {
        clinic: state.bridge.house.clinic_name(&item.clinic).to_owned(),
        what: what(&item.disclosure.about),
        told: told(item.disclosure.operation),
        standing: standing(item.standing),
        lived: item.measured_at.map(day),
        arrived: day(item.at),
        version: item.disclosure.version.map(|version| version.to_string()),
        without: item.disclosure.purpose.map(|purpose| Without {
            purpose: purpose_words(purpose),
            legal_basis: basis_of(&warnings, &item.disclosure.identifier, language),
        }),
    };
    let mut items = found.items;
    // Parts stand with their whole, which arrives last; a part that came without one, for itself.
    items.dedup_by(|older, newer| {
        let told = |item: &Shared| (item.clinic.clone(), item.measured_at, item.disclosure.about.category);
        // An answer that is a part goes where its whole does not.
        older.disclosure.is_part && !is_answer(&older.disclosure.about) && told(older) == told(newer)
    });
    let items = items.into_iter().map(item).collect();
    let next = found.next.map(|next| format!("{}.{}.{}", next.at, next.clinic, next.seq));
    let look = |look: ByStaff| {
        let clinic = state.bridge.house.clinic_name(&look.clinic).to_owned();
        (if look.is_decision { "shared-staff-decided" } else { "shared-staff-saw" }, clinic, day(look.at))
    };
    let mut looks: Vec<_> = looks.into_iter().map(look).collect();
    // Of several on one day, one.
    looks.dedup();
    page(&SharedPage { frame, items, looks, next })
}

fn cursor(text: &str) -> Option<AuditCursor> {
    let mut parts = text.split('.');
    let (at, clinic, seq) = (parts.next()?, parts.next()?, parts.next()?);
    let end = parts.next().is_none();
    Some(AuditCursor { at: at.parse().ok()?, clinic: clinic.to_owned(), seq: seq.parse().ok()? }).filter(|_| end)
}

/// The law by which a clinic was warned with this resource; empty where it is not known any more.
fn basis_of(warnings: &[Warned], identifier: &str, language: Language) -> String {
    let of = warnings.iter().find(|warned| warned.identifier.to_string() == identifier);
    of.map(|warned| basis_in(&warned.why.legal_basis, language).to_owned()).unwrap_or_default()
}

const fn purpose_words(purpose: WarningPurpose) -> &'static str {
    match purpose {
        WarningPurpose::EmergencyTreatment => "shared-for-emergency",
        WarningPurpose::Threat => "shared-for-threat",
    }
}

/// What it was: a page tells of several categories at once.
fn what(about: &About) -> &'static str {
    if is_answer(about) {
        return "shared-answer";
    }
    match about.matter.as_str() {
        "warning" => return "shared-warning",
        "booking" | "booking-why" | "cancelling" => return "shared-visit",
        _ => {}
    }
    // One that tells nothing but what was recommended is a page, too.
    let is_page = !about.parts.is_empty() || about.matter == "answered-page";
    let other = if is_page { "shared-page" } else { "shared-consent" };
    about.category.map_or(other, words::category)
}

/// Whether it is what the member said to something that the clinic has for them.
fn is_answer(about: &About) -> bool {
    about.matter == "answer"
}

const fn told(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "shared-new",
        Operation::Correct => "shared-corrected",
        Operation::Retract => "shared-retracted",
    }
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Recorded => "there-recorded",
        Standing::Corrected => "there-corrected",
        Standing::Retracted => "there-retracted",
    }
}
