use super::frames::{DEEPEST, Frame, Frames, LONGEST, NoStream};
use super::read::*;

/// The header of XEP-0114's own example 2, as Prosody 0.12 writes it.
const HEAD: &str = "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' \
                    xmlns='jabber:component:accept' from='mostik.example' id='3BF96D32' xml:lang='en'>";

/// What is found in these bytes, whichever way they come in pieces: each byte is read alone.
fn frames(text: &str) -> Result<Vec<Frame>, NoStream> {
    let mut frames = Frames::default();
    text.bytes().filter_map(|byte| frames.read(byte).transpose()).collect()
}

/// What stands in the first stanza of a stream.
fn read(text: &str) -> Option<Stanza> {
    let found = frames(&format!("{HEAD}{text}")).ok().unwrap();
    match found.as_slice() {
        [Frame::Opened(head), Frame::Stanza(bytes), ..] => {
            assert_eq!(stream_id(head).as_deref(), Some("3BF96D32"));
            stanza(head, bytes)
        }
        _ => panic!("no stanza: {text}"),
    }
}

/// What somebody wrote, within a message of these attributes.
fn wrote(attributes: &str, within: &str) -> Option<Wrote> {
    let message =
        format!("<message from='sparrow@chat.example/phone' to='mostik.example' {attributes}>{within}</message>");
    match read(&message) {
        Some(Stanza::Wrote(wrote)) => Some(wrote),
        None => None,
        Some(_) => panic!("something else: {message}"),
    }
}

#[test]
fn a_stream_is_parted_into_its_stanzas() {
    let found = frames(&format!("{HEAD} \n<a/><b c='>\"/>'><d/>x > y</b><e ></e> </stream:stream>")).unwrap();
    let stanzas = found.iter().filter_map(|it| match it {
        Frame::Stanza(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    });
    assert_eq!(stanzas.collect::<Vec<&str>>(), ["<a/>", "<b c='>\"/>'><d/>x > y</b>", "<e ></e>"]);
    assert!(matches!(found.first(), Some(Frame::Opened(head)) if head.starts_with(b"<stream:stream ")));
    assert!(found.last() == Some(&Frame::Closed));
}

#[test]
fn what_has_no_place_in_a_stream_ends_it() {
    for text in [
        "<!-- a -->",
        "<b><!-- a --></b>",
        "<?a?>",
        "<b><?a?></b>",
        "<![CDATA[a]]>",
        "<!DOCTYPE a>",
        "a",
        "<b <c>",
        "<>",
    ] {
        assert!(frames(&format!("{HEAD}{text}")) == Err(NoStream), "{text}");
    }
    for text in ["a", "<stream:stream/>", "</a>", "<!DOCTYPE a [<!ENTITY b 'c'>]>"] {
        assert!(frames(text) == Err(NoStream), "{text}");
    }
    assert!(frames(&format!("<stream {}", "a".repeat(LONGEST))) == Err(NoStream));
    assert!(frames(&format!("{HEAD}</stream:stream></a>")) == Err(NoStream));
}

#[test]
fn what_is_too_long_or_too_deep_is_passed_over_and_what_follows_is_read() {
    let long = format!("<b>{}</b>", "a".repeat(LONGEST));
    let long_tag = format!("<b c='{}'/>", "a".repeat(LONGEST));
    let deep = format!("{}{}", "<b>".repeat(DEEPEST), "</b>".repeat(DEEPEST));
    for text in [long, long_tag, deep] {
        let found = frames(&format!("{HEAD}{text}<c/>")).unwrap();
        assert!(found[1..] == [Frame::Passed, Frame::Stanza(b"<c/>".to_vec())]);
    }
    let fits = format!("{}{}", "<b>".repeat(DEEPEST - 1), "</b>".repeat(DEEPEST - 1));
    assert!(matches!(frames(&format!("{HEAD}{fits}")).unwrap()[1], Frame::Stanza(_)));
}

#[test]
fn what_somebody_writes_has_a_sender_an_id_and_a_body() {
    let said = wrote("type='chat' id='a1'", "<body>caf\u{e9} &amp; &lt;tea&gt; &#x41;\nthen</body><active xmlns='x'/>")
        .unwrap();
    assert_eq!((said.from.as_str(), said.to.as_str()), ("sparrow@chat.example/phone", "mostik.example"));
    assert_eq!((said.id.as_deref(), said.body.as_deref()), (Some("a1"), Some("caf\u{e9} & <tea> A\nthen")));
    assert_eq!(said.receipt, None);
    let origin = "<body>hi</body><origin-id xmlns='urn:xmpp:sid:0' id='o2'/><request xmlns='urn:xmpp:receipts'/>";
    let said = wrote("id='a1'", origin).unwrap();
    assert_eq!(
        (said.id.as_deref(), said.receipt.as_deref()),
        (Some("o2"), Some("a1")),
        "a receipt names the message's own id"
    );
    let said = wrote("type='normal'", "<body>hi</body><request xmlns='urn:xmpp:receipts'/>").unwrap();
    assert_eq!((said.id, said.receipt), (None, None));
}

#[test]
fn rooms_corrections_and_what_has_no_words_are_left_out() {
    for (attributes, within) in [
        ("type='groupchat' id='1'", "<body>hi</body>"),
        ("type='headline' id='1'", "<body>hi</body>"),
        ("type='chat' id='1'", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
        ("type='chat' id='1'", "<received xmlns='urn:xmpp:receipts' id='2'/>"),
        ("type='chat' id='1'", "<body>hi</body><x xmlns='http://jabber.org/protocol/muc#user'/>"),
        ("id='1'", "<body>come</body><x xmlns='jabber:x:conference' jid='lounge@rooms.example'/>"),
        ("type='chat' id='1'", "<body>hi</body><replace xmlns='urn:xmpp:message-correct:0' id='0'/>"),
        ("type='chat' id='1'", "<body xmlns='elsewhere'>hi</body><subject>hi</subject>"),
    ] {
        // The body of another namespace is somebody else's, but for a message that has one it counts as having none.
        assert!(wrote(attributes, within).is_none_or(|it| it.body.is_none()), "{within}");
    }
}

#[test]
fn of_what_is_encrypted_it_is_known_that_it_was_written_and_nothing_else() {
    for within in [
        "<body>Your client cannot read this.</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>",
        "<encrypted xmlns='urn:xmpp:omemo:2'/>",
        "<body>Your client cannot read this.</body><encryption xmlns='urn:xmpp:eme:0' namespace='jabber:x:encrypted'/>",
        "<body>?OTR:AAMC</body>",
    ] {
        assert_eq!(wrote("type='chat' id='1'", within).unwrap().body, None, "{within}");
    }
}

#[test]
fn everything_else_is_known_by_what_it_is() {
    let errors = "urn:ietf:params:xml:ns:xmpp-stanzas";
    let (id, from, to) = ("1".to_owned(), "sparrow@chat.example/phone".to_owned(), "mostik.example".to_owned());
    let asked = |what| Stanza::Asked { id: id.clone(), from: from.clone(), to: to.clone(), what };
    let between = "from='sparrow@chat.example/phone' to='mostik.example'";
    for (text, expected) in [
        ("<handshake/>".to_owned(), Some(Stanza::Known)),
        ("<handshake xmlns='jabber:component:accept'></handshake>".to_owned(), Some(Stanza::Known)),
        (
            "<stream:error><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>x</text><conflict \
             xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
                .to_owned(),
            Some(Stanza::Ended { why: "conflict".to_owned() }),
        ),
        (
            format!(
                "<message type='error' id='1' {between}><body>hi</body><error type='cancel'><item-not-found xmlns='{errors}'/></error></message>"
            ),
            Some(Stanza::Returned { id: id.clone(), why: "item-not-found".to_owned() }),
        ),
        (
            format!("<presence type='subscribe' {between}/>"),
            Some(Stanza::Presence { kind: "subscribe".to_owned(), from: from.clone(), to: to.clone() }),
        ),
        (format!("<presence type='error' {between}/>"), None),
        (format!("<iq type='get' id='1' {between}><ping xmlns='urn:xmpp:ping'/></iq>"), Some(asked(Asked::Ping))),
        (format!("<iq type='set' id='1' {between}><ping xmlns='urn:xmpp:ping'/></iq>"), Some(asked(Asked::Else))),
        (
            format!("<iq type='get' id='1' {between}><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"),
            Some(asked(Asked::Info)),
        ),
        (format!("<iq type='get' id='1' {between}><vCard xmlns='vcard-temp'/></iq>"), Some(asked(Asked::Else))),
        (format!("<iq type='get' {between}><ping xmlns='urn:xmpp:ping'/></iq>"), None),
        (format!("<iq type='error' id='1' {between}/>"), Some(Stanza::Answered { id: id.clone(), from: from.clone() })),
        (format!("<message xmlns='elsewhere' id='1' {between}><body>hi</body></message>"), None),
        (format!("<message id='1' {between}><body>hi</bodi></message>"), None),
        (format!("<message id='1' {between}><body>&hi;</body></message>"), None),
        (format!("<message id='1' {between}><a:body>hi</a:body></message>"), None),
        ("<message id='1'><body>hi</body></message>".to_owned(), None),
    ] {
        assert!(read(&text) == expected, "{text}");
    }
}

#[test]
fn somebody_has_a_name_on_a_server() {
    for good in ["sparrow@chat.example", "o\u{2019}neill@chat.example", "a@127.0.0.1"] {
        assert!(is_somebody(good), "{good}");
    }
    for bad in [
        "chat.example",
        "@chat.example",
        "sparrow@",
        "sparrow@chat.example/phone",
        "a b@c",
        "a@b@c",
        "a@b\n",
        "",
        "o'neill@c",
    ] {
        assert!(!is_somebody(bad), "{bad}");
    }
    assert_eq!(bare("sparrow@chat.example/phone/two"), "sparrow@chat.example");
}
