//! The companion in the portal: where a member's talk stands, what they can say, and a line to say it in their own words.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use uuid::Uuid;

use super::caller::Session;
use super::data::note::LEVELS;
use super::error::PortalError;
use super::form::{Posted, fresh_key};
use super::frame::{Frame, page};
use super::own::Watched;
use super::said::Around;
use crate::companion::script::Takes;
use crate::companion::talk::Said;
use crate::companion::{CompanionError, Heard, Saying, Value, capitalized, hear};
use crate::domain::consented::Method;
use crate::domain::ids::CommunityId;
use crate::insight::entry::NoteDownError;
use crate::web::State;

/// The longest that is taken, in characters: nothing that is understood is as long.
const LONGEST: usize = 200;

#[derive(Template)]
#[template(path = "talk.html")]
struct TalkPage {
    frame: Frame,
    /// What makes what is said next the same when it is sent again.
    key: Uuid,
    is_lost: bool,
    text: String,
    helps: bool,
    /// Where it is to be done or read, and the key of what that is called.
    page: Option<(String, &'static str)>,
    buttons: Vec<Button>,
    /// Who is told if an answer wants a human's eye, where a questionnaire begins.
    watched: Option<Watched>,
}

/// Something to say.
struct Button {
    value: String,
    words: String,
}

/// Shows where the talk stands.
pub async fn look(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let key = fresh_key(&state)?;
    answer(&state, frame, &session, key, None).await
}

/// Hears what a member says: what they pressed, else what they wrote.
pub async fn say(state: Data<State>, frame: Frame, posted: Posted) -> Result<HttpResponse, PortalError> {
    let key = posted.fields.text("key").parse().map_err(|_| PortalError::BadForm)?;
    let (pressed, written) = (posted.fields.text("press"), posted.fields.text("say"));
    let said = if pressed.is_empty() { Said::Written(written) } else { Said::Pressed(pressed) };
    answer(&state, frame, &posted.session, key, Some(said)).await
}

async fn answer(
    state: &State,
    frame: Frame,
    session: &Session,
    key: Uuid,
    said: Option<Said<'_>>,
) -> Result<HttpResponse, PortalError> {
    let member = session.member;
    let heard = Heard::new(member, (key, state.bridge.clock.now()), said, (frame.language, Method::Portal));
    let heard = heard.within(&session.community);
    let saying = hear(&state.bridge, &state.portal.talk, heard).await?;
    let mut tx = state.bridge.store.read().await?;
    let communities = tx.communities_of(member).await?;
    let house = &state.bridge.house;
    let name = |id: &CommunityId| state.portal.name_of(id);
    let called: Vec<String> = communities.iter().filter(|id| house.watched.contains_key(*id)).map(name).collect();
    let communities: Vec<String> = communities.iter().map(name).collect();
    let is_first = matches!(saying.value("number"), Some(Value::Number(1)));
    let watched = if is_first { Some(Watched::of(state, &mut tx, member, frame.language).await?) } else { None };
    drop(tx);
    let around = Around {
        communities: &communities.join(", "),
        called: &called.join(", "),
        here: &name(&session.community),
        emergency: &frame.help.emergency,
    };
    let text = state.portal.companion_says(house, frame.language, &saying.with("choices", ""), around);
    page(&TalkPage {
        key: fresh_key(state)?,
        is_lost: saying.is_lost,
        text,
        helps: saying.helps,
        page: saying.page.as_ref().map(|page| (page.to_string(), name_of(page))),
        buttons: buttons(&frame, &saying),
        watched,
        frame,
    })
}

/// What a page is called in the way about.
fn name_of(page: &str) -> &'static str {
    match page {
        "/messages" => "nav-messages",
        "/visits" => "nav-visits",
        "/erase" => "secret-title",
        rules if rules.starts_with("/rules/") => "nav-rules",
        _ => "nav-sharing",
    }
}

/// What can be said with one press: numbers with what they mean, and words.
fn buttons(frame: &Frame, saying: &Saying) -> Vec<Button> {
    let moods = || {
        let level =
            |(level, key): &(u8, &str)| Button { value: saying.value_of(&level.to_string()), words: frame.t(key) };
        LEVELS.iter().map(level).collect()
    };
    let choices = || {
        let Some(Value::Text(lines)) = saying.value("choices") else { return Vec::new() };
        let choice =
            |line: &str| Some(Button { value: saying.value_of(line.split_once(' ')?.0), words: line.to_owned() });
        lines.lines().filter_map(choice).collect()
    };
    let numbers = saying.takes.iter().flat_map(|takes| match takes {
        Takes::Mood => moods(),
        Takes::Answer => choices(),
    });
    let words = saying.words.iter();
    let words = words.map(|(name, written)| Button { value: saying.value_of(name), words: capitalized(written) });
    numbers.chain(words).collect()
}

impl From<CompanionError> for PortalError {
    fn from(error: CompanionError) -> Self {
        match error {
            CompanionError::UnknownMember | CompanionError::NoteDown(NoteDownError::UnknownMember) => Self::SignInFirst,
            CompanionError::Store(error) => error.into(),
            CompanionError::Kept(error) => error.into(),
            CompanionError::Consent(error) => error.into(),
            CompanionError::Erasure(error) => error.into(),
            CompanionError::NoteDown(NoteDownError::Accept(error)) => error.into(),
            other => Self::internal(&other),
        }
    }
}
