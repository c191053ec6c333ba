//! What stands around every page: language, texts, the way about, and the word on what was just done.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;
use fluent_bundle::FluentValue;
use jiff::civil::Date;

use super::caller::Caller;
use super::cookies::{FLASH, LANGUAGE};
use super::error::PortalError;
use super::rules::RulesNews;
use super::texts::Texts;
use crate::domain::helpline::{Help, Words};
use crate::domain::ids::MemberId;
use crate::domain::language::Language;
use crate::domain::moment::Moment;
use crate::store::Tx;
use crate::vault::Keyring;
use crate::web::{State, clinic, moderate};

/// What may be said about what was just done: the keys of texts. Others are not said.
const FLASHES: &[&str] = &[
    "flash-calendar-off",
    "flash-clinic-asked",
    "flash-clinic-done",
    "flash-clinic-group-cancelled",
    "flash-clinic-group-changed",
    "flash-clinic-group-planned",
    "flash-clinic-linked",
    "flash-clinic-material-published",
    "flash-clinic-material-retracted",
    "flash-clinic-not-free",
    "flash-clinic-signed-out",
    "flash-clinic-terms",
    "flash-clinic-unlinked",
    "flash-data-kept",
    "flash-data-not-kept",
    "flash-erase-cancelled",
    "flash-erase-requested",
    "flash-group-joined",
    "flash-group-waits",
    "flash-identity-connected",
    "flash-identity-removed",
    "flash-message-accepted",
    "flash-message-asked",
    "flash-message-declined",
    "flash-message-done",
    "flash-moderate-acknowledged",
    "flash-moderate-closed",
    "flash-moderate-escalated",
    "flash-moderate-signed-out",
    "flash-push-off",
    "flash-push-on",
    "flash-questionnaire-left-out",
    "flash-questionnaire-thrown-away",
    "flash-rules-agreed",
    "flash-settings-saved",
    "flash-sharing-paused",
    "flash-sharing-resumed",
    "flash-sharing-saved",
    "flash-sharing-stopped",
    "flash-signed-out",
    "flash-summary-asked",
    "flash-summary-nothing",
    "flash-summary-saved",
    "flash-told-saved",
    "flash-visit-away",
    "flash-visit-not-offered",
    "flash-visit-rate-none",
    "flash-visit-rated",
    "flash-visit-requested",
    "flash-visit-waits",
    "flash-visit-waits-no-more",
];

/// What stands around a page.
pub struct Frame {
    /// The language of the page.
    pub language: Language,
    /// Those in which it can be had.
    pub languages: [Language; 2],
    /// The token for the page's forms.
    pub csrf: String,
    /// Whether a member is signed in.
    pub signed_in: bool,
    /// Below which path it is, if it is a page of the staff view or of the review queue.
    pub base: &'static str,
    /// The clinic or the community whose people are signed in there.
    pub staff: Option<String>,
    /// The page's own path.
    pub path: String,
    /// The word on what was just done: the key of a text.
    pub flash: Option<&'static str>,
    /// The address of the style sheet.
    pub style: String,
    /// The address of the icon.
    pub icon: String,
    /// How many messages the member has not read.
    pub unread: i64,
    /// How the rules of the member's community concern them, where it has some.
    pub rules: Option<RulesNews>,
    /// Whether any clinic offers visits.
    pub has_visits: bool,
    /// Where most members find help.
    pub help: Help,
    texts: Arc<Texts>,
}

impl Frame {
    /// The frame for a request.
    pub fn of(request: &HttpRequest) -> Result<Self, PortalError> {
        let state = request.app_data::<Data<State>>().ok_or(PortalError::Internal)?;
        let caller = Caller::of(request)?;
        let clinic = caller.staff.as_ref().map(|of| state.bridge.house.clinic_name(&of.who.clinic).to_owned());
        let community = caller.moderator.as_ref().map(|of| state.portal.name_of(&of.who.community));
        Ok(Self {
            language: language(request),
            languages: Language::ALL,
            csrf: caller.csrf(&state.bridge.keyring),
            signed_in: caller.session.is_some(),
            base: base(request.path()),
            staff: clinic.or(community),
            unread: caller.unread,
            rules: caller.rules,
            path: request.path().to_owned(),
            flash: FLASH.of(request).and_then(|found| FLASHES.iter().copied().find(|known| *known == found)),
            style: state.portal.assets.url("portal.css"),
            icon: state.portal.assets.url("icon.svg"),
            has_visits: state.bridge.house.has_visits(),
            help: state.help.usual().clone(),
            texts: Arc::clone(&state.portal.texts),
        })
    }

    /// The same for whoever is in front of the screen once nobody is signed in any more.
    #[must_use]
    pub fn signed_out(self, caller: Caller, keyring: &Keyring) -> Self {
        let csrf = Caller { session: None, ..caller }.csrf(keyring);
        Self { signed_in: false, rules: None, csrf, ..self }
    }

    /// The same once the member has read something.
    pub async fn after_reading(self, tx: &mut Tx, member: MemberId) -> Result<Self, PortalError> {
        Ok(Self { unread: tx.count_unread(member).await?, ..self })
    }

    /// Where its room begins.
    #[must_use]
    pub const fn start(&self) -> &'static str {
        if self.base.is_empty() { "/" } else { self.base }
    }

    /// What a text says.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.texts.say(self.language, key, &[])
    }

    /// What a text says about one thing.
    #[must_use]
    pub fn t1<'a>(&self, key: &str, name: &'a str, value: impl Into<FluentValue<'a>>) -> String {
        self.texts.say(self.language, key, &[(name, value.into())])
    }

    /// What words say that are not among the texts.
    #[must_use]
    pub fn words<'w>(&self, words: &'w Words) -> &'w str {
        words.get(self.language)
    }

    /// A day, as people of this language write it.
    #[must_use]
    pub fn date(&self, day: Date) -> String {
        self.texts.date(self.language, day)
    }

    /// What a text says about several things.
    #[must_use]
    pub fn tn(&self, key: &str, with: &[(&str, FluentValue<'_>)]) -> String {
        self.texts.say(self.language, key, with)
    }

    /// The day of a moment, by the clock that the person saw.
    #[must_use]
    pub fn day_of(&self, moment: Moment) -> String {
        self.date(moment.shown().date())
    }

    /// A moment, by the clock that the person saw.
    #[must_use]
    pub fn moment(&self, moment: Moment) -> String {
        let shown = moment.shown();
        format!("{}, {:02}:{:02}", self.date(shown.date()), shown.hour(), shown.minute())
    }

    /// Whether a link leads to this page or to the room it is in.
    #[must_use]
    pub fn is_in(&self, room: &str) -> bool {
        self.path == room || self.path.strip_prefix(room).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Below which path those are whose side it is; members are nowhere in particular.
fn base(path: &str) -> &'static str {
    match path {
        path if clinic::is_here(path) => "/clinic",
        path if moderate::is_here(path) => "/moderate",
        _ => "",
    }
}

impl FromRequest for Frame {
    type Error = PortalError;
    type Future = Ready<Result<Self, PortalError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// The language chosen here, else the one the browser asks for.
pub fn language(request: &HttpRequest) -> Language {
    let chosen = LANGUAGE.of(request).and_then(Language::from_name);
    let asked = || Language::accepted(request.headers().get("accept-language")?.to_str().ok()?);
    chosen.or_else(asked).unwrap_or_default()
}

/// A page.
///
/// # Errors
/// [`PortalError::Internal`] when the template cannot be filled. A defect.
pub fn page(template: &impl Template) -> Result<HttpResponse, PortalError> {
    page_with(StatusCode::OK, template)
}

/// A page with a status of its own.
///
/// # Errors
/// [`PortalError::Internal`] when the template cannot be filled. A defect.
pub fn page_with(status: StatusCode, template: &impl Template) -> Result<HttpResponse, PortalError> {
    let html = template.render().map_err(|error| PortalError::internal(&error))?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html))
}

/// On to another page of the portal, by `GET`: what was done is not done again when the page is loaded once more.
pub fn go_to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()
}

/// The same, with a word on what was done: the key of a text that begins with `flash-`.
pub fn go_to_saying(path: &str, flash: &'static str) -> HttpResponse {
    let cookie = (SET_COOKIE, FLASH.set(flash));
    HttpResponse::SeeOther().insert_header((LOCATION, path)).append_header(cookie).finish()
}
