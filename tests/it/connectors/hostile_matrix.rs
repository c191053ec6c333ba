//! What one member, or somebody else's server, can do to those who share a homeserver with them. The homeserver is one that a test
//! has answer as it likes: a real one brings what is not done again and again, and so for ever.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::http;
use crate::support::synapse::{BOT, Synapse};

const SPARROW: &str = "@sparrow:matrix.test";
const STRANGER: &str = "@somebody:elsewhere.test";

/// A room in which sparrow and the bridge are alone.
const OWN: &str = "!own:matrix.test";
const LOUNGE: &str = "!lounge:matrix.test";

/// What is answered.
#[derive(Clone, Debug)]
enum Said {
    Nothing,
    This(u16, String),
}

/// A homeserver: what a test has not said how to answer, it does.
struct Homeserver {
    base: String,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    asked: Vec<String>,
    /// What is answered where this is part of the request.
    answers: Vec<(&'static str, Said)>,
}

impl Homeserver {
    fn open() -> Self {
        let inside: Arc<Mutex<Inside>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Data::from(Arc::clone(&inside));
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(answer)));
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        Self { base, inside }
    }

    /// From now on this is answered, instead of whatever was.
    fn answers(&self, answers: &[(&'static str, Said)]) {
        self.inside.lock().unwrap().answers = answers.to_vec();
    }

    /// How often it was asked for something like this.
    fn asked(&self, like: &str) -> usize {
        self.inside.lock().unwrap().asked.iter().filter(|asked| asked.contains(like)).count()
    }

    /// A bridge whose forum is there, with these more settings.
    async fn bridge(&self, more: &str) -> TestBridge {
        let database = Database::sqlite();
        let mut synapse = Synapse::nowhere();
        synapse.base.clone_from(&self.base);
        let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
        let text = text + &synapse.connector(&database, more) + "[limits]\nsaid_per_minute = 1000000\n";
        TestBridge::start_with(database, &text).await
    }
}

async fn answer(inside: Data<Mutex<Inside>>, request: HttpRequest) -> HttpResponse {
    let asked = format!("{} {}", request.method(), request.path());
    let said = {
        let mut inside = inside.lock().unwrap();
        inside.asked.push(asked.clone());
        inside.answers.iter().find(|(like, _)| asked.contains(like)).map(|(_, said)| said.clone())
    };
    match said {
        Some(Said::This(status, body)) => HttpResponse::build(status.try_into().unwrap()).body(body),
        Some(Said::Nothing) => std::future::pending().await,
        None => does(&asked),
    }
}

fn does(asked: &str) -> HttpResponse {
    let done = match () {
        () if asked.ends_with("/state") => state(&[BOT, SPARROW]),
        () if asked.contains("GET") && asked.contains("/directory/") => {
            return HttpResponse::NotFound().json(json!({"errcode": "M_NOT_FOUND"}));
        }
        () if asked.ends_with("/messages") => json!({"chunk": []}),
        () => json!({"room_id": "!made:matrix.test", "event_id": "$made"}),
    };
    HttpResponse::Ok().json(done)
}

/// The state of a room in which these are, and nobody else can come.
fn state(members: &[&str]) -> Value {
    let joined = members.iter().map(
        |who| json!({"type": "m.room.member", "state_key": who, "sender": who, "content": {"membership": "join"}}),
    );
    joined.collect()
}

fn event(room: &str, by: &str, kind: &str, content: &Value) -> Value {
    static EVENTS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let id = format!("$e{}", EVENTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    json!({"event_id": id, "room_id": room, "sender": by, "type": kind, "origin_server_ts": 1_790_000_000_000_u64, "content": content})
}

fn wrote(room: &str, by: &str, text: &str) -> Value {
    event(room, by, "m.room.message", &json!({"msgtype": "m.text", "body": text}))
}

fn invites(room: &str, by: &str) -> Value {
    let mut event = event(room, by, "m.room.member", &json!({"membership": "invite", "is_direct": true}));
    event["state_key"] = json!(BOT);
    event
}

/// The homeserver brings a transaction; returns how it is answered.
async fn bring(bridge: &TestBridge, events: &[Value]) -> u16 {
    let url = format!("{}/connectors/forum/_matrix/app/v1/transactions/1", bridge.api);
    http::call(Method::PUT, &url, Some("hs-token-of-the-tests"), Some(&json!({"events": events}))).await.status
}

fn said(status: u16) -> Said {
    Said::This(status, "{}".to_owned())
}

/// Longer than the bridge reads.
fn too_long() -> Said {
    Said::This(200, " ".repeat(5 * 1024 * 1024))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_no_event_is_not_asked_for() {
    let homeserver = Homeserver::open();
    let bridge = homeserver.bridge(&format!("counted = [{LOUNGE:?}]")).await;
    let person = bridge.person(SPARROW, "patient-of-sparrow").await;
    bridge.share(&person, json!({"community": "weekly-summary"})).await;
    let mut events = Vec::new();
    // As long as no request line may be, as no address may be, and by one byte longer than an id.
    for id in ["a".repeat(17_000), "ж".repeat(25_000), "a".repeat(255)].map(|id| format!("${id}")) {
        for relation in [json!({"m.in_reply_to": {"event_id": id}}), json!({"rel_type": "m.thread", "event_id": id})] {
            let content = json!({"msgtype": "m.text", "body": "hello", "m.relates_to": relation});
            events.push(event(LOUNGE, STRANGER, "m.room.message", &content));
        }
        let reaction = json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": id, "key": "👍"}});
        events.push(event(LOUNGE, STRANGER, "m.reaction", &reaction));
        events.push(event(LOUNGE, STRANGER, "m.room.redaction", &json!({"redacts": id})));
        let mut old = event(LOUNGE, STRANGER, "m.room.redaction", &json!({}));
        old["redacts"] = json!(id);
        events.push(old);
    }
    events.push(wrote(LOUNGE, SPARROW, "good morning"));
    assert_eq!((bring(&bridge, &events).await, homeserver.asked("/event/")), (200, 0));
    assert_eq!(bridge.database.count("readings").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_other_servers_keep_waiting_or_refuse_holds_up_nobody() {
    let homeserver = Homeserver::open();
    let bridge = homeserver.bridge("").await;
    let sealed = json!([
        {"type": "m.room.member", "state_key": BOT, "sender": BOT, "content": {"membership": "join"}},
        {"type": "m.room.member", "state_key": STRANGER, "sender": STRANGER, "content": {"membership": "join"}},
        {"type": "m.room.encryption", "state_key": "", "sender": STRANGER, "content": {"algorithm": "m.megolm.v1.aes-sha2"}},
    ]);
    homeserver.answers(&[
        ("/join/!slow", Said::Nothing),
        ("/join/!bad", said(502)),
        ("/join/!often", said(429)),
        ("/rooms/!sealed:elsewhere.test/state", Said::This(200, sealed.to_string())),
        ("/createRoom", said(500)),
        ("/rooms/!huge:elsewhere.test/state", Said::Nothing),
    ]);
    let algorithm = json!({"algorithm": "m.megolm.v1.aes-sha2"});
    let mut events = vec![event("!sealed:elsewhere.test", STRANGER, "m.room.encrypted", &algorithm)];
    let rooms = ["!bad", "!often", "!huge"].map(str::to_owned).into_iter();
    // Each of these would take a second, which is as long as one request may take here.
    let rooms = rooms.chain((0..12).map(|n| format!("!slow{n}")));
    events.extend(rooms.map(|room| invites(&format!("{room}:elsewhere.test"), STRANGER)));
    events.push(wrote(OWN, SPARROW, "hi"));
    let begun = Instant::now();
    assert_eq!(bring(&bridge, &events).await, 200);
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}: the homeserver waits for a minute", begun.elapsed());
    assert_eq!(homeserver.asked("/rooms/!own:matrix.test/send/"), 1);
    let left = ["!sealed", "!huge"].map(|room| homeserver.asked(&format!("/rooms/{room}:elsewhere.test/leave")));
    assert_eq!((homeserver.asked("/createRoom"), left), (1, [0, 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_homeserver_that_is_away_itself_brings_it_again_however_long_that_takes() {
    let homeserver = Homeserver::open();
    let bridge = homeserver.bridge("").await;
    let events = [invites("!new:matrix.test", SPARROW), wrote(OWN, SPARROW, "hi")];
    for away in [
        vec![("/join/", said(502)), ("/whoami", said(502))],
        vec![("/state", said(500)), ("/whoami", said(401))],
        vec![("/send/", said(503)), ("/whoami", said(503))],
    ] {
        homeserver.answers(&away);
        for _ in 0..7 {
            assert_eq!(bring(&bridge, &events).await, 503, "{away:?}");
        }
    }
    homeserver.answers(&[]);
    assert_eq!(bring(&bridge, &events).await, 200);
    assert!(homeserver.asked("/rooms/!own:matrix.test/send/") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_homeserver_fails_at_again_and_again_is_left_and_nothing_else() {
    let homeserver = Homeserver::open();
    let bridge = homeserver.bridge(&format!("counted = [{LOUNGE:?}]")).await;
    let person = bridge.person(SPARROW, "patient-of-sparrow").await;
    bridge.share(&person, json!({"community": "weekly-summary"})).await;
    let reaction = json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$broken", "key": "👍"}});
    homeserver.answers(&[
        ("/event/", said(500)),
        ("/rooms/!broken:matrix.test/state", said(500)),
        ("/rooms/!mute:matrix.test/send/", said(500)),
        ("/join/!late", said(500)),
    ]);
    let events = [
        event(LOUNGE, SPARROW, "m.reaction", &reaction),
        wrote("!broken:matrix.test", SPARROW, "hi"),
        wrote("!broken:matrix.test", SPARROW, "are you there?"),
        invites("!late:matrix.test", SPARROW),
        wrote("!mute:matrix.test", SPARROW, "hi"),
        wrote(LOUNGE, SPARROW, "good morning"),
        wrote(OWN, SPARROW, "hi"),
    ];
    // What it does alone, and then what is said in answer.
    for _ in 0..4 {
        assert_eq!(bring(&bridge, &events).await, 503);
    }
    assert_eq!((homeserver.asked("/rooms/!broken:matrix.test/state"), homeserver.asked("/send/")), (4, 0));
    let mut times = 0;
    while bring(&bridge, &events).await == 503 {
        times += 1;
        assert!(times < 5, "it is never left");
    }
    let (left, joined) = (homeserver.asked("/rooms/!broken:matrix.test/leave"), homeserver.asked("/join/!late"));
    assert_eq!((times, left, joined), (4, 1, 5), "what fails for a neighbour is tried again");
    assert_eq!((bridge.database.count("readings").await, homeserver.asked("/rooms/!own:matrix.test/send/")), (1, 1));
    homeserver.answers(&[]);
    assert_eq!(bring(&bridge, &[wrote(LOUNGE, SPARROW, "good night")]).await, 200);
    assert_eq!(bridge.database.count("readings").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_longer_than_is_read_is_as_good_as_not_there() {
    let homeserver = Homeserver::open();
    let bridge = homeserver.bridge(&format!("counted = [{LOUNGE:?}]")).await;
    homeserver.answers(&[("/messages", too_long()), ("/event/", too_long())]);
    let reaction = json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$long", "key": "👍"}});
    let events = [
        invites("!new:matrix.test", SPARROW),
        event(LOUNGE, SPARROW, "m.reaction", &reaction),
        wrote("!new:matrix.test", SPARROW, "hi"),
    ];
    assert_eq!(bring(&bridge, &events).await, 200);
    assert_eq!((homeserver.asked("/messages"), homeserver.asked("/event/")), (1, 1));
    assert_eq!(homeserver.asked("/rooms/!new:matrix.test/send/"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_others_are_it_does_not_stay_but_where_it_is_named_for_what_it_says() {
    let homeserver = Homeserver::open();
    let named = "[communities.forum.announcements]\nrooms = [\"!news:matrix.test\"]";
    let bridge = homeserver.bridge(&format!("counted = [{LOUNGE:?}]\n{named}")).await;
    let three = Said::This(200, state(&[BOT, SPARROW, "@wren:matrix.test"]).to_string());
    homeserver.answers(&[
        ("/rooms/!news:matrix.test/state", three.clone()),
        ("/rooms/!crowd:matrix.test/state", three),
        ("/rooms/!huge:matrix.test/state", too_long()),
    ]);
    let rooms = ["!news:matrix.test", "!crowd:matrix.test", "!huge:matrix.test", LOUNGE, OWN];
    let left = || rooms.map(|room| homeserver.asked(&format!("/rooms/{room}/leave")));
    assert_eq!(bring(&bridge, &rooms.map(|room| invites(room, SPARROW))).await, 200);
    assert_eq!((rooms.map(|room| homeserver.asked(&format!("/join/{room}"))), left()), ([1; 5], [0, 1, 1, 0, 0]));
    // Nor where others came in later, or a join went on after nobody waited for it any more.
    assert_eq!(bring(&bridge, &rooms.map(|room| wrote(room, SPARROW, "hi"))).await, 200);
    assert_eq!((left(), homeserver.asked("/send/")), ([0, 2, 2, 0, 0], 1));
    assert_eq!(homeserver.asked(&format!("/rooms/{LOUNGE}/state")), 0);
}
