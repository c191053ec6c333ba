//! The form with which a member decides what one clinic may see.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use jiff::Timestamp;

use super::draft::{Draft, PURPOSES, WAYS_BACK, purpose_field};
use super::{decision, last_day, linked, words};
use crate::consent::notice::{Notice, Part};
use crate::domain::category::{Category, Detail};
use crate::domain::consented::{Method, Practitioner};
use crate::domain::grant::{Grant, Terms};
use crate::domain::ids::ClinicId;
use crate::domain::language::Language;
use crate::pipeline::consent::{Version, Wish, version};
use crate::store::Tx;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::{PRESSED_FIELD, Posted};
use crate::web::portal::frame::{Frame, go_to_saying, page_with};
use crate::web::portal::own::Own;

#[derive(Template)]
#[template(path = "sharing_edit.html")]
struct EditPage {
    frame: Frame,
    clinic: ClinicId,
    name: String,
    /// Those of whom the member can choose one.
    practitioners: Vec<Practitioner>,
    /// Whom it is for: the id of one of them, or empty.
    who: String,
    /// What is to be read before.
    notice: Notice,
    /// Whether the member has yet to read it.
    is_new: bool,
    categories: Vec<CategoryChoice>,
    purposes: Vec<Choice>,
    ways_back: Vec<Choice>,
    everything: bool,
    since: String,
    until: String,
    /// What was wrong with what was sent: the key of a text.
    wrong: Option<&'static str>,
}

struct CategoryChoice {
    field: &'static str,
    title: &'static str,
    more: &'static str,
    choices: Vec<Choice>,
}

/// A box or a button of a list: its name or value, the key of its words, and whether it is chosen.
struct Choice {
    value: &'static str,
    text: &'static str,
    chosen: bool,
}

/// Shows the form, filled in as it stands.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: Session,
    clinic: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.read().await?;
    let (clinic, name, grant) = linked(&state, &mut tx, session.member, &clinic).await?;
    let days = Own::open(&state.bridge, &mut tx, session.member).await?.days();
    let until = grant.as_ref().map(|grant| last_day(&days, grant));
    let about = About::of(&state, &mut tx, clinic, name, grant.as_ref()).await?;
    let draft = Draft::of(grant.as_ref(), about.practitioner.as_ref(), until, &days, now);
    form(StatusCode::OK, frame, about, draft, None)
}

/// Takes the form: a new version of the member's consent.
pub async fn save(
    state: Data<State>,
    frame: Frame,
    posted: Posted,
    clinic: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let now = state.bridge.clock.now();
    let member = posted.session.member;
    let mut tx = state.bridge.store.begin().await?;
    let Sent { about, grant, draft, decided } = sent(&state, &mut tx, &posted, &clinic, now).await?;
    // Whoever looked at what it would mean may want to change it before it is saved.
    if posted.fields.text(PRESSED_FIELD) == "change" {
        return form(StatusCode::OK, frame, about, draft, None);
    }
    let (terms, practitioner) = match decided {
        Ok(decided) => decided,
        Err(wrong) => return form(StatusCode::UNPROCESSABLE_ENTITY, frame, about, draft, Some(wrong)),
    };
    let read = Language::from_name(posted.fields.text("notice-language"));
    let shown = posted.fields.text("notice-version").parse().ok().zip(read).ok_or(PortalError::BadForm)?;
    let wish = Wish { terms, practitioner, shown: Some(shown), method: Method::Portal };
    decision::share(&state.bridge, tx, (member, about.clinic), grant, wish, now).await?;
    Ok(go_to_saying("/sharing", "flash-sharing-saved"))
}

/// A form that was sent.
pub struct Sent {
    /// What it is about.
    pub about: About,
    /// The consent as it stands.
    pub grant: Option<Grant>,
    /// As it was filled in.
    pub draft: Draft,
    /// What it decides, and for whom; or what is wrong with it: the key of a text.
    pub decided: Result<(Terms, Option<Practitioner>), &'static str>,
}

/// Reads a form that was sent.
pub async fn sent(
    state: &State,
    tx: &mut Tx,
    posted: &Posted,
    clinic: &Path<String>,
    now: Timestamp,
) -> Result<Sent, PortalError> {
    let member = posted.session.member;
    let (clinic, name, grant) = linked(state, tx, member, clinic).await?;
    let days = Own::open(&state.bridge, tx, member).await?.days();
    let about = About::of(state, tx, clinic, name, grant.as_ref()).await?;
    let draft = Draft::read(&posted.fields, about.practitioner.as_ref());
    let terms = draft.terms(grant.as_ref().map(|grant| &grant.terms), &days, now);
    let decided = terms.and_then(|terms| Ok((terms, draft.practitioner(&about.choices)?)));
    Ok(Sent { about, grant, draft, decided })
}

/// What the form is about.
pub struct About {
    /// Which clinic.
    pub clinic: ClinicId,
    /// What it is called.
    pub name: String,
    /// The one practitioner whom it is for, as it stands.
    pub practitioner: Option<Practitioner>,
    /// Those of whom the member can choose one: whom the clinic names, and the one whom it is for already.
    choices: Vec<Practitioner>,
    /// Whether the member has yet to read the text that is valid now.
    is_new: bool,
}

impl About {
    async fn of(
        state: &State,
        tx: &mut Tx,
        clinic: ClinicId,
        name: String,
        grant: Option<&Grant>,
    ) -> Result<Self, PortalError> {
        let (practitioner, is_new) = match grant {
            Some(grant) => {
                let Version { practitioner, needs_asking, .. } = version(&state.bridge, tx, grant.clone()).await?;
                (practitioner, needs_asking)
            }
            None => (None, true),
        };
        let mut choices = state.bridge.house.practitioners(&clinic).to_vec();
        choices.extend(practitioner.clone().filter(|named| choices.iter().all(|choice| choice.id != named.id)));
        Ok(Self { clinic, name, practitioner, choices, is_new })
    }
}

/// The form, with what is wrong with it: the key of a text.
pub fn form(
    status: StatusCode,
    frame: Frame,
    about: About,
    draft: Draft,
    wrong: Option<&'static str>,
) -> Result<HttpResponse, PortalError> {
    let details = [None].into_iter().chain(Detail::ALL.map(Some));
    let choices = |category: Category, chosen: Option<Detail>| {
        let choice = |detail: Option<Detail>| Choice {
            value: detail.map_or("off", Detail::as_str),
            text: words::detail(detail),
            chosen: detail == chosen,
        };
        // What stands on pages only, or counts in weeks only, is there or not.
        let only = match category {
            it if it.is_for_pages() => Some(Detail::EveryEntry),
            it if it.is_weekly_only() => Some(Detail::WeeklySummary),
            _ => None,
        };
        let is_offered =
            |detail: &Option<Detail>| only.is_none() || detail.is_none() || *detail == only || *detail == chosen;
        details.clone().filter(is_offered).map(choice).collect()
    };
    let category = |(category, chosen): (&Category, &Option<Detail>)| CategoryChoice {
        field: category.as_str(),
        title: words::category(*category),
        more: words::category_more(*category),
        choices: choices(*category, *chosen),
    };
    let categories = draft.details.iter().map(category).collect();
    let purposes = PURPOSES.map(|purpose| Choice {
        value: purpose_field(purpose),
        text: words::purpose(purpose),
        chosen: draft.purposes.contains(&purpose),
    });
    let ways_back =
        WAYS_BACK.map(|way| Choice { value: way.as_str(), text: words::way_back(way), chosen: draft.way_back == way });
    let page = EditPage {
        notice: Notice::current(frame.language),
        frame,
        clinic: about.clinic,
        name: about.name,
        practitioners: about.choices,
        who: draft.who,
        is_new: about.is_new,
        categories,
        purposes: purposes.into(),
        ways_back: ways_back.into(),
        everything: draft.everything,
        since: draft.since,
        until: draft.until,
        wrong,
    };
    page_with(status, &page)
}
