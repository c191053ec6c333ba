//! *Preview*: exactly what would have gone to a clinic in the last seven days, and what would have stayed with the member,
//! under their consent as it stands, or under one that they have filled in and not saved.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, page};
use super::json::indented;
use super::sharing::{Sent, Standing, form, linked, sent, words};
use crate::domain::category::Detail;
use crate::domain::grant::Terms;
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::outbound::Outbound;
use crate::insight::preview::{self, Preview};
use crate::web::State;

/// The most of each kind that are shown one by one.
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage {
    frame: Frame,
    clinic: ClinicId,
    name: String,
    /// How it stands with the clinic, and what that means for the page: the key of a text.
    standing: &'static str,
    goes: Items<Going>,
    withheld: Items<Withheld>,
    /// The form that is not saved yet.
    draft: Option<Vec<(String, String)>>,
}

/// What is looked at.
struct Asked {
    clinic: ClinicId,
    name: String,
    standing: &'static str,
    terms: Option<Terms>,
    draft: Option<Vec<(String, String)>>,
}

/// The newest, and how many there are.
struct Items<T> {
    shown: Vec<T>,
    all: usize,
}

impl<T> Items<T> {
    fn of<F>(found: Vec<F>, show: impl Fn(F) -> T) -> Self {
        let all = found.len();
        Self { shown: found.into_iter().take(MOST).map(show).collect(), all }
    }

    fn more(&self) -> usize {
        self.all - self.shown.len()
    }
}

/// Something that would have gone.
struct Going {
    what: &'static str,
    when: String,
    line: String,
    fhir: String,
}

/// Something that would have stayed.
struct Withheld {
    when: String,
    line: String,
    why: &'static str,
}

/// Shows it, under the consent as it stands.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: Session,
    clinic: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let (clinic, name, grant) = linked(&state, &mut tx, session.member, &clinic).await?;
    drop(tx);
    let standing = match Standing::of(grant.as_ref(), state.bridge.clock.now()) {
        Standing::Nothing => "preview-nothing",
        Standing::Active => "preview-active",
        Standing::Paused => "preview-paused",
        Standing::Over => "preview-over",
    };
    let terms = grant.map(|grant| grant.terms);
    shown(&state, frame, session.member, Asked { clinic, name, standing, terms, draft: None }).await
}

/// Shows what a form would mean. Nothing is saved.
pub async fn try_out(
    state: Data<State>,
    frame: Frame,
    posted: Posted,
    clinic: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let Sent { about, grant, draft, decided } =
        sent(&state, &mut tx, &posted, &clinic, state.bridge.clock.now()).await?;
    drop(tx);
    let (mut terms, practitioner) = match decided {
        Ok(decided) => decided,
        Err(wrong) => return form(StatusCode::UNPROCESSABLE_ENTITY, frame, about, draft, Some(wrong)),
    };
    // Only whom the consent names already is known in the way in which a clinic is told.
    if let Some(grant) = grant.filter(|_| practitioner.is_some() && practitioner == about.practitioner) {
        terms.recipient = grant.terms.recipient;
    }
    let (terms, draft) = (Some(terms), Some(posted.fields.carried()));
    let asked = Asked { clinic: about.clinic, name: about.name, standing: "preview-draft", terms, draft };
    shown(&state, frame, posted.session.member, asked).await
}

async fn shown(state: &State, frame: Frame, member: MemberId, asked: Asked) -> Result<HttpResponse, PortalError> {
    let Asked { clinic, name, standing, terms, draft } = asked;
    let found = match terms {
        Some(terms) => {
            let found = preview::preview(&state.bridge, member, &clinic, terms, frame.language).await?;
            found.ok_or(PortalError::SignInFirst)?
        }
        None => Preview { goes: Vec::new(), withheld: Vec::new() },
    };
    let fhir = |outbound: &Outbound| indented(&String::from_utf8_lossy(&outbound.body));
    let goes = Items::of(found.goes, |going| Going {
        what: words::category(going.category),
        when: match going.detail {
            Detail::EveryEntry => frame.moment(going.at),
            Detail::DailySummary => frame.day_of(going.at),
            Detail::WeeklySummary => frame.t1("preview-week", "day", frame.day_of(going.at)),
        },
        line: going.line,
        fhir: going.parts.iter().chain([&going.fhir]).map(fhir).collect::<Vec<_>>().join("\n\n"),
    });
    let withheld = Items::of(found.withheld, |withheld| Withheld {
        when: frame.moment(withheld.at),
        line: withheld.line,
        why: withheld.why,
    });
    page(&PreviewPage { frame, clinic, name, standing, goes, withheld, draft })
}
