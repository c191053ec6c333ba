//! BigBlueButton (<https://docs.bigbluebutton.org/development/api/>): each call carries a checksum of its name, its query and a
//! shared secret. A room has to be opened before anybody comes in.

use aws_lc_rs::digest::{Algorithm, SHA256, digest};
use quick_xml::de::from_str;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::{Guest, Room, VideoError, below};
use crate::domain::audit::hex;

/// A BigBlueButton server.
#[derive(Clone, Debug)]
pub struct BigBlueButton {
    /// Its API, such as `https://bbb.example/bigbluebutton/api`.
    pub url: Url,
    /// What calls are signed with.
    pub secret: SecretString,
}

/// What it answers to a call.
#[derive(PartialEq, Eq, Debug, Deserialize)]
pub struct Answer {
    /// `SUCCESS`, or else.
    pub returncode: String,
}

impl BigBlueButton {
    /// The call that opens a room. It may be made as often as somebody comes: a room that is open stays as it is.
    pub(super) fn opening(&self, room: Room, title: &str, minutes: u16) -> Result<Url, VideoError> {
        let (name, minutes) = (room.name(), minutes.to_string());
        self.call(
            "create",
            &[
                ("meetingID", name.as_str()),
                ("name", title),
                ("record", "false"),
                ("autoStartRecording", "false"),
                ("allowStartStopRecording", "false"),
                ("guestPolicy", "ALWAYS_ACCEPT"),
                ("duration", &minutes),
            ],
        )
    }

    pub(super) fn way_in(&self, room: Room, guest: Guest<'_>) -> Result<Url, VideoError> {
        let (name, id) = (room.name(), guest.id.to_string());
        let role = if guest.is_moderator { "MODERATOR" } else { "VIEWER" };
        self.call(
            "join",
            &[
                ("meetingID", name.as_str()),
                ("fullName", guest.name),
                ("userID", &id),
                ("role", role),
                ("redirect", "true"),
            ],
        )
    }

    fn call(&self, name: &str, parameters: &[(&str, &str)]) -> Result<Url, VideoError> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let checksum = checksum(&SHA256, name, &query, self.secret.expose_secret());
        let mut url = below(&self.url, &[name])?;
        url.set_query(Some(&format!("{query}&checksum={checksum}")));
        Ok(url)
    }
}

impl Answer {
    /// Reads an answer.
    #[must_use]
    pub fn read(xml: &str) -> Option<Self> {
        from_str(xml).ok()
    }

    /// Whether the call did what it should.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.returncode == "SUCCESS"
    }
}

/// The checksum of a call, in hex.
fn checksum(algorithm: &'static Algorithm, name: &str, query: &str, secret: &str) -> String {
    hex(digest(algorithm, format!("{name}{query}{secret}").as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;

    use super::*;

    /// The example of the API's own documentation ("Usage", "API security model").
    #[test]
    fn a_call_has_the_checksum_that_the_documentation_works_out() {
        let query = "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444";
        let checksum = checksum(&SHA1_FOR_LEGACY_USE_ONLY, "create", query, "639259d4-9dd8-4b25-bf01-95f9567eaf4b");
        assert_eq!(checksum, "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17");
    }
}
