//! Platforms that do not call: the bridge asks them, or holds a connection.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Heard;
use crate::delivery::member::MessageError;

/// How long to wait for a platform that has nothing.
pub const PATIENCE: Duration = Duration::from_secs(25);

/// Hears a platform that does not call. One process at a time does.
pub trait Ear: Send + Sync {
    /// What the platform has, or nothing when there was nothing for [`PATIENCE`].
    ///
    /// `done` is the mark of what was brought before, all of which is done by now. What is not done is brought again, as far as
    /// the platform can.
    ///
    /// # Errors
    /// [`MessageError`] from the future.
    fn listen(&self, done: Option<String>) -> BoxFuture<'_, Result<Listened, MessageError>>;

    /// Lets go of whatever it holds: another process listens.
    fn rest(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}

/// What was heard at once.
#[derive(Default)]
pub struct Listened {
    /// In its order.
    pub heard: Vec<Heard>,
    /// What the platform is shown once all of it is done, where it wants to know.
    pub done: Option<String>,
}
