//! Notices of an EHR that something changed (Subscriptions R5 Backport 1.1 and 1.2, on R4 and R4B): a Bundle of type `history`
//! whose first entry says which Subscription, and what is new. Nothing else of it is read: a notice only tells where to look.

use serde_json::Value;

use crate::domain::ids::is_fhir_id;

/// The most events of one notice that are read by themselves. Of more, only that there are: everything is looked for then.
const MOST_EVENTS: usize = 100;

/// What a notice says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// What it is for.
    pub kind: NoticeKind,
    /// The id of the Subscription, as the EHR calls it.
    pub subscription: Option<String>,
    /// How the EHR says that the Subscription stands.
    pub status: Option<String>,
    /// How many events there were since it began.
    pub events: Option<i64>,
    /// What is new, each with its number.
    pub news: Vec<News>,
    /// Whether there is more than could be read.
    pub is_more: bool,
}

/// What a notice is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NoticeKind {
    /// The EHR tries whether anybody listens.
    Handshake,
    /// Nothing is new, and the EHR lives.
    Heartbeat,
    /// Something is new.
    Event,
    /// The answer to a question about the Subscription.
    Status,
}

/// Something that is new.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// Its number.
    pub number: Option<i64>,
    /// The type and the id of what it is about, if it says so.
    pub focus: Option<(String, String)>,
}

/// It is no notice of this form: of classic R4, perhaps, which says nothing but that something is new.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected a Bundle of type history that begins with the status of a Subscription")]
pub struct NoNotice;

impl Notice {
    /// Reads a notice, or the answer to `$status`.
    ///
    /// # Errors
    /// [`NoNotice`].
    pub fn read(body: &[u8]) -> Result<Self, NoNotice> {
        let bundle: Value = serde_json::from_slice(body).map_err(|_| NoNotice)?;
        if text(&bundle, "/resourceType") != Some("Bundle") {
            return Err(NoNotice);
        }
        let status = bundle.pointer("/entry/0/resource").ok_or(NoNotice)?;
        match text(status, "/resourceType") {
            Some("Parameters") => Ok(of_parameters(status)),
            Some("SubscriptionStatus") => Ok(of_status(status)),
            _ => Err(NoNotice),
        }
    }
}

/// R4: Parameters. Builds differ in the names of parameters (`event-number`, `eventNumber`).
fn of_parameters(parameters: &Value) -> Notice {
    let all = list(parameters, "/parameter");
    let named = |name: &str| all.iter().find(|parameter| is_named(parameter, name));
    let events: Vec<&Value> = all.iter().filter(|parameter| is_named(parameter, "notification-event")).collect();
    let news = events.iter().take(MOST_EVENTS).map(|event| {
        let part = |name: &str| list(event, "/part").iter().find(|part| is_named(part, name));
        News {
            number: part("event-number").and_then(number_of),
            focus: part("focus").and_then(|focus| focus_of(text(focus, "/valueReference/reference")?)),
        }
    });
    Notice {
        kind: kind_of(named("type").and_then(|kind| text(kind, "/valueCode"))),
        subscription: named("subscription").and_then(|it| id_of(text(it, "/valueReference/reference")?)),
        status: named("status").and_then(|status| text(status, "/valueCode")).map(str::to_owned),
        events: named("events-since-subscription-start").and_then(number_of),
        news: news.collect(),
        is_more: events.len() > MOST_EVENTS,
    }
}

/// R4B: `SubscriptionStatus`.
fn of_status(status: &Value) -> Notice {
    let events = list(status, "/notificationEvent");
    let news = events.iter().take(MOST_EVENTS).map(|event| News {
        number: event.get("eventNumber").and_then(number),
        focus: text(event, "/focus/reference").and_then(focus_of),
    });
    Notice {
        kind: kind_of(text(status, "/type")),
        subscription: text(status, "/subscription/reference").and_then(id_of),
        status: text(status, "/status").map(str::to_owned),
        events: status.get("eventsSinceSubscriptionStart").and_then(number),
        news: news.collect(),
        is_more: events.len() > MOST_EVENTS,
    }
}

fn kind_of(code: Option<&str>) -> NoticeKind {
    match code {
        Some("handshake") => NoticeKind::Handshake,
        Some("heartbeat") => NoticeKind::Heartbeat,
        Some("query-status") => NoticeKind::Status,
        // Whatever it is called: it is looked whether anything is new.
        _ => NoticeKind::Event,
    }
}

/// Whether a parameter has this name, in whichever way it is spelled.
fn is_named(parameter: &Value, name: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase();
    text(parameter, "/name").is_some_and(|given| plain(given) == plain(name))
}

/// A number, in whichever type it is given.
fn number_of(parameter: &Value) -> Option<i64> {
    let types =
        ["valueString", "valueUnsignedInt", "valueInteger64", "valueInteger", "valuePositiveInt", "valueDecimal"];
    types.iter().find_map(|name| parameter.get(name)).and_then(number)
}

fn number(value: &Value) -> Option<i64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    number.filter(|number| *number >= 0)
}

/// The type and the id at the end of a reference. Where it begins does not matter: it is looked up at the EHR's own base.
fn focus_of(reference: &str) -> Option<(String, String)> {
    let reference = reference.split("/_history/").next()?;
    let (before, id) = reference.rsplit_once('/')?;
    let kind = before.rsplit('/').next()?;
    let is_type = kind.starts_with(|c: char| c.is_ascii_uppercase()) && kind.bytes().all(|b| b.is_ascii_alphabetic());
    (is_type && is_fhir_id(id)).then(|| (kind.to_owned(), id.to_owned()))
}

fn id_of(reference: &str) -> Option<String> {
    focus_of(reference).filter(|(kind, _)| kind == "Subscription").map(|(_, id)| id)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn notice(parameters: &Value) -> Notice {
        let bundle = json!({"resourceType": "Bundle", "type": "history", "entry": [
            {"resource": {"resourceType": "Parameters", "parameter": parameters}}]});
        Notice::read(bundle.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn counters_are_read_in_every_type_that_is_seen() {
        for (name, number) in [
            ("valueString", json!("7")),
            ("valueUnsignedInt", json!(7)),
            ("valueInteger64", json!("7")),
            ("valueInteger64", json!(7)),
            ("valueInteger", json!(7)),
        ] {
            let event = json!({"name": "notification-event", "part": [{"name": "event-number", name: number},
                {"name": "focus", "valueReference": {"reference": "https://ehr.example/fhir/Task/t1/_history/2"}}]});
            let read = notice(&json!([{"name": "type", "valueCode": "event-notification"}, event,
                {"name": "subscription", "valueReference": {"reference": "https://ehr.example/fhir/Subscription/s1"}},
                {"name": "events-since-subscription-start", name: number}]));
            assert_eq!(
                (read.kind, read.events, read.subscription.as_deref()),
                (NoticeKind::Event, Some(7), Some("s1"))
            );
            assert_eq!(read.news, [News { number: Some(7), focus: Some(("Task".to_owned(), "t1".to_owned())) }]);
        }
    }

    #[test]
    fn other_spellings_and_r4b_are_read_too() {
        let event = json!({"name": "notificationEvent", "part": [{"name": "eventNumber", "valueString": "2"}]});
        let read = notice(&json!([event, {"name": "eventsSinceSubscriptionStart", "valueString": "2"}]));
        assert_eq!((read.events, read.news[0].number, &read.news[0].focus), (Some(2), Some(2), &None));
        let status = json!({"resourceType": "SubscriptionStatus", "type": "heartbeat", "eventsSinceSubscriptionStart": "3",
            "subscription": {"reference": "Subscription/s1"}, "status": "active"});
        let bundle = json!({"resourceType": "Bundle", "type": "history", "entry": [{"resource": status}]});
        let read = Notice::read(bundle.to_string().as_bytes()).unwrap();
        assert_eq!((read.kind, read.events, read.status.as_deref()), (NoticeKind::Heartbeat, Some(3), Some("active")));
    }

    #[test]
    fn what_is_no_notice_is_none_and_what_is_odd_is_left_out() {
        for bad in ["", "{}", "[]", r#"{"resourceType":"Bundle"}"#, r#"{"resourceType":"Task","id":"1"}"#] {
            assert_eq!(Notice::read(bad.as_bytes()), Err(NoNotice), "{bad}");
        }
        let odd = json!({"name": "notification-event", "part": [{"name": "event-number", "valueString": "-1"},
            {"name": "focus", "valueReference": {"reference": "../../admin?x=Task/1"}}]});
        let read = notice(&json!([odd]));
        assert_eq!(read.news, [News { number: None, focus: None }]);
        let many = Value::from(vec![odd; 500]);
        let read = notice(&many);
        assert!(read.is_more && read.news.len() == MOST_EVENTS);
    }
}
