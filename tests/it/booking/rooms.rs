//! Ways into the rooms of visits, judged by programs that others wrote: `PyJWT`, as Jitsi's own server reads tokens, and `livekit-api`.

use jiff::{SignedDuration, Timestamp};
use mostik::booking::video::{BigBlueButton, EARLY, Guest, Jitsi, LATE, LiveKit, Room, Video, WAY_IN, is_open};
use mostik::domain::clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::support::http;
use crate::support::parts::part;

const SECRET: &str = "a secret of forty characters, for tests.";

/// By the clock that those programs have, too.
fn now() -> Timestamp {
    Clock::System.now()
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn jitsi() -> Video {
    Video::Jitsi(Jitsi { url: url("https://meet.example/"), app_id: "mostik".to_owned(), secret: SECRET.into() })
}

fn live_kit() -> Video {
    Video::LiveKit(LiveKit {
        page: url("https://meet.example/custom"),
        server: url("wss://rtc.example/"),
        key: "APImostik".to_owned(),
        secret: SECRET.into(),
    })
}

fn guest(number: u128, name: &str, is_moderator: bool) -> Guest<'_> {
    Guest { id: Uuid::from_u128(number), name, is_moderator }
}

fn query(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

/// What a judge says: the status and the body.
async fn judged(judge: &str, what: Value) -> Option<(u16, Value)> {
    let base = part("MOSTIK_TEST_RECEIVER", "a judge of tokens")?;
    let got = http::call(Method::POST, &format!("{base}/judge/{judge}"), None, Some(&what)).await;
    Some((got.status, got.json))
}

#[tokio::test]
async fn jitsi_lets_each_person_into_one_room_for_minutes_the_clinician_as_moderator_and_nothing_is_recorded() {
    let room = Room::new(Uuid::from_u128(7));
    let way = jitsi().way_in(room, guest(1, "Гость", false), now()).unwrap();
    let clinician = jitsi().way_in(room, guest(2, "Dr Lane", true), now()).unwrap();
    assert_eq!(way.path(), clinician.path(), "they meet");
    let ask = |way: &Url| json!({"token": query(way, "jwt"), "app_id": "mostik", "secret": SECRET});
    let Some((200, claims)) = judged("jitsi", ask(&way)).await else { return };
    assert_eq!(claims["room"], way.path().trim_start_matches('/'));
    assert_eq!(claims["sub"], "meet.example");
    assert_eq!(claims["context"]["user"]["name"], "Гость");
    assert_eq!(claims["context"]["user"]["moderator"], false);
    assert_eq!(claims["context"]["user"]["affiliation"], "member");
    let features = claims["context"]["features"].as_object().unwrap();
    assert!(["recording", "livestreaming", "transcription"].iter().all(|feature| features[*feature] == false));
    let lasts = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert!(lasts <= WAY_IN.as_secs() + 60, "{lasts}");
    let (_, moderator) = judged("jitsi", ask(&clinician)).await.unwrap();
    assert_eq!(moderator["context"]["user"]["moderator"], true);
    assert_eq!(moderator["context"]["user"]["affiliation"], "owner");
}

#[tokio::test]
async fn a_way_in_is_refused_when_its_minutes_are_over_and_by_whoever_has_another_secret() {
    let room = Room::new(Uuid::from_u128(7));
    let past = now() - WAY_IN - SignedDuration::from_secs(1);
    let old = jitsi().way_in(room, guest(1, "Guest", false), past).unwrap();
    let asked = json!({"token": query(&old, "jwt"), "app_id": "mostik", "secret": SECRET});
    let Some((status, answer)) = judged("jitsi", asked).await else { return };
    assert_eq!(status, 400);
    assert!(answer["wrong"].as_str().unwrap().contains("ExpiredSignature"), "{answer}");
    let way = jitsi().way_in(room, guest(1, "Guest", false), now()).unwrap();
    let asked = json!({"token": query(&way, "jwt"), "app_id": "mostik", "secret": format!("{SECRET}!")});
    let (_, answer) = judged("jitsi", asked).await.unwrap();
    assert!(answer["wrong"].as_str().unwrap().contains("InvalidSignature"), "{answer}");
}

#[tokio::test]
async fn live_kit_lets_each_person_into_one_room_and_only_the_clinician_leads_it() {
    let room = Room::new(Uuid::from_u128(7));
    let way = live_kit().way_in(room, guest(1, "Guest", false), now()).unwrap();
    assert_eq!(query(&way, "liveKitUrl"), "wss://rtc.example/");
    let ask = |way: &Url| json!({"token": query(way, "token"), "key": "APImostik", "secret": SECRET});
    let Some((200, claims)) = judged("livekit", ask(&way)).await else { return };
    assert_eq!(claims["identity"], Uuid::from_u128(1).to_string());
    let video = &claims["video"];
    assert_eq!(
        (&video["room_join"], &video["room_admin"], &video["room_record"]),
        (&json!(true), &json!(false), &json!(false))
    );
    assert!(video["room"].as_str().unwrap().len() > 30, "nobody guesses it: {video}");
    let clinician = live_kit().way_in(room, guest(2, "Dr Lane", true), now()).unwrap();
    let (_, moderator) = judged("livekit", ask(&clinician)).await.unwrap();
    assert_eq!(moderator["video"]["room_admin"], true);
    assert_eq!(moderator["video"]["room"], video["room"], "they meet");
}

#[test]
fn big_blue_button_opens_a_room_that_nobody_can_record_and_takes_names_in_any_script() {
    let service = Video::BigBlueButton(BigBlueButton {
        url: url("https://bbb.example/bigbluebutton/api"),
        secret: SECRET.into(),
    });
    let room = Room::new(Uuid::from_u128(7));
    let opening = service.opening(room, "Appointment", 75).unwrap().unwrap();
    assert!(opening.as_str().starts_with("https://bbb.example/bigbluebutton/api/create?"), "{opening}");
    assert_eq!(
        (query(&opening, "record"), query(&opening, "allowStartStopRecording")),
        ("false".into(), "false".into())
    );
    let way = service.way_in(room, guest(1, "Гость & co", false), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((query(&way, "fullName"), query(&way, "role")), ("Гость & co".to_owned(), "VIEWER".to_owned()));
    assert_eq!(query(&way, "meetingID"), query(&opening, "meetingID"));
    assert_eq!(query(&way, "checksum").len(), 64, "SHA-256 in hex");
}

#[test]
fn a_visit_can_be_entered_from_shortly_before_it_until_some_time_after_it() {
    let start: Timestamp = "2026-12-01T10:00:00Z".parse().unwrap();
    let end = start + SignedDuration::from_mins(50);
    let second = SignedDuration::from_secs(1);
    assert!(!is_open(start, end, start - EARLY - second));
    assert!(is_open(start, end, start - EARLY));
    assert!(is_open(start, end, end + LATE - second));
    assert!(!is_open(start, end, end + LATE));
}

#[test]
fn a_room_does_not_tell_its_name_in_logs() {
    let room = Room::new(Uuid::from_u128(7));
    assert_eq!(format!("{room:?}"), "Room(..)");
    assert!(!format!("{:?}", jitsi()).contains("forty"), "nor a service its secret");
}
