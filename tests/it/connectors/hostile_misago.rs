//! What a forum that says impossible things can do to the bridge. What its members can do is tried on a real one (`misago.rs`).

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::Data;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::receiver::{PORTAL, Telling, any_time};
use crate::support::recommendations::said;
use crate::support::server::moment;

const SPARROW: i64 = 5;

/// What the forum says of how many pages a thread has, whichever page is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// Two; and the second one is not there.
    TwoOfWhichOneIsNotThere,
    /// One more than was asked for.
    OneMore,
    /// The same, and takes its time.
    OneMoreSlowly,
}

struct Forum {
    base: String,
    says: Says,
    asked: Mutex<Vec<String>>,
}

impl Forum {
    /// A forum, and a bridge on it with something to tell sparrow.
    async fn open(database: Database, says: Says) -> (Arc<Self>, Telling) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let forum = Arc::new(Self { base, says, asked: Mutex::default() });
        let shared = Data::from(Arc::clone(&forum));
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(answer)));
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        let password = database.secret_file("misago.password", "a password");
        let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
        let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
        let text = format!(
            "{text}[communities.forum.messages]\nmethod = \"connector\"\n[communities.forum.connector]\nplatform = \"misago\"\n\
             url = {:?}\naccount = \"mostik\"\npassword_file = {password:?}\n",
            forum.base
        );
        let telling = Telling::before(TestBridge::start_with(database, &text).await);
        let person = telling.member(&SPARROW.to_string(), "notice", any_time()).await;
        telling.comes(&person, &said("Walk half an hour")).await;
        (forum, telling)
    }

    fn asked(&self, like: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.contains(like)).count()
    }
}

async fn answer(forum: Data<Forum>, request: HttpRequest) -> HttpResponse {
    let asked = format!("{} {}", request.method(), request.uri());
    forum.asked.lock().unwrap().push(asked.clone());
    let somebody = json!({"id": SPARROW});
    let thread = json!({
        "id": 7, "category": 1, "title": "Good evening", "pages": 2, "last_post": 1, "starter": somebody, "last_poster": somebody,
        "url": {"new_post": "/p/good-evening/7/new/"},
    });
    let done = match () {
        () if asked.contains("?page=") => {
            return page(&forum, asked.rsplit('=').next().unwrap().parse().unwrap()).await;
        }
        () if asked.contains("?list=") => json!({"results": [thread], "next": null}),
        () if asked.contains("/api/users/") => json!({"id": SPARROW, "username": "sparrow"}),
        () => json!({"id": 1}),
    };
    HttpResponse::Ok().json(done)
}

async fn page(forum: &Forum, number: u32) -> HttpResponse {
    let pages = match forum.says {
        Says::TwoOfWhichOneIsNotThere if number == 2 => return HttpResponse::NotFound().json(json!({})),
        Says::TwoOfWhichOneIsNotThere => 2,
        Says::OneMore | Says::OneMoreSlowly => number + 1,
    };
    for _ in 0..if forum.says == Says::OneMoreSlowly { 50 } else { 0 } {
        moment().await;
    }
    let somebody = |id: i64| json!({"id": id});
    let shown: Value = json!({
        "id": 7, "started_on": "2026-11-20T10:00:00Z", "acl": {"can_reply": true},
        "participants": [somebody(1), somebody(SPARROW)],
        "post_set": {"results": [], "page": number, "pages": pages},
    });
    HttpResponse::Ok().json(shown)
}

async fn is_looked_through_and_left(database: Database, says: Says) {
    let (forum, telling) = Forum::open(database, says).await;
    telling.tell().await;
    assert_eq!((forum.asked("?page="), forum.asked("POST /api/private-threads/")), (12, 1));
    assert_eq!(telling.open_tellings().await, 0, "it is told in a new thread");
}

on_both_databases! {
    async fn a_thread_whose_last_page_is_never_there_is_not_looked_for_for_ever(database) {
        Box::pin(is_looked_through_and_left(database, Says::TwoOfWhichOneIsNotThere)).await;
    }
}

on_both_databases! {
    async fn a_thread_that_always_goes_on_is_not_looked_through_for_ever(database) {
        Box::pin(is_looked_through_and_left(database, Says::OneMore)).await;
    }
}

on_both_databases! {
    async fn a_forum_that_takes_its_time_for_each_page_is_not_waited_for_longer_than_for_two_requests(database) {
        let (forum, telling) = Forum::open(database, Says::OneMoreSlowly).await;
        telling.tell().await;
        assert!((1..6).contains(&forum.asked("?page=")), "{}", forum.asked("?page="));
        assert_eq!((forum.asked("POST /api/private-threads/"), telling.open_tellings().await), (0, 1), "it is told later");
    }
}
