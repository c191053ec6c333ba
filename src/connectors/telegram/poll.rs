//! Asking Telegram for Updates ("Getting updates", getUpdates), where it cannot call: on a developer's machine.
//!
//! Telegram forgets an Update once it is asked for later ones. An answer is a call of its own here, so that whoever ends the
//! bridge between an answer and the next question has the member answered twice.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Telegram;
use crate::connectors::{Ear, Listened, PATIENCE};
use crate::delivery::member::MessageError;

/// How long the answer may be on its way, beside the waiting.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// What kinds of Updates are wanted.
const WANTED: [&str; 3] = ["message", "callback_query", "message_reaction"];

/// How many Updates are brought at once; each may take an answer.
const AT_ONCE: u8 = 10;

#[derive(Deserialize)]
struct Updates<'a> {
    #[serde(borrow)]
    result: Vec<&'a RawValue>,
}

/// The number of an Update, whatever else it is.
#[derive(Deserialize)]
struct Numbered {
    update_id: i64,
}

impl Ear for Telegram {
    fn listen(&self, done: Option<String>) -> BoxFuture<'_, Result<Listened, MessageError>> {
        async move {
            let offset: Option<i64> = done.and_then(|done| done.parse().ok());
            let asked =
                json!({"offset": offset, "timeout": PATIENCE.as_secs(), "limit": AT_ONCE, "allowed_updates": WANTED});
            let request = self.egress.request(Method::POST, self.method("getUpdates")).json(&asked);
            let answer = self.sent(request.timeout(PATIENCE + ON_ITS_WAY)).await?;
            let updates: Updates<'_> = serde_json::from_slice(&answer.body).map_err(|_| MessageError::Unwritten)?;
            let mut listened = Listened::default();
            for update in updates.result {
                let Numbered { update_id } = serde_json::from_str(update.get()).map_err(|_| MessageError::Unwritten)?;
                listened.done = Some(update_id.saturating_add(1).to_string());
                // What is not understood would be brought again for ever.
                listened.heard.extend(self.hear(update.get().as_bytes()).unwrap_or_default());
            }
            Ok(listened)
        }
        .boxed()
    }
}
