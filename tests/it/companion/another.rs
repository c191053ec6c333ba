//! One member in two communities: they join the second one as the same, with a code, and neither learns of the other.

use jiff::SignedDuration;
use mostik::companion::meet::{Stranger, meet};
use mostik::companion::talk::{Said, Talk};
use mostik::domain::audit::Chain;
use mostik::domain::ids::CommunityId;
use mostik::domain::language::Language;
use mostik::enrolment::credentials::{TALKS_WRITE, create_api_key};
use mostik::enrolment::join::handle_index;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::companion::chat::text;
use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::forum;
use crate::support::concerns::watched;
use crate::support::database::Database;
use crate::support::http;
use crate::support::portal::{Browser, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::story::signs_in;

/// A second community beside the forum.
const APP: &str = "[communities.app]\nname = \"The app\"\n";

/// The two communities, each with a key of its own.
pub struct Two {
    pub portal: Portal,
    pub forum: String,
    app: String,
    brought: usize,
}

impl Two {
    pub async fn open(database: Database) -> Self {
        Self::open_with(database, "").await
    }

    /// With more in the settings.
    pub async fn open_with(database: Database, more: &str) -> Self {
        let postbox = Postbox::open();
        let text = portal_config(&database, "http://127.0.0.1:9/fhir", &postbox) + APP + more;
        let portal = Portal::open_with(database, &text, postbox).await;
        let bridge = &portal.bridge;
        let (mut keys, mut tx) = (Vec::new(), bridge.bridge.store.begin().await.unwrap());
        for community in ["forum", "app"] {
            let community: CommunityId = community.parse().unwrap();
            let key = create_api_key(&mut tx, &bridge.bridge.keyring, &community, TALKS_WRITE, bridge.now()).await;
            keys.push(key.unwrap().secret);
        }
        tx.commit().await.unwrap();
        let app = keys.pop().unwrap();
        Self { portal, forum: keys.pop().unwrap(), app, brought: 0 }
    }

    /// Sparrow is in the forum, and the same as bird-7 in the app.
    pub async fn joined(database: Database) -> Self {
        let mut two = Box::pin(Self::open(database)).await;
        two.in_forum("yes").await;
        Box::pin(two.join_app()).await;
        two
    }

    /// Sparrow, who is in the forum, joins the app as bird-7.
    pub async fn join_app(&mut self) {
        let code = self.code().await;
        assert_eq!(self.in_app("bird-7", &code).await["is_member"], true);
    }

    async fn say(&mut self, key: &str, handle: &str, said: &str) -> Value {
        self.brought += 1;
        let body = json!({"id": self.brought.to_string(), "handle": handle, "said": said});
        let url = format!("{}/v1/talk", self.portal.bridge.api);
        let got = http::call(Method::POST, &url, Some(key), Some(&body)).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        got.json
    }

    pub async fn in_forum(&mut self, said: &str) -> Value {
        let key = self.forum.clone();
        self.say(&key, "sparrow", said).await
    }

    pub async fn in_app(&mut self, handle: &str, said: &str) -> Value {
        let key = self.app.clone();
        self.say(&key, handle, said).await
    }

    /// Sparrow, signed in to the portal from the forum.
    pub async fn browser(&self) -> Browser {
        let last = || self.portal.postbox.letters().last().unwrap().link();
        signs_in(&self.portal, "forum", "sparrow", last).await
    }

    /// A code that sparrow makes in the portal.
    async fn code(&self) -> String {
        let mut browser = self.browser().await;
        browser.get("/communities").await;
        let page = browser.post("/communities", &[]).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.html().by_id("code").text()
    }

    /// What is written down of sparrow.
    async fn audited(&self) -> Vec<String> {
        let bridge = &self.portal.bridge;
        let index = handle_index(&bridge.bridge.keyring, &forum(), "sparrow");
        let found = bridge.bridge.store.read().await.unwrap().member_by_handle(&forum(), index).await;
        let (member, ..) = found.unwrap().unwrap();
        audit::kinds(bridge, &Chain::of_member(member)).await
    }

    async fn members(&self) -> i64 {
        self.portal.bridge.database.count("members").await
    }
}

on_both_databases! {
    async fn a_member_joins_another_community_as_the_same_with_a_code_that_works_once(database) {
        let mut two = Two::open(database).await;
        two.in_forum("yes").await;
        let code = two.code().await;
        let joined = two.in_app("bird-7", &code.to_lowercase().replace('-', " ")).await;
        assert!(joined["is_member"] == true && text(&joined).starts_with("Welcome."), "{joined}");
        assert_eq!((two.members().await, two.portal.bridge.database.count("handles").await), (1, 2));
        let other = two.in_app("wren", &code).await;
        assert!(other["is_member"] == false && text(&other).contains("not good"), "{other}");
        assert_eq!(two.members().await, 1);
        assert_eq!(two.audited().await, ["member-joined", "signed-in", "member-joined"]);
        let mut browser = two.browser().await;
        let page = browser.get("/communities").await.body;
        assert!(page.contains("The app") && !page.contains("bird-7"), "{page}");
        assert_eq!(audit::wrong(&two.portal.bridge).await, Vec::<String>::new());
    }
}

on_both_databases! {
    async fn of_whoever_joins_with_a_code_in_a_letter_that_cries_for_help_people_of_that_community_are_told(database) {
        let people = Postbox::open();
        let watched = watched(&database, &people, "PT15M").replace("communities.forum", "communities.app");
        let watched = watched.replace("escalate_after", "phrases = true\nescalate_after");
        let mut two = Two::open_with(database, &watched).await;
        two.in_forum("yes").await;
        let letter = format!("{}\n\nI took all my pills.\n\nBest,\nSparrow", two.code().await);
        let app: CommunityId = "app".parse().unwrap();
        let (bridge, talk) = (&two.portal.bridge.bridge, Talk::load().unwrap());
        let (key, said) = (Uuid::from_u128(7), Said::Letter(&letter));
        let stranger = Stranger { community: &app, handle: "bird-7", key, said, language: Language::En };
        let (answer, is_member) = Box::pin(meet(bridge, &talk, stranger, || true)).await.unwrap();
        assert_eq!((is_member, answer.text.as_str()), (true, "companion-joined"));
        assert_eq!((answer.helps, answer.also), (true, vec!["companion-phrase", "companion-help"]));
        let mut tx = bridge.store.read().await.unwrap();
        let concerns = tx.concerns(None, true, 10).await.unwrap();
        assert_eq!((concerns.len(), &concerns[0].community), (1, &app));
        drop(tx);
        assert_eq!(two.members().await, 1);
        assert_eq!(audit::wrong(&two.portal.bridge).await, Vec::<String>::new());
    }
}

on_both_databases! {
    async fn neither_community_hears_where_the_talk_in_the_other_one_stands(database) {
        let mut two = Two::open(database).await;
        two.in_forum("yes").await;
        let code = two.code().await;
        two.in_app("bird-7", &code).await;
        two.in_forum("mood").await;
        assert!(text(&two.in_app("bird-7", "4").await).contains("did not understand"), "nobody asked there");
        two.in_app("bird-7", "phq 9").await;
        let noted = two.in_forum("4").await;
        assert!(text(&noted).contains("Shall I keep"), "{noted}");
        let told = [two.in_forum("who are you").await, two.in_app("bird-7", "who are you").await];
        assert!(!text(&told[0]).contains("The app") && !text(&told[1]).contains("forum"), "{told:?}");
    }
}

on_both_databases! {
    async fn a_code_is_good_for_a_quarter_of_an_hour_and_a_new_one_takes_its_place(database) {
        let mut two = Two::open(database).await;
        two.in_forum("yes").await;
        let (first, second) = (two.code().await, two.code().await);
        assert!(text(&two.in_app("bird-7", &first).await).contains("not good"));
        two.portal.bridge.clock.advance(SignedDuration::from_mins(15));
        assert!(text(&two.in_app("bird-7", &second).await).contains("not good"));
        two.portal.bridge.chores().await;
        assert_eq!(two.portal.bridge.database.count("join_codes").await, 0, "forgotten");
        assert_eq!(two.in_app("bird-7", "yes").await["is_member"], true, "without one, as somebody else");
        assert_eq!(two.members().await, 2);
    }
}
