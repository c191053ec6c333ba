//! What the component writes: stanzas (RFC 6120 and 6121) as text.

use quick_xml::escape::escape;

/// The longest text, in bytes: servers take no stanza that is much longer.
const LONGEST: usize = 24_000;

/// Opens a stream to the server, as this component (XEP-0114, section 3).
pub fn opening(domain: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{}'>",
        clean(domain)
    )
}

/// Shows the server that the component knows the secret: this is the hash of both.
pub fn handshake(hash: &str) -> String {
    format!("<handshake>{hash}</handshake>")
}

/// Closes the stream.
pub const CLOSING: &str = "</stream:stream>";

/// Something said to somebody.
pub fn message(from: &str, to: &str, id: &str, text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text);
    format!("<message type='chat' {}><body>{}</body></message>", between(from, to, id), clean(text))
}

/// That something was heard (XEP-0184).
pub fn receipt(from: &str, to: &str, of: &str) -> String {
    let received = format!("<received xmlns='urn:xmpp:receipts' id='{}'/>", clean(of));
    format!("<message type='chat' {}>{received}</message>", between(from, to, &format!("receipt-{of}")))
}

/// That something was not heard, and whether it may be later (`wait`) or never will (`cancel`).
pub fn unheard(from: &str, to: &str, id: &str, kind: &str, why: &str) -> String {
    format!("<message type='error' {}>{}</message>", between(from, to, id), error(kind, why))
}

/// The component's own presence, or what it answers to somebody's.
pub fn presence(from: &str, to: &str, kind: Option<&str>) -> String {
    let kind = kind.map_or(String::new(), |kind| format!(" type='{kind}'"));
    format!("<presence from='{}' to='{}'{kind}/>", clean(from), clean(to))
}

/// That it is there.
pub fn pong(from: &str, to: &str, id: &str) -> String {
    format!("<iq type='result' {}/>", between(from, to, id))
}

/// What it is: a program that talks.
pub fn info(from: &str, to: &str, id: &str, name: &str) -> String {
    let features = ["http://jabber.org/protocol/disco#info", "urn:xmpp:ping", "urn:xmpp:receipts"];
    let features: String = features.into_iter().map(|it| format!("<feature var='{it}'/>")).collect();
    format!(
        "<iq type='result' {}><query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='bot' \
         name='{}'/>{features}</query></iq>",
        between(from, to, id),
        clean(name)
    )
}

/// That something cannot be asked.
pub fn unasked(from: &str, to: &str, id: &str) -> String {
    format!("<iq type='error' {}>{}</iq>", between(from, to, id), error("cancel", "service-unavailable"))
}

/// What comes back to the component itself, and not before the server has done everything that was written earlier.
pub fn echo(domain: &str, id: &str) -> String {
    format!("<iq type='get' {}><ping xmlns='urn:xmpp:ping'/></iq>", between(domain, domain, id))
}

fn between(from: &str, to: &str, id: &str) -> String {
    format!("from='{}' to='{}' id='{}'", clean(from), clean(to), clean(id))
}

fn error(kind: &str, why: &str) -> String {
    format!("<error type='{kind}'><{why} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")
}

/// A text as it may stand in XML: one sign that may not would end the stream for everybody ("Characters" of XML 1.0).
fn clean(text: &str) -> String {
    let may_stand =
        |sign: &char| matches!(sign, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    escape(text.chars().filter(may_stand).collect::<String>()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::frames::{Frame, Frames};
    use super::super::read::{Stanza, Wrote, stanza, stream_id};
    use super::*;

    /// What a server at the other end of the stream would read.
    fn read(written: &str) -> Vec<Option<Stanza>> {
        let head = opening("mostik.example").replace("to=", "id='1' from=");
        assert_eq!(stream_id(head.as_bytes().split_at(21).1), Some("1".to_owned()));
        let mut frames = Frames::default();
        let mut opened = Vec::new();
        let mut found = Vec::new();
        for byte in format!("{head}{written}").bytes() {
            match frames.read(byte).unwrap() {
                Some(Frame::Opened(tag)) => opened = tag,
                Some(Frame::Stanza(bytes)) => found.push(stanza(&opened, &bytes)),
                _ => {}
            }
        }
        found
    }

    #[test]
    fn whatever_is_said_arrives_as_it_is_but_for_what_no_stanza_can_hold() {
        for (said, arrives) in [
            ("Hello", "Hello"),
            ("a < b && \"c\" > 'd' ]]>", "a < b && \"c\" > 'd' ]]>"),
            ("</body></message></stream:stream>", "</body></message></stream:stream>"),
            ("тепло\nи 🙂", "тепло\nи 🙂"),
            ("a\u{0}\u{8}\u{b}\u{1f}\u{fffe}\u{ffff}b\tc", "ab\tc"),
        ] {
            let wrote = Wrote {
                from: "helper@mostik.example".to_owned(),
                to: "o'neill@chat.example".to_owned(),
                id: Some("1".to_owned()),
                body: Some(arrives.to_owned()),
                receipt: None,
            };
            let written = message("helper@mostik.example", "o'neill@chat.example", "1", said);
            assert!(read(&written) == [Some(Stanza::Wrote(wrote))], "{said:?}: {written}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_two_letters() {
        let written = message("a@b", "c@d", "1", &"ж".repeat(LONGEST));
        let found = read(&written);
        let [Some(Stanza::Wrote(Wrote { body: Some(body), .. }))] = found.as_slice() else { panic!("{written}") };
        assert_eq!(*body, "ж".repeat(LONGEST / 2));
    }
}
