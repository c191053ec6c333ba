//! The review queue: what a community's people see of whom, since when, and what comes of what they do.

use jiff::SignedDuration;
use mostik::domain::concern::Level;
use serde_json::json;

use super::concerns::audit_kinds;
use crate::on_both_databases;
use crate::support::audit;
use crate::support::concerns::{Keepers, alarms, on_duty, watched, worrying};
use crate::support::database::Database;
use crate::support::portal::{Browser, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::staff::{main_text, moderator, moderators_setting};

/// A forum whose people are told at two postboxes and look at a queue, and the chat, whose people look at their own.
struct Queue {
    portal: Portal,
    first: Postbox,
    second: Postbox,
}

impl Queue {
    async fn open(database: Database) -> Self {
        let (postbox, first, second) = (Postbox::open(), Postbox::open(), Postbox::open());
        let nobody = "http://127.0.0.1:9";
        let text = portal_config(&database, nobody, &postbox)
            + "[communities.chat]\nname = \"The chat\"\n"
            + &moderators_setting("forum", nobody, "mostik")
            + &moderators_setting("chat", nobody, "mostik")
            + &watched(&database, &first, "PT15M")
            + &on_duty(&database, &second);
        let portal = Portal::open_with(database, &text, postbox).await;
        Self { portal, first, second }
    }

    async fn moderator(&self, level: Level) -> Browser {
        moderator(&self.portal, "forum", level).await
    }

    /// A member says something that wants a human's eye.
    async fn worries(&self, handle: &str) {
        self.portal.bridge.send(&worrying(&format!("worry-{handle}"), handle)).await;
    }
}

/// Where the first line of a list leads.
fn first_link(page: &crate::support::portal::Page) -> String {
    let start = page.body.find("/moderate/concerns/").unwrap();
    page.body[start..].split('"').next().unwrap().to_owned()
}

on_both_databases! {
    async fn a_member_waits_in_the_queue_until_somebody_looks_after_them_and_closes_it(database) {
        let queue = Queue::open(database).await;
        let sparrow = queue.portal.bridge.unlinked_person("canary-sparrow").await;
        let mut anna = queue.moderator(Level::First).await;
        assert!(main_text(&anna.get("/moderate").await).contains("Nobody is waiting."));
        queue.worries("canary-sparrow").await;
        queue.portal.bridge.clock.advance(SignedDuration::from_mins(95));
        let mut anna = queue.moderator(Level::First).await;
        let page = anna.get("/moderate").await;
        let text = main_text(&page);
        assert!(text.contains("canary-sparrow") && text.contains("waiting for 1 h 35 min"), "{text}");
        assert!(text.contains("may think of hurting themselves") && text.contains("20 November 2026, 13:00"), "{text}");
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        let link = first_link(&page);
        let shown = anna.get(&link).await;
        assert!(main_text(&shown).contains("nobody was told yet"), "{}", main_text(&shown));
        let nameless = anna.post(&format!("{link}/acknowledge"), &[("by", " ")]).await;
        assert_eq!(nameless.status, 422);
        assert!(nameless.body.contains("Nothing was changed."), "{}", nameless.body);
        let taken = anna.post(&format!("{link}/acknowledge"), &[("by", "Anna")]).await;
        assert_eq!((taken.status, taken.location()), (303, link.as_str()));
        queue.portal.bridge.clock.advance(SignedDuration::from_hours(50));
        let mut bo = queue.moderator(Level::First).await;
        let text = main_text(&bo.get("/moderate").await);
        assert!(text.contains("Nobody is waiting.") && text.contains("Anna"), "{text}");
        let again = bo.get(&link).await;
        assert!(main_text(&again).contains("1 h 35 min"), "as long as they waited: {}", main_text(&again));
        let late = bo.post(&format!("{link}/acknowledge"), &[("by", "Bo")]).await;
        assert!((late.status, late.body.contains("a moment faster")) == (409, true), "{}", late.body);
        bo.get(&link).await;
        let closed = bo.post(&format!("{link}/close"), &[("by", "Bo")]).await;
        assert_eq!((closed.status, closed.location()), (303, "/moderate"));
        assert!(!main_text(&bo.get("/moderate").await).contains("canary-sparrow"));
        let history = main_text(&bo.get("/moderate/history").await);
        assert!(history.contains("canary-sparrow") && history.contains("waited 1 h 35 min"), "{history}");
        let kinds = audit_kinds(&queue.portal.bridge, &sparrow).await;
        let did = kinds.iter().filter(|kind| *kind == "moderator-did").count();
        assert!(did >= 5 && kinds.contains(&"concern-acknowledged".to_owned()), "{kinds:?}");
        assert_eq!(audit::wrong(&queue.portal.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn a_specialist_is_called_at_once_and_sees_first_what_nobody_took(database) {
        let queue = Queue::open(database).await;
        for handle in ["sparrow", "wren"] {
            queue.portal.bridge.unlinked_person(handle).await;
        }
        let keepers = Keepers::of(&queue.portal.bridge).await;
        queue.worries("sparrow").await;
        queue.portal.bridge.clock.advance(SignedDuration::from_mins(1));
        queue.worries("wren").await;
        keepers.told().await;
        assert_eq!((alarms(&queue.first).len(), alarms(&queue.second).len()), (2, 0));
        let mut anna = queue.moderator(Level::First).await;
        let page = anna.get("/moderate").await;
        let sparrow = first_link(&page);
        let wren = page.body[page.body.find(&sparrow).unwrap() + sparrow.len()..].split("/moderate/concerns/").nth(1).unwrap();
        let wren = format!("/moderate/concerns/{}", wren.split('"').next().unwrap());
        anna.get(&wren).await;
        let hurried = anna.post(&format!("{wren}/escalate"), &[]).await;
        assert_eq!((hurried.status, hurried.location()), (303, wren.as_str()));
        keepers.told().await;
        let told = alarms(&queue.second);
        assert_eq!((told.len(), alarms(&queue.first).len()), (1, 2), "at once, and once");
        assert!(wren.ends_with(told[0].json["data"]["concern"].as_str().unwrap()), "{:?}", told[0].json);
        assert!(!anna.get(&wren).await.body.contains("id=\"escalate\""));
        assert_eq!(first_link(&anna.get("/moderate").await), sparrow, "who waits the longest");
        let mut duty = queue.moderator(Level::Second).await;
        assert_eq!(first_link(&duty.get("/moderate").await), wren, "what was escalated");
        duty.get(&wren).await;
        duty.post(&format!("{wren}/acknowledge"), &[("by", "Dr Ada")]).await;
        duty.get(&wren).await;
        assert_eq!(duty.post(&format!("{wren}/escalate"), &[]).await.status, 409, "somebody looks after it");
        keepers.told_after(SignedDuration::from_hours(1)).await;
        assert_eq!(alarms(&queue.second).iter().filter(|letter| wren.ends_with(letter.json["data"]["concern"].as_str().unwrap())).count(), 1);
    }
}

on_both_databases! {
    async fn people_of_one_community_see_nobody_of_another(database) {
        let queue = Queue::open(database).await;
        queue.portal.bridge.unlinked_person("sparrow").await;
        queue.worries("sparrow").await;
        let mut ours = queue.moderator(Level::First).await;
        let link = first_link(&ours.get("/moderate").await);
        let mut theirs = moderator(&queue.portal, "chat", Level::Second).await;
        let page = theirs.get("/moderate").await;
        assert!(page.body.contains("Review queue of The chat") && !page.body.contains("sparrow"), "{}", page.body);
        assert_eq!(theirs.get(&link).await.status, 404);
        theirs.get("/moderate").await;
        for what in ["acknowledge", "escalate", "close"] {
            assert_eq!(theirs.post(&format!("{link}/{what}"), &[("by", "x")]).await.status, 404, "{what}");
            theirs.get("/moderate").await;
        }
        let keepers = Keepers::of(&queue.portal.bridge).await;
        assert_eq!(keepers.open().await[0]["state"], json!("raised"), "nothing was changed");
    }
}
