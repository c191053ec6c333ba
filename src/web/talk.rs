//! `POST /v1/talk`: a community brings what somebody says to the companion, in a private conversation, and gets the answer.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::TalkBringer;
use super::portal::own::Watched;
use super::portal::said::Around;
use super::{Problem, State, body};
use crate::companion::danger;
use crate::companion::meet::{Stranger, meet};
use crate::companion::talk::Said;
use crate::companion::{CompanionError, Heard, Saying, Value, hear};
use crate::connectors::LONGEST_NAME;
use crate::consent::change::ChangeError;
use crate::domain::consented::Method;
use crate::domain::helpline::Help;
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::language::Language;
use crate::enrolment::join::handle_index;
use crate::pipeline::consent::ConsentError;
use crate::readings::settings::settings;

/// What somebody says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// What makes it the same when it is sent again: the community's own id of the message.
    id: String,
    /// Under which name the community knows them.
    handle: String,
    /// What they wrote.
    said: Option<String>,
    /// The value of the button that they pressed, in its place.
    pressed: Option<String>,
    /// In which language they are answered, `en` or `ru`; if absent, in that of their own settings.
    language: Option<String>,
}

/// What is answered. For nobody but whoever said it.
#[derive(Serialize, ToSchema)]
pub struct Answer {
    /// Whether they are a member. Whoever is none is asked whether they want to be one; until they say so, nothing is kept.
    pub is_member: bool,
    /// Whether it was understood.
    pub is_understood: bool,
    /// The answer, in lines.
    pub text: String,
    /// What can be said next with one press, in order. Writing will do as well.
    pub buttons: Vec<Button>,
    /// The page of the portal where it is to be done, or read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub page: Option<Url>,
    /// Whom they can turn to: to be shown below the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<Help>,
}

/// Something to say with one press.
#[derive(Serialize, ToSchema)]
pub struct Button {
    /// What to send as `pressed`, as it is. A button of something that was said earlier does nothing, unless it is for help or for
    /// somebody to get in touch.
    pub value: String,
    /// What stands on it.
    pub words: String,
}

/// Brings what somebody says to the companion, and gets its answer.
///
/// The companion is a program with fixed answers: it says so, and understands a few words in English and Russian in spite of
/// small mistakes. Bring only what was said to it in private, and show the answer to nobody else. Whoever is no member of the
/// bridge becomes one by agreeing to it here, without a name or an address: their handle is all that is needed.
///
/// The community that brings it reads the answer: it names no clinic and no other community, and a questionnaire that was begun
/// elsewhere is begun anew. Only in the portal, to which `page` leads, what was set aside is shared again, and an erasure is
/// called off. What clinics have for the member is said in it only where the operator, their consent and they themselves let
/// all of it be said in this community.
///
/// Whatever is sent again with the same `id`, because no answer came, is done once.
#[utoipa::path(
    tag = "talks",
    request_body = Spoken,
    security(("api_key" = ["talks:write"])),
    responses(
        (status = 200, description = "The answer", body = Answer),
        (status = 400, description = "The body is not understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope talks:write", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Another media type or charset", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "They say too much: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/talk")]
pub async fn post_talk(
    state: Data<State>,
    bringer: TalkBringer,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let community = bringer.0;
    let spoken: Spoken = body::json(&request, payload).await?;
    let (said, asked) = spoken.read()?;
    let brought = Brought {
        community: &community,
        id: &spoken.id,
        handle: &spoken.handle,
        said,
        language: asked,
        usual: Language::default(),
    };
    let answered = talk(&state, brought).await?;
    let saying = &answered.saying;
    Ok(HttpResponse::Ok().json(Answer {
        is_member: answered.is_member,
        is_understood: !saying.is_lost,
        buttons: saying.buttons().into_iter().map(|(value, words)| Button { value, words }).collect(),
        page: saying.page.as_ref().and_then(|page| state.public_url.join(page).ok()),
        help: saying.helps.then(|| state.help.of(&community).clone()),
        text: answered.text,
    }))
}

/// What somebody said to the companion in a community, wherever that is. Personal.
pub(super) struct Brought<'a> {
    /// Where.
    pub community: &'a CommunityId,
    /// The community's own id of it.
    pub id: &'a str,
    /// Under which name it knows them.
    pub handle: &'a str,
    /// What they said.
    pub said: Said<'a>,
    /// In which language they are answered, if they or their community say so.
    pub language: Option<Language>,
    /// In which they are answered if nothing says so.
    pub usual: Language,
}

/// What they are answered. Personal.
pub(super) struct Answered {
    /// What makes it the same when it is answered again.
    pub key: Uuid,
    /// Whether they are a member.
    pub is_member: bool,
    /// What the companion says.
    pub saying: Saying,
    /// The same in words.
    pub text: String,
    /// Their language.
    pub language: Language,
}

/// Has the companion hear what somebody said, and makes a member of whoever wants to be one. What is brought again is done once.
pub(super) async fn talk(state: &State, brought: Brought<'_>) -> Result<Answered, Problem> {
    let Brought { community, id, handle, said, language, usual } = brought;
    if let Err(too_often) = state.platforms.hears(community, handle) {
        danger::in_unheard(&state.bridge, community, handle, said).await?;
        return Err(too_often);
    }
    let (bridge, talk) = (&state.bridge, state.portal.talk());
    let index = bridge.keyring.index();
    let key = index.uuid("talk", &[community.as_str().as_bytes(), handle.as_bytes(), id.as_bytes()]);
    let index = handle_index(&bridge.keyring, community, handle);
    let mut tx = bridge.store.read().await?;
    let known = tx.member_by_handle(community, index).await?;
    let Some((member, wrapped, _)) = known else {
        drop(tx);
        let language = language.unwrap_or(usual);
        let may_join = || state.platforms.admits(community);
        let stranger = Stranger { community, handle, key, said, language };
        let (saying, is_member) = meet(bridge, talk, stranger, may_join).await?;
        let text = text(state, community, None, &saying, language).await?;
        return Ok(Answered { key, is_member, saying, text, language });
    };
    let opened = bridge.keyring.unwrap_member_key(member, &wrapped).map_err(CompanionError::from)?;
    let own = settings(&mut tx, &opened).await.map_err(CompanionError::from)?.language;
    drop(tx);
    let language = language.or(own).unwrap_or(usual);
    let heard = Heard::new(member, (key, bridge.clock.now()), Some(said), (language, Method::Chat)).within(community);
    let saying = hear(bridge, talk, heard).await?;
    let text = text(state, community, Some(member), &saying, language).await?;
    Ok(Answered { key, is_member: true, saying, text, language })
}

impl Spoken {
    /// What they say, and in which language they are answered.
    fn read(&self) -> Result<(Said<'_>, Option<Language>), Problem> {
        for (field, value) in [("/id", &self.id), ("/handle", &self.handle)] {
            if value.is_empty() || value.len() > LONGEST_NAME {
                return Err(body::malformed(format!("Expected 1 to {LONGEST_NAME} bytes.")).field(field));
            }
        }
        let language = self.language.as_deref().map(|name| {
            Language::from_name(name).ok_or_else(|| body::malformed("Expected `en` or `ru`.").field("/language"))
        });
        let language = language.transpose()?;
        match (&self.said, &self.pressed) {
            (Some(said), None) => Ok((Said::Written(said), language)),
            (None, Some(pressed)) => Ok((Said::Pressed(pressed), language)),
            _ => Err(body::malformed("Expected either `said` or `pressed`.").field("/said")),
        }
    }
}

/// The answer in words, with who is told where a questionnaire begins.
async fn text(
    state: &State,
    community: &CommunityId,
    member: Option<MemberId>,
    saying: &Saying,
    language: Language,
) -> Result<String, Problem> {
    let help = state.help.of(community);
    let here = state.portal.name_of(community);
    let around = Around { communities: &here, called: &here, here: &here, emergency: &help.emergency };
    // Where somebody is a patient is not for the community to read.
    let saying = &saying.with("clinics", &state.portal.some_clinic(language));
    let mut parts = vec![state.portal.companion_says(&state.bridge.house, language, saying, around)];
    if saying.is_lost {
        parts.insert(0, state.portal.not_understood(language));
    }
    if let (Some(member), Some(Value::Number(1))) = (member, saying.value("number")) {
        let mut tx = state.bridge.store.read().await?;
        let watched = Watched::in_chat(state, &mut tx, member, community, language).await?;
        parts.push(state.portal.watched(language, &watched));
    }
    Ok(parts.join("\n\n"))
}

impl From<CompanionError> for Problem {
    fn from(error: CompanionError) -> Self {
        match error {
            CompanionError::Store(error) | CompanionError::Consent(ConsentError::Change(ChangeError::Store(error))) => {
                error.into()
            }
            other => Self::internal(&other),
        }
    }
}
