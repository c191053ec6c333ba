//! What a homeserver is told of the bridge (Matrix 1.16, Application Service API, "Registration").

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::ALIASES;

/// The registration of an application service, as its file has it.
#[derive(Debug)]
pub struct Registration<'a> {
    /// Its id on the homeserver.
    pub id: &'a str,
    /// Where the homeserver calls it, without what the specification has below it.
    pub url: &'a str,
    /// The whole id of its user.
    pub user: &'a str,
    /// What it shows the homeserver.
    pub as_token: &'a SecretString,
    /// What the homeserver shows it.
    pub hs_token: &'a SecretString,
}

impl Registration<'_> {
    /// The file, in YAML. Secret.
    #[must_use]
    pub fn in_yaml(&self) -> String {
        let (name, server) = self.user.trim_start_matches('@').split_once(':').unwrap_or_default();
        let text = |text: &str| Value::from(text).to_string(); // every text of JSON is one of YAML
        let [id, url, name] = [self.id, self.url, name].map(text);
        let [as_token, hs_token] = [self.as_token, self.hs_token].map(|token| text(token.expose_secret()));
        let user = text(&literally(self.user));
        let aliases = text(&format!("#{ALIASES}.*:{}", literally(server)));
        format!(
            "id: {id}\nurl: {url}\nas_token: {as_token}\nhs_token: {hs_token}\nsender_localpart: {name}\nrate_limited: false\n\
             namespaces:\n  users:\n    - exclusive: true\n      regex: {user}\n  aliases:\n    - exclusive: true\n      \
             regex: {aliases}\n  rooms: []\n"
        )
    }
}

/// A regular expression for this text and no other.
fn literally(text: &str) -> String {
    text.chars().fold(String::new(), |regex, sign| match sign {
        '.' | '+' | '[' | ']' => regex + "\\" + &sign.to_string(),
        other => regex + &other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_homeserver_is_told_who_calls_and_whose_names_are_taken() {
        let (as_token, hs_token) = ("shows".into(), "shown \" \\".into());
        let url = "https://mostik.example/connectors/forum";
        let user = "@mostik+1:matrix.example";
        let yaml = Registration { id: "mostik", url, user, as_token: &as_token, hs_token: &hs_token }.in_yaml();
        for line in [
            "id: \"mostik\"",
            "url: \"https://mostik.example/connectors/forum\"",
            "as_token: \"shows\"",
            r#"hs_token: "shown \" \\""#,
            "sender_localpart: \"mostik+1\"",
            r#"      regex: "@mostik\\+1:matrix\\.example""#,
            r##"      regex: "#_mostik_.*:matrix\\.example""##,
        ] {
            assert!(yaml.lines().any(|found| found == line), "{line}: {yaml}");
        }
    }
}
