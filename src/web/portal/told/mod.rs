//! *How you are told*: by which channels, at what time, about what, and how much is said.

pub mod push;
mod read;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use jiff::civil::Time;

use super::Portal;
use super::caller::Session;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, go_to_saying, page_with};
use super::own::Own;
use crate::domain::settings::{Change, Reminders};
use crate::domain::telling::{Channel, Grade, Quiet, Subject, Wishes};
use crate::domain::visit_type::usual_reminders;
use crate::readings::settings::change_settings;
use crate::store::Tx;
use crate::web::State;

#[derive(Template)]
#[template(path = "told.html")]
struct ToldPage {
    frame: Frame,
    /// What is wrong: the key of a text.
    wrong: Option<&'static str>,
    grades: [Choice; 3],
    /// Whether everything is told at once, and when.
    is_daily: bool,
    daily_at: String,
    is_quiet: bool,
    quiet: [String; 2],
    zone: String,
    kinds: [Choice; 4],
    /// How they are reminded of visits, where clinics offer any.
    reminders: Option<BeforeVisits>,
    ways: Vec<Way>,
    /// Whether members can be told in their browsers.
    has_push: bool,
}

/// Something to choose.
struct Choice {
    value: &'static str,
    /// Its words: the key of a text.
    text: &'static str,
    is_chosen: bool,
}

/// How a member is reminded of visits.
struct BeforeVisits {
    /// Whether it is as the clinic says.
    is_usual: bool,
    /// How many minutes before, and whether that is chosen.
    before: [(u16, bool); 5],
}

/// A channel of the list.
struct Way {
    channel: Channel,
    name: String,
    /// Its place, counted from one; 0 where it is not used.
    place: usize,
    /// Since when it is closed.
    closed: Option<String>,
    /// Whether it leads anywhere yet.
    is_ready: bool,
}

/// Shows it.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    form(&state, &mut tx, frame, &own, StatusCode::OK).await
}

/// Saves it, or opens a channel again.
pub async fn save(state: Data<State>, frame: Frame, posted: Posted) -> Result<HttpResponse, PortalError> {
    let (fields, member, now) = (&posted.fields, posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let own = Own::open(&state.bridge, &mut tx, member).await?;
    let change = match fields.text("open") {
        "" => match read::wishes(fields, &channels(&state, &mut tx, &own).await?)? {
            Some(wishes) => Change { told: Some(wishes), reminders: read::reminders(fields)?, ..Change::default() },
            None => return form(&state, &mut tx, frame, &own, StatusCode::UNPROCESSABLE_ENTITY).await,
        },
        named => Change { opened: Some(named.parse().map_err(|_| PortalError::BadForm)?), ..Change::default() },
    };
    let is_otherwise = change.reminders.as_ref().is_some_and(|wished| *wished != own.settings.reminders);
    change_settings(&mut tx, &own.key, change, now).await?;
    if is_otherwise {
        tx.remind_otherwise(member, now).await?;
    }
    tx.commit().await?;
    Ok(go_to_saying("/settings/messages", "flash-told-saved"))
}

/// Every channel that leads, or could lead, to a member.
async fn channels(state: &State, tx: &mut Tx, own: &Own) -> Result<Vec<Channel>, PortalError> {
    let handles = tx.handles_of(own.key.member()).await?.into_iter();
    let tells = |community: &_| state.portal.communities.get(community).is_some_and(|known| known.sends_links);
    let communities = handles.map(|(community, _)| community).filter(tells).map(Channel::Community);
    Ok(state.portal.push.iter().map(|_| Channel::Push).chain(communities).collect())
}

async fn form(
    state: &State,
    tx: &mut Tx,
    frame: Frame,
    own: &Own,
    status: StatusCode,
) -> Result<HttpResponse, PortalError> {
    let (wishes, days) = (&own.settings.told, own.days());
    let all = channels(state, tx, own).await?;
    let has_browser = !tx.subscriptions(own.key.member()).await?.is_empty();
    let used = wishes.in_order(all.clone());
    let mut ways: Vec<Way> = all
        .into_iter()
        .map(|channel| Way {
            name: channel_name(&state.portal, &frame, &channel),
            place: used.iter().position(|other| *other == channel).map_or(0, |place| place + 1),
            closed: own
                .settings
                .closed
                .iter()
                .find(|closed| closed.channel == channel)
                .map(|closed| frame.date(days.day_of(closed.at))),
            is_ready: channel != Channel::Push || has_browser,
            channel,
        })
        .collect();
    ways.sort_by_key(|way| if way.place == 0 { usize::MAX } else { way.place });
    let quiet = wishes.quiet.unwrap_or(Quiet::NIGHT);
    page_with(
        status,
        &ToldPage {
            wrong: (status != StatusCode::OK).then_some("told-wrong-time"),
            grades: grades(wishes),
            is_daily: wishes.daily.is_some(),
            daily_at: clock(wishes.daily.unwrap_or(EVENING)),
            is_quiet: wishes.quiet.is_some(),
            quiet: [clock(quiet.from), clock(quiet.until)],
            zone: own.zone().to_owned(),
            kinds: kinds(wishes),
            reminders: state.bridge.house.has_visits().then(|| reminders(&own.settings.reminders)),
            ways,
            has_push: state.portal.push.is_some(),
            frame,
        },
    )
}

/// When everything is told at once, unless somebody says otherwise.
const EVENING: Time = Time::constant(18, 0, 0, 0);

/// A time of the day as forms have it.
fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

fn grades(wishes: &Wishes) -> [Choice; 3] {
    Grade::ALL.map(|grade| {
        let text = match grade {
            Grade::Notice => "told-grade-notice",
            Grade::Summary => "told-grade-summary",
            Grade::Full => "told-grade-full",
        };
        Choice { value: grade.as_str(), text, is_chosen: grade == wishes.grade }
    })
}

fn kinds(wishes: &Wishes) -> [Choice; 4] {
    Subject::ALL.map(|subject| {
        let text = match subject {
            Subject::Recommendation => "told-kind-recommendation",
            Subject::Message => "told-kind-message",
            Subject::Appointment => "told-kind-appointment",
            Subject::Questionnaire => "told-kind-questionnaire",
        };
        Choice { value: subject.as_str(), text, is_chosen: !wishes.silent.contains(&subject) }
    })
}

fn reminders(wished: &Reminders) -> BeforeVisits {
    let (is_usual, chosen) = match wished {
        Reminders::Usual => (true, usual_reminders()),
        Reminders::Before(minutes) => (false, minutes.clone()),
    };
    let before = read::REMINDERS.map(|minutes| (minutes, chosen.contains(&minutes)));
    BeforeVisits { is_usual, before }
}

/// What a channel is called.
pub fn channel_name(portal: &Portal, frame: &Frame, channel: &Channel) -> String {
    match channel {
        Channel::Push => frame.t("told-way-push"),
        Channel::Community(community) => frame.t1("told-way-community", "community", portal.name_of(community)),
    }
}
