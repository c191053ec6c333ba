//! LiveKit (access tokens: <https://docs.livekit.io/home/get-started/authentication/>). Its rooms make themselves when somebody
//! comes; people come by a page that takes the address of the server and a token, as LiveKit Meet's `/custom` does.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use super::{Guest, Room, VideoError, signed, window};

/// A LiveKit server, and a page that leads into its rooms.
#[derive(Clone, Debug)]
pub struct LiveKit {
    /// The page.
    pub page: Url,
    /// The server (`wss://…`).
    pub server: Url,
    /// The name of the key.
    pub key: String,
    /// The secret of the key.
    pub secret: SecretString,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: Uuid,
    name: &'a str,
    nbf: i64,
    exp: i64,
    video: Grants<'a>,
}

/// What somebody may do in which room (`VideoGrants`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "LiveKit names each")]
struct Grants<'a> {
    room: &'a str,
    room_join: bool,
    room_admin: bool,
    room_record: bool,
    can_publish: bool,
    can_subscribe: bool,
    can_publish_data: bool,
}

impl LiveKit {
    pub(super) fn way_in(&self, room: Room, guest: Guest<'_>, now: Timestamp) -> Result<Url, VideoError> {
        let (nbf, exp) = window(now);
        let claims = Claims {
            iss: &self.key,
            sub: guest.id,
            name: guest.name,
            nbf,
            exp,
            video: Grants {
                room: &room.name(),
                room_join: true,
                room_admin: guest.is_moderator,
                room_record: false,
                can_publish: true,
                can_subscribe: true,
                can_publish_data: true,
            },
        };
        let mut url = self.page.clone();
        let token = signed(&claims, &self.secret)?;
        url.query_pairs_mut().append_pair("liveKitUrl", self.server.as_str()).append_pair("token", &token);
        Ok(url)
    }
}
