use super::*;

const OWN: &str = "helper@forum.example";
const PROOF: &str = "Authentication-Results: mx.forum.example; dmarc=pass header.from=member.example\r\n";
const SIGNED: &str = "DKIM-Signature: v=1; d=member.example; s=s1; h=From:To:Subject:Date; bh=a; b=c\r\n";
const FROM: &str = "From: Sparrow <Sparrow@Member.example>\r\n";
const TO: &str = "To: The forum <Helper@forum.example>\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n";

fn now() -> Timestamp {
    "2026-11-20T12:00:30Z".parse().unwrap_or_else(|why| panic!("{why}"))
}

fn mail(fields: &str, text: &str) -> Vec<u8> {
    format!("{fields}Message-ID: <1@member.example>\r\nSubject: Hi\r\n\r\n{text}\r\n").into_bytes()
}

fn heard(fields: &str) -> Result<Letter, NotHeard> {
    let mail = mail(&format!("{SIGNED}{fields}{TO}"), "Yes\r\n\r\n> Shall I?");
    read(&mail, OWN, Trust::Results("mx.forum.example"), now())
}

fn why(fields: &str) -> Option<NotHeard> {
    heard(fields).err()
}

#[test]
fn a_mail_that_is_proven_says_who_wrote_it_and_what() {
    let references = "References: <a@forum.example>\r\n <b@forum.example> nonsense <c d>\r\n";
    let letter = heard(&format!("{PROOF}{FROM}{references}")).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!((letter.id.as_str(), letter.from.as_str()), ("<1@member.example>", "sparrow@member.example"));
    assert_eq!(letter.answers, ["<a@forum.example>", "<b@forum.example>", "<1@member.example>"]);
    assert_eq!(letter.text, "Yes");
}

#[test]
fn only_what_the_server_says_above_all_else_proves_it() {
    let forged = PROOF.replace("mx.forum", "mx.evil");
    let failed = PROOF.replace("=pass", "=fail");
    for (fields, heard) in [
        (format!("{PROOF}{FROM}"), true),
        (format!("{forged}{PROOF}{FROM}"), true),
        (FROM.to_owned(), false),
        (format!("{forged}{FROM}"), false),
        (format!("{failed}{PROOF}{FROM}"), false),
        (format!("{PROOF}From: Sparrow <sparrow@other.example>\r\n"), false),
        (format!("{PROOF}From: \"sparrow@member.example\" <a@evil.example>\r\n"), false),
    ] {
        assert_eq!(why(&fields), (!heard).then_some(NotHeard::Unproven), "{fields}");
    }
    let trusted = read(&mail(&format!("{FROM}{TO}"), "Yes"), OWN, Trust::Server, now());
    assert!(trusted.is_ok_and(|letter| letter.from == "sparrow@member.example"));
}

#[test]
fn nobody_is_answered_who_is_not_one_person_with_an_address() {
    for from in [
        "",
        "From: Sparrow\r\n",
        "From: sparrow@member.example, wren@member.example\r\n",
        "From: all: sparrow@member.example;\r\n",
        "From: <>\r\n",
        "From: \"spar row\"@member.example\r\n",
        "From: sparrow@member.example\r\nFrom: wren@member.example\r\n",
        "From: sparrow@member.example\r\nfrom: wren@member.example\r\n",
        "From: sparrow@member..example\r\n",
        "From: sparrow@мember.example\r\n",
    ] {
        assert_eq!(why(&format!("{PROOF}{from}")), Some(NotHeard::Nobody), "{from}");
    }
    assert_eq!(why("From: The forum <Helper@forum.example>\r\n"), Some(NotHeard::Own));
    assert!(read(b"", OWN, Trust::Server, now()).is_err());
}

#[test]
fn what_programs_write_is_not_heard() {
    for field in [
        "Auto-Submitted: auto-replied",
        "auto-submitted: Auto-Generated; owner=a",
        "Precedence: bulk",
        "Precedence: LIST",
        "List-Id: The list <list.member.example>",
        "List-Unsubscribe: <mailto:a@member.example>",
        "Return-Path: <>",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=a",
        "X-Auto-Response-Suppress: All",
    ] {
        assert_eq!(why(&format!("{PROOF}{FROM}{field}\r\n")), Some(NotHeard::Automatic), "{field}");
    }
    for field in ["Auto-Submitted: no", "Return-Path: <sparrow@member.example>", "Precedence: normal"] {
        assert_eq!(why(&format!("{PROOF}{FROM}{field}\r\n")), None, "{field}");
    }
}

#[test]
fn a_mail_is_read_as_its_parts_say() {
    let of = |fields: &str, body: &str| {
        let raw = format!("{FROM}{TO}MIME-Version: 1.0\r\n{fields}\r\n\r\n{body}");
        read(raw.as_bytes(), OWN, Trust::Server, now()).unwrap_or_else(|why| panic!("{why}"))
    };
    let plain = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64";
    assert_eq!(of(plain, "0JTQsA0KDQo+INCc0L7QttC90L4/DQo=").text, "Да");
    let koi = "Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable";
    assert_eq!(of(koi, "=E4=C1").text, "Да");
    let html = "Content-Type: text/html; charset=utf-8";
    assert_eq!(of(html, "<p>Yes, <b>please</b></p><p>Best</p>").text.lines().next(), Some("Yes, please"));
    let both = "Content-Type: multipart/alternative; boundary=x";
    let parts =
        "--x\r\nContent-Type: text/plain\r\n\r\n4\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>5</p>\r\n--x--\r\n";
    assert_eq!(of(both, parts).text, "4");
    let picture = "Content-Type: image/png\r\nContent-Transfer-Encoding: base64";
    assert_eq!(of(picture, "iVBORw0KGgo=").text, "");
    // Without an id of its own it is known by what it is.
    let (one, other) = (of(html, "<p>1</p>"), of(html, "<p>2</p>"));
    assert!(one.id != other.id && one.id == of(html, "<p>1</p>").id && one.answers.is_empty());
}

#[test]
fn an_id_that_would_break_a_line_is_none() {
    for id in ["<a b@c>", "<>", "<a\u{7f}@c>", "<ж@c>"] {
        let raw = format!("{FROM}{TO}Message-ID: {id}\r\nReferences: {id}\r\n\r\nYes\r\n");
        let letter = read(raw.as_bytes(), OWN, Trust::Server, now()).unwrap_or_else(|why| panic!("{why}"));
        assert!(letter.answers.is_empty() && letter.id.len() == 64, "{id}");
    }
}

/// Why a mail is not heard with these fields below what the server says and the signature.
fn handed_on(proof: &str, signed: &str, fields: &str) -> Option<NotHeard> {
    let mail = mail(&format!("{proof}{signed}{FROM}{fields}"), "Yes");
    read(&mail, OWN, Trust::Results("mx.forum.example"), now()).err()
}

#[test]
fn what_was_written_to_somebody_else_or_long_ago_is_not_heard_whoever_hands_it_on() {
    let date = |date: &str| format!("To: {OWN}\r\nDate: {date} 12:00:00 +0000\r\n");
    let day = "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n";
    for (fields, why) in [
        (TO.to_owned(), None),
        (format!("To: wren@member.example, {OWN}\r\n{day}"), None),
        (format!("To: wren@member.example\r\n{day}"), Some(NotHeard::Elsewhere)),
        (format!("To: \"{OWN}\" <wren@member.example>\r\n{day}"), Some(NotHeard::Elsewhere)),
        (format!("To: {OWN}.evil.example\r\n{day}"), Some(NotHeard::Elsewhere)),
        // One of them was put above what is signed.
        (format!("To: {OWN}\r\nTo: wren@member.example\r\n{day}"), Some(NotHeard::Elsewhere)),
        (day.to_owned(), Some(NotHeard::Elsewhere)),
        (format!("To: {OWN}\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n{day}"), Some(NotHeard::Old)),
        (format!("To: {OWN}\r\n"), Some(NotHeard::Old)),
        (date("Sat, 14 Nov 2026"), None),
        (date("Fri, 13 Nov 2026"), Some(NotHeard::Old)),
        (date("Sat, 28 Nov 2026"), Some(NotHeard::Old)),
    ] {
        assert_eq!(handed_on(PROOF, SIGNED, &fields), why, "{fields}");
    }
}

#[test]
fn to_whom_it_was_written_is_signed_or_it_came_from_the_domains_own_servers() {
    let (plain, came) =
        (SIGNED.replace("To:", ""), PROOF.replace(" dmarc", " spf=pass smtp.mailfrom=member.example; dmarc"));
    let copy = TO.replace("To:", "To: wren@member.example\r\nCc:");
    let foreign = SIGNED.replace("member.example", "evil.example");
    for (proof, signed, fields, why) in [
        (PROOF, SIGNED, TO, None),
        (PROOF, plain.as_str(), TO, Some(NotHeard::Unsigned)),
        (PROOF, &SIGNED.replace(":Date", ""), TO, Some(NotHeard::Unsigned)),
        (PROOF, SIGNED, &copy, Some(NotHeard::Unsigned)),
        (PROOF, &SIGNED.replace("To:", "Cc:"), &copy, None),
        (PROOF, "", TO, Some(NotHeard::Unsigned)),
        (PROOF, &foreign, TO, Some(NotHeard::Unsigned)),
        (PROOF, &format!("{foreign}{SIGNED}"), TO, None),
        // It is not said which of them is good.
        (PROOF, &format!("{SIGNED}{plain}"), TO, Some(NotHeard::Unsigned)),
        (&came, &plain, TO, None),
        (&came, "", TO, None),
        (&came, "", "To: wren@member.example\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n", Some(NotHeard::Elsewhere)),
    ] {
        assert_eq!(handed_on(proof, signed, fields), why, "{proof}{signed}{fields}");
    }
}
