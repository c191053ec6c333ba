//! What the bridge logs, every line of it, in memory.

use std::io;
use std::sync::{Arc, Mutex, Once, Weak};

/// All that is logged in this process from a moment on, however unimportant: where tests share a process, what others do, too.
#[derive(Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

/// Whoever listens: a process has one subscriber, for all of them.
static LISTENERS: Mutex<Vec<Weak<Mutex<Vec<u8>>>>> = Mutex::new(Vec::new());

impl Log {
    /// Begins to listen.
    pub fn listen() -> Self {
        static BEGUN: Once = Once::new();
        BEGUN.call_once(|| {
            let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
            subscriber.with_writer(|| Ear).init();
        });
        let log = Self::default();
        LISTENERS.lock().unwrap().push(Arc::downgrade(&log.0));
        log
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// Hears for whoever still listens.
struct Ear;

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LISTENERS.lock().unwrap().retain(|listener| {
            let log = listener.upgrade();
            if let Some(log) = &log {
                log.lock().unwrap().extend_from_slice(bytes);
            }
            log.is_some()
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
