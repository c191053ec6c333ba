//! Jitsi Meet with tokens (`lib-jitsi-meet/doc/tokens.md`; Prosody's `mod_auth_token`).

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use super::{Guest, Room, VideoError, below, signed, window};

/// A Jitsi Meet whose rooms open to tokens only.
#[derive(Clone, Debug)]
pub struct Jitsi {
    /// Where it is.
    pub url: Url,
    /// What it knows this bridge as (`app_id`).
    pub app_id: String,
    /// What tokens are signed with (`app_secret`).
    pub secret: SecretString,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'static str,
    iss: &'a str,
    sub: &'a str,
    /// One room: a token without it, or with `*`, would open all of them.
    room: &'a str,
    nbf: i64,
    exp: i64,
    context: Context<'a>,
}

#[derive(Serialize)]
struct Context<'a> {
    user: User<'a>,
    features: Features,
}

#[derive(Serialize)]
struct User<'a> {
    id: Uuid,
    name: &'a str,
    moderator: bool,
    affiliation: &'static str,
}

/// What nobody may do, moderators included.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::struct_excessive_bools, reason = "Jitsi names each")]
struct Features {
    recording: bool,
    livestreaming: bool,
    transcription: bool,
    outbound_call: bool,
}

impl Jitsi {
    pub(super) fn way_in(&self, room: Room, guest: Guest<'_>, now: Timestamp) -> Result<Url, VideoError> {
        let name = room.name();
        let (nbf, exp) = window(now);
        let claims = Claims {
            aud: "jitsi",
            iss: &self.app_id,
            sub: self.url.host_str().ok_or(VideoError::Address)?,
            room: &name,
            nbf,
            exp,
            context: Context {
                user: User {
                    id: guest.id,
                    name: guest.name,
                    moderator: guest.is_moderator,
                    affiliation: if guest.is_moderator { "owner" } else { "member" },
                },
                features: Features {
                    recording: false,
                    livestreaming: false,
                    transcription: false,
                    outbound_call: false,
                },
            },
        };
        let mut url = below(&self.url, &[&name])?;
        url.query_pairs_mut().append_pair("jwt", &signed(&claims, &self.secret)?);
        Ok(url)
    }
}
