//! A platform that takes connections and never answers keeps the members of other communities waiting for nothing.

use std::net::TcpListener;

use jiff::SignedDuration;
use mostik::config::Config;
use mostik::domain::ids::{CommunityId, MemberId};
use mostik::domain::language::Language;
use mostik::enrolment::join::join;
use mostik::enrolment::sign_in::{Asked, ask};
use mostik::telling::remind_later;
use mostik::{app, pipeline::Bridge};

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text, forum};
use crate::support::database::Database;
use crate::support::postbox::{Postbox, SECRET};
use crate::support::server::moment;

/// How a community tells its members something: at an address.
fn by_hook(database: &Database, community: &str, url: &str) -> String {
    let secret = database.secret_file("hook.secret", SECRET);
    format!("[communities.{community}.messages]\nmethod = \"webhook\"\nurl = {url:?}\nsecret_file = {secret:?}\n")
}

/// Somebody joins a community, asks for a link there, and is to be reminded of something, since this long.
async fn waits(bridge: &Bridge, community: &CommunityId, since: SignedDuration) -> MemberId {
    let (keyring, now) = (&bridge.keyring, bridge.clock.now().checked_sub(since).unwrap());
    let mut tx = bridge.store.begin().await.unwrap();
    let member = join(&mut tx, keyring, community, "sparrow", now).await.unwrap();
    let asked = Asked { community, handle: "sparrow", browser: "a browser", language: Language::En };
    ask(&mut tx, keyring, asked, now).await.unwrap();
    // They are reminded three hours later.
    remind_later(bridge, &mut tx, member, now.checked_sub(SignedDuration::from_hours(4)).unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    member
}

on_both_databases! {
    async fn members_of_other_communities_get_their_links_and_are_told_at_once(database) {
        // The system takes connections to it, and nobody ever reads what comes.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let postbox = Postbox::open();
        let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
        let text = text.replace("timeout_seconds = 1\nlease_seconds = 3", "timeout_seconds = 60\nlease_seconds = 200");
        let silent_hook = format!("http://{}/", silent.local_addr().unwrap());
        let text = text + &by_hook(&database, "forum", &postbox.url) + "[communities.silent]\nname = \"Silent\"\n"
            + &by_hook(&database, "silent", &silent_hook);
        let bridge = TestBridge::start_with(database, &text).await;
        waits(&bridge.bridge, &"silent".parse().unwrap(), SignedDuration::from_secs(9)).await;
        waits(&bridge.bridge, &forum(), SignedDuration::ZERO).await;
        let (config, served) = (Config::from_toml(&text).unwrap(), bridge.bridge.clone());
        tokio::spawn(async move { app::serve(&config, served, |_| {}, std::future::pending()).await });
        for _ in 0..3000 {
            if postbox.letters().len() == 2 {
                return;
            }
            moment().await;
        }
        panic!("{:?}", postbox.letters());
    }
}
