//! *Preview*: exactly what would have gone to a clinic in the last seven days, and what would have stayed with the member.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, page};
use super::json::indented;
use super::sharing::{Standing, linked, words};
use crate::domain::category::Detail;
use crate::domain::ids::ClinicId;
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
    let found = match grant {
        Some(grant) => {
            let terms = grant.terms;
            let found = preview::preview(&state.bridge, session.member, &clinic, terms, frame.language).await?;
            found.ok_or(PortalError::SignInFirst)?
        }
        None => Preview { goes: Vec::new(), withheld: Vec::new() },
    };
    let goes = Items::of(found.goes, |going| Going {
        what: words::category(going.category),
        when: match going.detail {
            Detail::EveryEntry => frame.moment(going.at),
            Detail::DailySummary => frame.day_of(going.at),
            Detail::WeeklySummary => frame.t1("preview-week", "day", frame.day_of(going.at)),
        },
        line: going.line,
        fhir: indented(&String::from_utf8_lossy(&going.fhir.body)),
    });
    let withheld = Items::of(found.withheld, |withheld| Withheld {
        when: frame.moment(withheld.at),
        line: withheld.line,
        why: withheld.why,
    });
    page(&PreviewPage { frame, clinic, name, standing, goes, withheld })
}
