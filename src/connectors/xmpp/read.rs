//! What stands in a stanza (RFC 6120 and 6121), as far as it is looked at.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// The stream's own names.
const STREAMS: &str = "http://etherx.jabber.org/streams";

/// What is between a server and a component (XEP-0114), as some servers write it, too.
const STANZAS: [&str; 2] = ["jabber:component:accept", "jabber:client"];

/// What says that a body stands in for something that only a program of the right kind can read (XEP-0380, and OMEMO before it).
const ENCRYPTION: [&str; 4] =
    ["urn:xmpp:eme:0", "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:1", "urn:xmpp:omemo:2"];

/// What says that a message is a room's (XEP-0045, XEP-0249).
const ROOMS: [&str; 2] = ["http://jabber.org/protocol/muc#user", "jabber:x:conference"];

/// The longest address (RFC 7622, section 3.1): three parts of 1023 bytes each.
const LONGEST_JID: usize = 3071;

/// The longest id that is looked at, in bytes.
const LONGEST_ID: usize = 1023;

/// An element. Personal.
#[derive(Default)]
pub struct Element {
    /// Its name without what stands before the colon.
    pub name: String,
    /// Its namespace.
    pub space: String,
    attributes: Vec<(String, String)>,
    /// What is within it.
    pub children: Vec<Self>,
    /// Its own text.
    pub text: String,
}

/// What came. Personal.
#[derive(PartialEq, Eq)]
pub enum Stanza {
    /// The server knows the component.
    Known,
    /// The server ends the stream.
    Ended {
        /// Why, in RFC 6120's own words ("Stream Errors").
        why: String,
    },
    /// Somebody wrote something to an address of the component.
    Wrote(Wrote),
    /// Something that the component wrote to somebody did not arrive.
    Returned {
        /// The id under which it was written.
        id: String,
        /// Why, in RFC 6120's own words.
        why: String,
    },
    /// Somebody's presence: its type, from whom, to which address.
    Presence {
        /// Its type, such as `subscribe`; empty for whoever is there.
        kind: String,
        /// From whom.
        from: String,
        /// To which address.
        to: String,
    },
    /// Somebody asks an address something.
    Asked {
        /// Their id of it.
        id: String,
        /// From whom.
        from: String,
        /// Which address.
        to: String,
        /// What.
        what: Asked,
    },
    /// Somebody answers what was asked under this id.
    Answered {
        /// The id.
        id: String,
        /// From whom.
        from: String,
    },
}

/// What can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Whether it is there (XEP-0199).
    Ping,
    /// What it is (XEP-0030).
    Info,
    /// Anything else.
    Else,
}

/// What somebody wrote. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrote {
    /// From whom, with the program that they wrote it with.
    pub from: String,
    /// To which address.
    pub to: String,
    /// Their program's id of it, if it gave it one.
    pub id: Option<String>,
    /// What they wrote; `None` where it is encrypted.
    pub body: Option<String>,
    /// Under which id they want to be told that it was heard, if they do (XEP-0184).
    pub receipt: Option<String>,
}

/// Reads a tag that opens a stream: the id that the server gave it.
#[must_use]
pub fn stream_id(head: &[u8]) -> Option<String> {
    let mut reader = NsReader::from_str(std::str::from_utf8(head).ok()?);
    let (space, event) = reader.read_resolved_event().ok()?;
    let is_streams = matches!(space, ResolveResult::Bound(Namespace(STREAMS)));
    let Event::Start(tag) = event else { return None };
    if !is_streams || tag.local_name().as_ref() != "stream" {
        return None;
    }
    let stream = element(String::new(), &tag)?;
    stream.get("id").filter(|id| !id.is_empty() && id.len() <= LONGEST_ID).map(str::to_owned)
}

/// Reads a stanza of the stream that was opened with this tag; `None`: nothing that is looked at, or nothing that can be read.
#[must_use]
pub fn stanza(head: &[u8], stanza: &[u8]) -> Option<Stanza> {
    let root = parse(&[head, stanza].concat())?;
    if root.space == STREAMS {
        return (root.name == "error")
            .then(|| Stanza::Ended { why: root.condition("urn:ietf:params:xml:ns:xmpp-streams") });
    }
    if !STANZAS.contains(&root.space.as_str()) {
        return None;
    }
    let kind = root.get("type").unwrap_or_default();
    match root.name.as_str() {
        "handshake" => Some(Stanza::Known),
        "message" if kind == "error" => Some(Stanza::Returned { id: root.id()?, why: root.why() }),
        "message" if matches!(kind, "" | "chat" | "normal") => wrote(&root).map(Stanza::Wrote),
        "presence" if kind != "error" => {
            Some(Stanza::Presence { kind: kind.to_owned(), from: root.jid("from")?, to: root.jid("to")? })
        }
        "iq" if matches!(kind, "get" | "set") => {
            let what = match root.children.first() {
                Some(it) if kind == "get" && it.is("ping", "urn:xmpp:ping") => Asked::Ping,
                Some(it) if kind == "get" && it.is("query", "http://jabber.org/protocol/disco#info") => Asked::Info,
                _ => Asked::Else,
            };
            Some(Stanza::Asked { id: root.id()?, from: root.jid("from")?, to: root.jid("to")?, what })
        }
        "iq" if matches!(kind, "result" | "error") => {
            Some(Stanza::Answered { id: root.id()?, from: root.jid("from")? })
        }
        _ => None,
    }
}

/// An address without the program behind it.
#[must_use]
pub fn bare(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(bare, _)| bare)
}

/// Whether something is the address of somebody, and of no server or program.
#[must_use]
pub fn is_somebody(jid: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && !part.contains(|sign: char| sign.is_whitespace() || sign.is_control());
    let parts = jid.split_once('@');
    jid.len() <= LONGEST_JID
        && !jid.contains(['/', '<', '>', '"', '\'', '&'])
        && parts.is_some_and(|(name, server)| is_part(name) && is_part(server) && !server.contains('@'))
}

/// What somebody wrote to the component, and not in a room, nor of what they had written before.
fn wrote(message: &Element) -> Option<Wrote> {
    let is_of_a_room = message.children.iter().any(|it| ROOMS.contains(&it.space.as_str()));
    if is_of_a_room || message.child("replace", "urn:xmpp:message-correct:0").is_some() {
        return None;
    }
    let is_encrypted = message.children.iter().any(|it| ENCRYPTION.contains(&it.space.as_str()));
    let body = message.children.iter().find(|it| it.name == "body" && it.space == message.space);
    // Off the record: the oldest of all, which says so in the text only.
    let body = body.map(|body| body.text.clone()).filter(|text| !text.starts_with("?OTR") && !is_encrypted);
    if body.is_none() && message.children.iter().all(|it| it.name != "body" && !ENCRYPTION.contains(&it.space.as_str()))
    {
        return None;
    }
    let id = message.id();
    let origin = message.child("origin-id", "urn:xmpp:sid:0").and_then(Element::id);
    let receipt = message.child("request", "urn:xmpp:receipts").and(id.clone());
    let (from, to) = (message.jid("from")?, message.jid("to")?);
    Some(Wrote { from, to, id: origin.or(id), body, receipt })
}

/// One element within the stream that is open around it.
fn parse(xml: &[u8]) -> Option<Element> {
    let mut reader = NsReader::from_str(std::str::from_utf8(xml).ok()?);
    let Ok(Event::Start(_)) = reader.read_event() else { return None };
    let mut open: Vec<Element> = Vec::new();
    loop {
        let (space, event) = reader.read_resolved_event().ok()?;
        let space = match space {
            ResolveResult::Bound(Namespace(space)) => space.to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(_) => return None,
        };
        let done = match event {
            Event::Start(tag) => {
                open.push(element(space, &tag)?);
                None
            }
            Event::Empty(tag) => Some(element(space, &tag)?),
            Event::End(_) => Some(open.pop()?),
            Event::Text(text) => {
                open.last_mut()?.text.push_str(&text.xml10_content());
                None
            }
            Event::GeneralRef(reference) => {
                let text = &mut open.last_mut()?.text;
                match reference.resolve_char_ref().ok()? {
                    Some(sign) => text.push(sign),
                    None => text.push_str(resolve_predefined_entity(&reference)?),
                }
                None
            }
            _ => return None,
        };
        match (done, open.last_mut()) {
            (Some(done), Some(around)) => around.children.push(done),
            (Some(done), None) => return Some(done),
            (None, _) => {}
        }
    }
}

fn element(space: String, tag: &BytesStart<'_>) -> Option<Element> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    let name = tag.local_name().as_ref().to_owned();
    Some(Element { name, space, attributes, ..Element::default() })
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn id(&self) -> Option<String> {
        self.get("id").filter(|id| !id.is_empty() && id.len() <= LONGEST_ID).map(str::to_owned)
    }

    fn jid(&self, name: &str) -> Option<String> {
        self.get(name).filter(|jid| !jid.is_empty() && jid.len() <= LONGEST_JID).map(str::to_owned)
    }

    fn is(&self, name: &str, space: &str) -> bool {
        self.name == name && self.space == space
    }

    fn child(&self, name: &str, space: &str) -> Option<&Self> {
        self.children.iter().find(|it| it.is(name, space))
    }

    /// Why a stanza came back ("Stanza Errors", 8.3).
    fn why(&self) -> String {
        let error = self.children.iter().find(|it| it.name == "error" && it.space == self.space);
        error.map(|error| error.condition("urn:ietf:params:xml:ns:xmpp-stanzas")).unwrap_or_default()
    }

    fn condition(&self, space: &str) -> String {
        let found = self.children.iter().find(|it| it.space == space && it.name != "text");
        found.map(|it| it.name.clone()).unwrap_or_default()
    }
}
