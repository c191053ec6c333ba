//! The communities' platforms, played by the demo: whatever the bridge's account says there is kept, and everything is answered
//! as Telegram and Discourse do.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use super::args::Story;
use super::people::{BOT_TOKEN, HOOK_SECRET, UPDATE_SECRET};

/// What the bridge's account said, in order.
type Said = Mutex<Vec<Value>>;

/// A platform.
pub struct Platform {
    url: String,
    said: Arc<Said>,
}

impl Platform {
    /// Opens it on a free port of this machine.
    pub fn open() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        let said: Arc<Said> = Arc::default();
        let shared = Data::from(Arc::clone(&said));
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(take)));
        tokio::spawn(server.workers(1).disable_signals().listen(listener)?.run());
        Ok(Self { url, said })
    }

    /// What a story needs in the configuration.
    pub fn settings(&self, story: Story, folder: &Path) -> anyhow::Result<String> {
        let secret = |name: &str, text: &str| -> anyhow::Result<String> {
            let path = folder.join(name);
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(text.as_bytes())?;
            Ok(format!("{:?}", path.display().to_string()))
        };
        Ok(match story {
            Story::Diary | Story::App => String::new(),
            Story::Forum => format!(
                "[communities.forum.connector]\nplatform = \"discourse\"\nurl = {:?}\naccount = \"bridge\"\napi_key_file = {}\n\
                 secret_file = {}\n[communities.forum.safety]\nescalate_after = \"PT15M\"\n[communities.forum.safety.first]\n\
                 method = \"connector\"\nroom = \"moderators\"\nnames_member = true\n",
                self.url,
                secret("api-key", "of the demo")?,
                secret("hook-secret", HOOK_SECRET)?,
            ),
            Story::Group => format!(
                "[communities.forum.connector]\nplatform = \"telegram\"\napi = {:?}\ntoken_file = {}\nsecret_file = {}\n",
                self.url,
                secret("bot-token", BOT_TOKEN)?,
                secret("update-secret", UPDATE_SECRET)?,
            ),
        })
    }

    /// What was said to somebody, or in answer to them, in order.
    pub fn said(&self) -> Vec<Value> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(said: Data<Said>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let path = request.path();
    // Nobody but the member and the bridge takes part in a private topic, and nothing there is answered yet.
    if path.starts_with("/t/") {
        return HttpResponse::Ok().json(
            json!({"details": {"allowed_users": [{"username": "wren"}, {"username": "bridge"}], "allowed_groups": []}}),
        );
    }
    if path.ends_with("/replies.json") {
        return HttpResponse::Ok().json(json!([]));
    }
    if let Ok(body) = serde_json::from_slice(&body) {
        said.lock().unwrap_or_else(PoisonError::into_inner).push(body);
    }
    HttpResponse::Ok().json(json!({"ok": true, "result": true}))
}
