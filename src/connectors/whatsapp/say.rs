//! What is said on WhatsApp, in the shapes that it takes ("Messages API"), and within their bounds.

use serde_json::{Value, json};

use super::Template;
use crate::connectors::{Says, cut, you_can_say};
use crate::domain::language::Language;

/// The longest text alone, and with something to press below it, in characters.
const LONGEST: usize = 4096;
const LONGEST_ABOVE: usize = 1024;

/// What is small enough to be pressed: below the text, or in a list that opens.
struct Bounds {
    at_most: usize,
    longest_title: usize,
    longest_id: usize,
}

const BUTTONS: Bounds = Bounds { at_most: 3, longest_title: 20, longest_id: 256 };
const ROWS: Bounds = Bounds { at_most: 10, longest_title: 24, longest_id: 200 };

/// A message to somebody who wrote a moment ago.
pub(super) fn freely(to: &str, says: &Says, language: Language) -> Value {
    let fits = |bounds: &Bounds| bounds.hold(&says.buttons) && says.text.chars().count() <= LONGEST_ABOVE;
    let (kind, what) = match () {
        () if says.buttons.is_empty() => ("text", text(&says.text)),
        () if fits(&BUTTONS) => ("interactive", buttons(says)),
        () if fits(&ROWS) => ("interactive", list(says, language)),
        () => ("text", text(&says.in_lines(language))),
    };
    to_one(to, kind, what)
}

/// A message that may be sent at any time, with a link in it.
pub(super) fn by_template(to: &str, template: &Template, link: &str) -> Value {
    let body = json!({"type": "body", "parameters": [{"type": "text", "text": link}]});
    let Template { name, language } = template;
    to_one(to, "template", json!({"name": name, "language": {"code": language}, "components": [body]}))
}

/// To somebody whom the business knows by an id of its own: `to` would be a number.
fn to_one(whom: &str, kind: &str, what: Value) -> Value {
    let mut message =
        json!({"messaging_product": "whatsapp", "recipient_type": "individual", "recipient": whom, "type": kind});
    if let Some(message) = message.as_object_mut() {
        message.insert(kind.to_owned(), what);
    }
    message
}

/// Meta is not to look where a link leads.
fn text(text: &str) -> Value {
    json!({"body": cut(text, LONGEST), "preview_url": false})
}

fn buttons(says: &Says) -> Value {
    let button = |(id, title): &(String, String)| json!({"type": "reply", "reply": {"id": id, "title": title}});
    let buttons: Vec<Value> = says.buttons.iter().map(button).collect();
    json!({"type": "button", "body": {"text": says.text}, "action": {"buttons": buttons}})
}

fn list(says: &Says, language: Language) -> Value {
    let rows: Vec<Value> = says.buttons.iter().map(|(id, title)| json!({"id": id, "title": title})).collect();
    let title = you_can_say(language);
    let action = json!({"button": title, "sections": [{"title": title, "rows": rows}]});
    json!({"type": "list", "body": {"text": says.text}, "action": action})
}

impl Bounds {
    fn hold(&self, buttons: &[(String, String)]) -> bool {
        let fits = |(id, title): &(String, String)| {
            id.len() <= self.longest_id && (1..=self.longest_title).contains(&title.chars().count())
        };
        buttons.len() <= self.at_most && buttons.iter().all(fits)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn says(text: &str, titles: &[&str]) -> Says {
        let buttons = titles.iter().map(|title| (format!("{title}.mark"), (*title).to_owned())).collect();
        Says { id: Uuid::nil(), text: text.to_owned(), buttons }
    }

    #[test]
    fn what_can_be_pressed_is_as_large_as_it_fits() {
        let long = "о".repeat(LONGEST_ABOVE + 1);
        let many: Vec<String> = (0..11).map(|number| format!("Word {number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (text, titles, kind, inside) in [
            ("hi", &[][..], "text", Value::Null),
            ("hi", &["Yes", "No", "Help"], "interactive", json!("button")),
            ("hi", &["1", "2", "3", "Not now"], "interactive", json!("list")),
            ("hi", &["Двадцать один символ."], "interactive", json!("list")),
            ("hi", &["Двадцать пять символов это"], "text", Value::Null),
            (&long, &["Yes"], "text", Value::Null),
            (&long[..long.len() - 2], &["Yes"], "interactive", json!("button")),
            ("hi", &many, "text", Value::Null),
            ("hi", &many[..10], "interactive", json!("list")),
        ] {
            let message = freely("DE.1", &says(text, titles), Language::En);
            assert_eq!((&message["type"], &message[kind]["type"]), (&json!(kind), &inside), "{titles:?}");
        }
        let lines = freely("DE.1", &says(&"x".repeat(9000), &["Yes"]), Language::En);
        assert_eq!(lines["text"]["body"].as_str().map(|text| text.chars().count()), Some(LONGEST));
    }
}
