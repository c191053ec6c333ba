//! Where a visit is held: a room with a name that nobody can guess, and a way in that is made for one person when they ask for it
//! and holds for minutes. Nothing is recorded.
//!
//! The bridge never stands between the people of a visit: a way in leads their browsers to the clinic's own video service.

mod big_blue_button;
mod jitsi;
mod live_kit;
mod rooms;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

pub use big_blue_button::{Answer, BigBlueButton};
pub use jitsi::Jitsi;
pub use live_kit::LiveKit;
pub use rooms::{Meeting, RoomError, Rooms, Side};

/// How long a way in holds. Who is inside stays there; who comes back later asks for another one.
pub const WAY_IN: SignedDuration = SignedDuration::from_mins(10);

/// How long before its start a visit can be entered.
pub const EARLY: SignedDuration = SignedDuration::from_mins(15);

/// How long after its end a visit can be entered, because visits last longer than planned.
pub const LATE: SignedDuration = SignedDuration::from_mins(30);

/// A clinic's video service.
#[derive(Clone, Debug)]
pub enum Video {
    /// Jitsi Meet with tokens.
    Jitsi(Jitsi),
    /// LiveKit with a page that takes tokens.
    LiveKit(LiveKit),
    /// BigBlueButton.
    BigBlueButton(BigBlueButton),
    /// Always the same address, which the clinic guards itself.
    Link(Url),
}

/// A room. Its name is a secret of those who are invited.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Room(Uuid);

/// Who comes in.
#[derive(Clone, Copy)]
pub struct Guest<'a> {
    /// Who they are within the room; made for this visit, and said nowhere else.
    pub id: Uuid,
    /// What they are called there.
    pub name: &'a str,
    /// Whether they let others in, mute them and send them out: the clinician.
    pub is_moderator: bool,
}

/// When a visit can be entered: from [`EARLY`] before its start to [`LATE`] after its end.
#[must_use]
pub fn is_open(start: Timestamp, end: Timestamp, now: Timestamp) -> bool {
    now.saturating_add(EARLY).is_ok_and(|soon| soon >= start) && !is_past(end, now)
}

/// Whether a visit that ended then cannot be entered any more.
#[must_use]
pub fn is_past(end: Timestamp, now: Timestamp) -> bool {
    now.saturating_sub(LATE).is_ok_and(|past| past >= end)
}

/// A way in cannot be made: a key or an address is not what its service asks for.
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    /// A token cannot be signed.
    #[error("a token for the video service cannot be signed")]
    Token(#[from] jsonwebtoken::errors::Error),
    /// An address cannot be made of that of the service.
    #[error("the address of the video service cannot be extended")]
    Address,
}

impl Video {
    /// The address that leads one person into a room, for [`WAY_IN`] from now on. It is a secret of that person.
    ///
    /// # Errors
    /// [`VideoError`].
    pub fn way_in(&self, room: Room, guest: Guest<'_>, now: Timestamp) -> Result<Url, VideoError> {
        match self {
            Self::Jitsi(jitsi) => jitsi.way_in(room, guest, now),
            Self::LiveKit(live_kit) => live_kit.way_in(room, guest, now),
            Self::BigBlueButton(service) => service.way_in(room, guest),
            Self::Link(url) => Ok(url.clone()),
        }
    }

    /// The address that has to be called before anybody comes in, where a room does not make itself.
    ///
    /// # Errors
    /// [`VideoError`].
    pub fn opening(&self, room: Room, title: &str, minutes: u16) -> Result<Option<Url>, VideoError> {
        match self {
            Self::BigBlueButton(service) => service.opening(room, title, minutes).map(Some),
            Self::Jitsi(_) | Self::LiveKit(_) | Self::Link(_) => Ok(None),
        }
    }
}

impl Room {
    /// The room with this secret.
    #[must_use]
    pub const fn new(secret: Uuid) -> Self {
        Self(secret)
    }

    /// What the service calls it: letters and digits only, which every service takes.
    fn name(self) -> String {
        format!("visit{}", self.0.simple())
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Room(..)")
    }
}

/// Now and [`WAY_IN`] from now, in seconds, as tokens say them (RFC 7519, section 4.1). Clocks may differ by half a minute.
fn window(now: Timestamp) -> (i64, i64) {
    (now.as_second() - 30, now.as_second() + WAY_IN.as_secs())
}

/// A token signed with a shared secret (HS256): what Jitsi and LiveKit take.
fn signed<T: serde::Serialize>(claims: &T, secret: &SecretString) -> Result<String, VideoError> {
    use secrecy::ExposeSecret;
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    let secret = jsonwebtoken::EncodingKey::from_secret(secret.expose_secret().as_bytes());
    Ok(jsonwebtoken::encode(&header, claims, &secret)?)
}

/// An address below that of a service.
fn below(base: &Url, segments: &[&str]) -> Result<Url, VideoError> {
    let mut url = base.clone();
    url.path_segments_mut().map_err(|()| VideoError::Address)?.pop_if_empty().extend(segments);
    Ok(url)
}
