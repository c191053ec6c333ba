//! Where a story plays: a bridge whose portal the browser visits, and a few doors through which the story moves the clock
//! and reads what the member was sent.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Data, Json};
use actix_web::{App, HttpResponse, HttpServer};
use jiff::{SignedDuration, Timestamp};
use mostik::app;
use mostik::config::Config;
use mostik::domain::booking::Way;
use mostik::inbound::advice::TYPES;
use serde_json::{Value, json};

use crate::support::booking::{ASKED_FOR, asks_as, finder, first_talk, free_slot, schedule};
use crate::support::bridge::{Person, TestBridge, riverside};
use crate::support::concerns::{Keepers, POLICY, REASON, with_ada, worrying};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::groups::calm_evening;
use crate::support::http;
use crate::support::notices::{told_by, until_active};
use crate::support::parts::part;
use crate::support::portal::{PORTAL, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::receiver::PUSH;
use crate::support::recommendations::{all, look, look_later, open_person, write};
use crate::support::rules::with_rules;
use crate::support::smart::present;
use crate::support::staff::{moderators_setting, staff_setting};
use crate::support::synapse::free_port;

/// Who visits, and with what.
pub struct Visitor {
    pub size: &'static str,
    pub language: &'static str,
    pub scripts: &'static str,
}

/// Where a story plays.
#[derive(Clone, Copy)]
pub enum Place {
    /// Sparrow's clinic is known to the bridge, and takes whatever it is sent.
    Linked,
    /// Sparrow has to connect the clinic: to sign in at a server that nobody here wrote, before an EHR that nobody here
    /// wrote, which takes nothing without a token of that server.
    Unlinked,
    /// Sparrow's clinic is asked for visits, and its staff sign in at a server that nobody here wrote.
    Staffed,
    /// An EHR that nobody here wrote says at once that it has something for Sparrow, by a topic or by criteria; looking alone
    /// would find nothing before tomorrow.
    Told {
        /// By a topic.
        by_topic: bool,
    },
}

/// What the doors lead to.
struct Stage {
    portal: Portal,
    sparrow: Person,
    ehr: Ehr,
    /// Where Sparrow signs in to the clinic.
    clinic: String,
    /// Where the clinic keeps its times.
    schedule: String,
}

/// Plays a script of `scripts/` to its end.
pub async fn play(story: &str, place: Place, visitor: &Visitor, chromium: &str, database: Database) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let control = format!("http://{}", listener.local_addr().unwrap());
    let Some((stage, address)) = build(place, database, &control).await else { return };
    open_doors(stage, listener);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("node");
    command.arg(root.join(format!("tests/browser/scripts/{story}.mjs")));
    command.env("MOSTIK_TEST_BROWSER", chromium).env("MOSTIK_PORTAL", address).env("MOSTIK_CONTROL", control);
    command.env("MOSTIK_SIZE", visitor.size).env("MOSTIK_LANGUAGE", visitor.language);
    command.env("MOSTIK_SCRIPTS", visitor.scripts);
    // Nobody looks at them in CI, and they are a third of the time.
    if std::env::var_os("CI").is_none() {
        command.env("MOSTIK_SCREENSHOTS", root.join("target/screenshots"));
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let told = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

/// A portal that a browser on this machine reaches under the address it has for everybody, and what is around it.
async fn build(place: Place, database: Database, control: &str) -> Option<(Stage, String)> {
    // Free now, and nobody asks for this one by its number.
    let port = free_port();
    let address = format!("http://localhost:{port}");
    let postbox = Postbox::open();
    let config = |base: &str| {
        let text = portal_config(&database, base, &postbox);
        text.replace(PORTAL, &address).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"))
    };
    let stage = match place {
        Place::Linked => {
            let ehr = Ehr::sandbox().await;
            let safety = with_ada(&database, &postbox, &postbox);
            let schedule = schedule(&ehr.base).await;
            let phone = "[clinics.riverside]\nphone = \"+49 30 1234567\"\n";
            let text = config(&ehr.base).replace("[clinics.riverside]\n", phone)
                + &first_talk(&schedule, "")
                + &format!("[clinics.riverside.video]\nmethod = \"link\"\nurl = \"{control}/room\"\n")
                + "[clinics.riverside.summary]\npage = \"on-request\"\n[clinics.riverside.way_back]\n"
                + PUSH
                + &safety
                + POLICY;
            let portal = Portal::before(TestBridge::start_with(database, &text).await, postbox);
            let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
            Stage { portal, sparrow, ehr, clinic: String::new(), schedule }
        }
        Place::Told { by_topic } => {
            let ehr = Ehr::sekmet().await?;
            let told_by = told_by(&ehr, by_topic, &TYPES).await;
            let text = config(&ehr.base) + "[clinics.riverside.way_back]\npoll_minutes = 1440\n" + &told_by;
            let portal = Portal::before(TestBridge::start_with(database, &text).await, postbox);
            let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
            let categories = json!({"mood": "every-entry", "questionnaires": "every-entry"});
            portal.bridge.share_by(&sparrow, json!({"categories": categories, "way_back": "full"})).await;
            look(&portal.bridge).await;
            until_active(&ehr).await;
            Stage { portal, sparrow, ehr, clinic: String::new(), schedule: String::new() }
        }
        Place::Staffed => {
            let (ehr, clinic) =
                (Ehr::sandbox().await, part("MOSTIK_TEST_AUTHORIZATION_SERVER", "an authorization server")?);
            let staff = staff_setting("riverside", &clinic, "portal-local").replace("Europe/Berlin", staff_zone());
            let text = config(&ehr.base)
                + ASKED_FOR
                + &calm_evening(8, "open = true")
                + VIDEO
                + &staff
                + "scopes = \"openid groups\"\n"
                + &moderators_setting("forum", &clinic, "portal-local").replace("Europe/Berlin", staff_zone())
                + "scopes = \"openid groups\"\n"
                + &with_ada(&database, &postbox, &postbox);
            let portal = Portal::before(TestBridge::start_at(database, &text, ahead()).await, postbox);
            let (sparrow, _) = open_person(&portal.bridge, "sparrow", &ehr.patient).await;
            Stage { portal, sparrow, ehr, clinic, schedule: String::new() }
        }
        Place::Unlinked => {
            let (ehr, gate) = (Ehr::sekmet().await?, part("MOSTIK_TEST_SMART_GATE", "a gate before an EHR")?);
            let clinic = part("MOSTIK_TEST_AUTHORIZATION_SERVER", "an authorization server")?;
            let text = config(&gate).replace("lease_seconds = 3", "lease_seconds = 4");
            let text = with_rules(&database, &text);
            let text = format!("{text}[communities.forum.sign_in]\nissuer = {clinic:?}\n{PROVIDER}{LENDING}");
            let portal = Portal::before(TestBridge::start_at(database, &text, ahead()).await, postbox);
            let sparrow = portal.bridge.unlinked_person("sparrow").await;
            Stage { portal, sparrow, ehr, clinic, schedule: String::new() }
        }
    };
    Some((stage, address))
}

/// The forum has accounts, at the same server; which member that is, they say themselves.
const PROVIDER: &str = "client_id = \"portal-local\"\n";

/// The clinic lets the bridge in as those who signed in there.
const LENDING: &str = "[clinics.riverside.auth]\nmethod = \"patient\"\nclient_id = \"launch-local\"\n\
     client_authentication = \"none\"\n";

/// Where the clinic holds its visits.
const VIDEO: &str = "[clinics.riverside.video]\nmethod = \"link\"\nurl = \"https://meet.example/room\"\n";

/// The bridge's clock stands still while a visitor signs in by a server whose clock goes on, which must not come to be later.
fn ahead() -> Timestamp {
    present() + SignedDuration::from_mins(2)
}

/// A zone in which today still lasts for hours.
fn staff_zone() -> &'static str {
    if present().to_zoned(jiff::tz::TimeZone::UTC).hour() < 20 { "Europe/Berlin" } else { "America/New_York" }
}

/// Opens the doors there.
fn open_doors(stage: Stage, listener: TcpListener) {
    let stage = Data::from(Arc::new(stage));
    let app = move || {
        App::new()
            .app_data(stage.clone())
            .route("/link", web::post().to(link))
            .route("/clock", web::post().to(clock))
            .route("/send", web::post().to(send))
            .route("/deliver", web::post().to(deliver))
            .route("/disclose", web::post().to(disclose))
            .route("/member", web::post().to(member))
            .route("/ehr", web::post().to(ehr))
            .route("/clinic-writes", web::post().to(clinic_writes))
            .route("/clinician-writes", web::post().to(clinician_writes))
            .route("/clinic-reads", web::post().to(clinic_reads))
            .route("/clinic-frees", web::post().to(clinic_frees))
            .route("/told", web::post().to(told))
            .route("/room", web::get().to(room))
            .route("/clinic-asked", web::post().to(clinic_asked))
            .route("/worry", web::post().to(worry))
            .route("/soon", web::post().to(soon))
    };
    tokio::spawn(HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run());
}

/// Tells the member whatever it is time to tell them; how many messages that are no links to sign in they had, and the last.
async fn told(stage: Data<Stage>) -> HttpResponse {
    let config = Config::from_toml(&stage.portal.bridge.config).unwrap();
    let teller = app::teller(&config, &stage.portal.bridge.bridge).unwrap();
    while teller.tell_one().await.unwrap() {}
    let letters = stage.portal.postbox.letters();
    let told: Vec<_> = letters.iter().filter(|letter| letter.json["type"] == "mostik.message.v1").collect();
    HttpResponse::Ok().json(json!({"count": told.len(), "last": told.last().map(|letter| letter.raw.clone())}))
}

/// Where the clinic holds its visits.
async fn room() -> HttpResponse {
    let page =
        "<!doctype html><html lang=\"en\"><title>The room</title><link rel=\"icon\" href=\"data:,\"><h1>The room</h1>";
    HttpResponse::Ok().content_type("text/html").body(page)
}

/// The last link that was brought to the member.
async fn link(stage: Data<Stage>) -> HttpResponse {
    stage.portal.send_links().await;
    let letters = stage.portal.postbox.letters();
    HttpResponse::Ok().json(json!({"link": letters.last().unwrap().link()}))
}

/// Moves the clock on by so many seconds, and does what the time has brought about.
async fn clock(stage: Data<Stage>, asked: Json<Value>) -> HttpResponse {
    let seconds = asked["seconds"].as_i64().unwrap();
    stage.portal.bridge.clock.advance(SignedDuration::from_secs(seconds));
    stage.portal.bridge.chores().await;
    HttpResponse::Ok().json(json!({}))
}

/// The member's community sends an event.
async fn send(stage: Data<Stage>, event: Json<Value>) -> HttpResponse {
    let got = stage.portal.bridge.send(&event).await;
    HttpResponse::Ok().json(json!({"status": got.status, "answer": got.json}))
}

/// Whatever is due is delivered.
async fn deliver(stage: Data<Stage>) -> HttpResponse {
    let bridge = &stage.portal.bridge;
    finder(bridge).look_after_sessions(&riverside()).await.unwrap();
    bridge.deliver().await;
    HttpResponse::Ok().json(json!({"open": stage.portal.bridge.open_items().await}))
}

/// Somebody of the member's community decides that their clinic is told without their consent, and it is delivered.
async fn disclose(stage: Data<Stage>) -> HttpResponse {
    let keepers = Keepers::of(&stage.portal.bridge).await;
    let concern = keepers.open().await.remove(0);
    let got = keepers.disclose(&concern, "ada", REASON).await;
    stage.portal.bridge.deliver().await;
    HttpResponse::Ok().json(json!({"status": got.status}))
}

/// Who the member is, as their community and their clinic know them, and where they sign in to the clinic.
async fn member(stage: Data<Stage>) -> HttpResponse {
    let Stage { sparrow, ehr, clinic, .. } = &**stage;
    HttpResponse::Ok().json(json!({"handle": sparrow.handle, "patient": ehr.patient, "clinic": clinic}))
}

/// What the clinic has of the member.
async fn ehr(stage: Data<Stage>) -> HttpResponse {
    HttpResponse::Ok().json(json!({"observations": stage.ehr.observations().await}))
}

/// The clinic writes something for the member into its EHR, and it is looked for; as it stands there.
async fn clinic_writes(stage: Data<Stage>, resource: Json<Value>) -> HttpResponse {
    let bridge = &stage.portal.bridge;
    let terms = json!({"categories": {"mood": "every-entry"}, "way_back": "full"});
    let granted = json!({"clinic": "riverside", "terms": terms});
    bridge.as_member(&stage.sparrow, reqwest::Method::POST, "/v1/grants", Some(&granted)).await;
    let written = write(&stage.ehr.base, resource.into_inner()).await;
    look_later(bridge).await;
    HttpResponse::Ok().json(written)
}

/// A clinician writes something for the member into the EHR, which says so; as it stands there.
async fn clinician_writes(stage: Data<Stage>, resource: Json<Value>) -> HttpResponse {
    let bridge = &stage.portal.bridge;
    let before = all(bridge, &stage.sparrow).await;
    let written = write(&stage.ehr.base, resource.into_inner()).await;
    // It says so too of what the bridge itself wrote there a moment ago.
    loop {
        let news = bridge.bridge.news.notified();
        bridge.clock.advance(SignedDuration::from_secs(6));
        look(bridge).await;
        if all(bridge, &stage.sparrow).await != before {
            return HttpResponse::Ok().json(written);
        }
        tokio::time::timeout(Duration::from_secs(20), news).await.unwrap();
    }
}

/// What the clinic reads at a path of its EHR, once all that is due was delivered.
async fn clinic_reads(stage: Data<Stage>, asked: Json<Value>) -> HttpResponse {
    stage.portal.bridge.deliver_in_time().await;
    let url = format!("{}/{}", stage.ehr.base, asked["path"].as_str().unwrap());
    HttpResponse::Ok().json(http::call(reqwest::Method::GET, &url, None, None).await.json)
}

/// The member lets something come back, and shares what they want to talk about; the clinic has times for them, so many hours
/// from now.
async fn clinic_frees(stage: Data<Stage>, asked: Json<Value>) -> HttpResponse {
    let bridge = &stage.portal.bridge;
    let terms = json!({"categories": {"agenda": "every-entry"}, "way_back": "notice"});
    let granted = json!({"clinic": "riverside", "terms": terms});
    bridge.as_member(&stage.sparrow, reqwest::Method::POST, "/v1/grants", Some(&granted)).await;
    for hours in asked["hours"].as_array().unwrap() {
        let start = bridge.now() + SignedDuration::from_hours(hours.as_i64().unwrap());
        free_slot(&stage.ehr.base, &stage.schedule, start).await;
    }
    HttpResponse::Ok().json(json!({}))
}

/// The member asks the clinic for a visit, and its EHR has that.
async fn clinic_asked(stage: Data<Stage>) -> HttpResponse {
    let bridge = &stage.portal.bridge;
    asks_as(bridge, &stage.sparrow, "", Way::Request).await.unwrap();
    bridge.deliver().await;
    HttpResponse::Ok().json(json!({}))
}

/// The member answers a questionnaire in a way that wants a human's eye.
async fn worry(stage: Data<Stage>) -> HttpResponse {
    let bridge = &stage.portal.bridge;
    let mut event = worrying("worry", &stage.sparrow.handle);
    event["time"] = json!(bridge.now());
    HttpResponse::Ok().json(json!({"status": bridge.send(&event).await.status}))
}

/// Ten minutes from now, by the clinic's clock.
async fn soon(stage: Data<Stage>) -> HttpResponse {
    let soon = stage.portal.bridge.now() + SignedDuration::from_mins(10);
    let shown = soon.in_tz(staff_zone()).unwrap();
    let (day, time) = (shown.strftime("%Y-%m-%d").to_string(), shown.strftime("%H:%M").to_string());
    HttpResponse::Ok().json(json!({"day": day, "time": time}))
}
