//! Who is in front of the screen: found once for each request, and asked for by handlers.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::cookies::{MODERATOR, SESSION, STAFF, VISIT};
use super::error::PortalError;
use super::rules::RulesNews;
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::staff::Moderator;
use crate::enrolment::session::{extension, fresh_until, session_index};
use crate::pipeline::Bridge;
use crate::vault::Keyring;
use crate::web::State;
use crate::web::clinic::{self, StaffSession};
use crate::web::moderate;

/// Who is in front of the screen.
#[derive(Clone)]
pub struct Caller {
    /// What their browser is known by before they sign in; known to the browser and this request only.
    pub visit: String,
    /// Whether `visit` was made just now, and must be given to the browser.
    pub is_new: bool,
    /// Which member is signed in.
    pub session: Option<Session>,
    /// Who of a clinic's staff is.
    pub staff: Option<StaffSession>,
    /// Who of a community's people is.
    pub moderator: Option<StaffSession<Moderator>>,
    /// How many messages they have not read.
    pub unread: i64,
    /// How the rules of their community concern them, where it has some.
    pub rules: Option<RulesNews>,
}

/// A member who is signed in.
#[derive(Clone)]
pub struct Session {
    /// Who.
    pub member: MemberId,
    /// Which community vouched for them.
    pub community: CommunityId,
    fresh_until: Timestamp,
    secret: String,
}

impl Session {
    /// Whether they signed in so lately that it is sure enough to be them, for what cannot be taken back.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until
    }

    /// What stands in the browser's cookie.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl Caller {
    /// Finds out who is calling, and moves the end of their session.
    ///
    /// In the staff view there is only staff, in the review queue only a community's people, and nowhere else is any: no session opens
    /// what is on another side.
    pub async fn find(state: &State, request: &HttpRequest) -> Result<Self, PortalError> {
        let bridge = &state.bridge;
        let known = VISIT.of(request).filter(|visit| is_secret(visit));
        let visit = match known {
            Some(visit) => visit.to_owned(),
            None => bridge.keyring.fresh_secret().map_err(|error| PortalError::internal(&error))?,
        };
        let nobody = Self {
            visit,
            is_new: known.is_none(),
            session: None,
            staff: None,
            moderator: None,
            unread: 0,
            rules: None,
        };
        if clinic::is_here(request.path()) {
            let staff = clinic::signed_in(state, STAFF.of(request).filter(|secret| is_secret(secret))).await?;
            return Ok(Self { staff, ..nobody });
        }
        if moderate::is_here(request.path()) {
            let secret = MODERATOR.of(request).filter(|secret| is_secret(secret));
            return Ok(Self { moderator: clinic::signed_in(state, secret).await?, ..nobody });
        }
        let found = match SESSION.of(request).filter(|secret| is_secret(secret)) {
            Some(secret) => signed_in(bridge, secret).await?,
            None => None,
        };
        Ok(match found {
            Some((session, unread, rules)) => Self { session: Some(session), unread, rules, ..nobody },
            None => nobody,
        })
    }

    /// Who called, as found before.
    pub fn of(request: &HttpRequest) -> Result<Self, PortalError> {
        request.extensions().get::<Self>().cloned().ok_or(PortalError::Internal)
    }

    /// The token that each of this caller's forms carries: made of what only their browser sends, and of no use to
    /// anybody else.
    #[must_use]
    pub fn csrf(&self, keyring: &Keyring) -> String {
        let member = self.session.as_ref().map(|session| session.secret.as_str());
        let staff = self.staff.as_ref().map(StaffSession::secret);
        let moderator = self.moderator.as_ref().map(StaffSession::secret);
        let secret = member.or(staff).or(moderator).unwrap_or(&self.visit);
        URL_SAFE_NO_PAD.encode(keyring.index().index("csrf", &[secret.as_bytes()]))
    }
}

/// Who is signed in, how many messages they have not read, and how the rules of their community concern them.
async fn signed_in(bridge: &Bridge, secret: &str) -> Result<Option<(Session, i64, Option<RulesNews>)>, PortalError> {
    let (index, now) = (session_index(&bridge.keyring, secret), bridge.clock.now());
    let mut tx = bridge.store.read().await?;
    let Some(row) = tx.session(index, now).await? else { return Ok(None) };
    let unread = tx.count_unread(row.member).await?;
    let rules = RulesNews::find(bridge, &mut tx, &row.community, row.member).await?;
    drop(tx);
    if let Some(idle_until) = extension(&row, now) {
        let mut tx = bridge.store.begin().await?;
        if !tx.extend_session(index, idle_until, now).await? {
            return Ok(None);
        }
        tx.commit().await?;
    }
    let fresh_until = fresh_until(&row);
    let session = Session { member: row.member, community: row.community, fresh_until, secret: secret.to_owned() };
    Ok(Some((session, unread, rules)))
}

/// Only what this house may have made is looked for.
fn is_secret(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// For pages that are looked at. Whatever a form sends comes as [`Posted`](super::form::Posted) instead, with the form's
/// token checked: a handler that takes a bare session answers no `POST`.
impl FromRequest for Session {
    type Error = PortalError;
    type Future = Ready<Result<Self, PortalError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return ready(Err(PortalError::ForeignForm));
        }
        ready(Caller::of(request).and_then(|caller| caller.session.ok_or(PortalError::SignInFirst)))
    }
}
