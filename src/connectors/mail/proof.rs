//! What a mail server says of a mail that it took (`Authentication-Results`, RFC 8601), and whether that proves who wrote it.
//!
//! Who wrote it is not yet to whom: whoever has a mail that somebody signed can send it on, with another `To` above it where that was
//! not signed. It does not come from the servers of the domain then (SPF, RFC 7208); what a signature covers it says itself.
//!
//! Whatever whoever sends a mail may have written themselves is read as nothing but text: comments and what stands in quotes say
//! nothing, and what is not closed makes the whole of it void.

use std::iter::Peekable;
use std::str::Chars;

/// How one way of proving it ended.
struct Outcome {
    method: String,
    result: String,
    properties: Vec<(String, String)>,
}

/// What is proven of a mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// Not who wrote it.
    Nothing,
    /// Who wrote what is signed in it.
    Signature,
    /// Who wrote it, and that it came from the servers of their domain: with all that stands in it.
    Whole,
}

/// What it proves of a mail of somebody of this domain, as the server with this name says. `None`: it is not what this server says.
#[must_use]
pub fn proves(field: &str, server: &str, domain: &str) -> Option<Proof> {
    let mut field = Field(field.chars().peekable());
    let name = field.first()?;
    if !name.eq_ignore_ascii_case(server) {
        return None;
    }
    Some(match field.outcomes() {
        Some(outcomes) if is_proven(&outcomes, domain) && came_from(&outcomes, domain) => Proof::Whole,
        Some(outcomes) if is_proven(&outcomes, domain) => Proof::Signature,
        _ => Proof::Nothing,
    })
}

/// Whether a signature (`DKIM-Signature`, RFC 6376) covers these fields. `None`: it cannot be what proves a mail of this domain.
#[must_use]
pub fn covers(signature: &str, domain: &str, fields: &[&str]) -> Option<bool> {
    let signature: String = signature.chars().filter(|sign| !sign.is_whitespace()).collect();
    let tag = |name: &str| signature.split(';').find_map(|tag| tag.split_once('=').filter(|(tag, _)| *tag == name));
    let by = tag("d").map_or("", |(_, by)| by);
    if !is_above(by, domain) && !is_above(domain, by) {
        return None;
    }
    let covered = tag("h").map_or("", |(_, covered)| covered);
    Some(fields.iter().all(|field| covered.split(':').any(|it| it.eq_ignore_ascii_case(field))))
}

/// By the domain's own policy (DMARC, RFC 7489) if it has one; else by a signature of its own, or of the domain above it.
fn is_proven(outcomes: &[Outcome], domain: &str) -> bool {
    let of = |method: &'static str| outcomes.iter().filter(move |outcome| outcome.method == method);
    let passed = |outcome: &&Outcome| outcome.result == "pass";
    if of("dmarc").any(|outcome| outcome.result == "fail") {
        return false;
    }
    let is_same = |value: &str| value.eq_ignore_ascii_case(domain);
    of("dmarc").filter(passed).any(|outcome| outcome.says("header.from", is_same))
        || of("dkim").filter(passed).any(|outcome| outcome.says("header.d", |value| is_above(value, domain)))
}

/// Whether it came from a server that may send for the domain, or one above it.
fn came_from(outcomes: &[Outcome], domain: &str) -> bool {
    let is_own = |value: &str| is_above(value.rsplit('@').next().unwrap_or_default(), domain);
    let mut passed = outcomes.iter().filter(|outcome| outcome.method == "spf" && outcome.result == "pass");
    passed.any(|outcome| outcome.says("smtp.mailfrom", is_own))
}

/// Whether a domain is this one, or one above it that is not at the top.
fn is_above(above: &str, domain: &str) -> bool {
    let (above, domain) = (above.to_ascii_lowercase(), domain.to_ascii_lowercase());
    let below = domain.strip_suffix(above.as_str());
    above.contains('.') && below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

impl Outcome {
    /// Whether there is such a property, and each of them holds.
    fn says(&self, name: &str, holds: impl Fn(&str) -> bool) -> bool {
        let mut values = self.properties.iter().filter(|(given, _)| given == name).peekable();
        values.peek().is_some() && values.all(|(_, value)| holds(value))
    }
}

/// A field, as far as it was not read yet.
struct Field<'a>(Peekable<Chars<'a>>);

impl Field<'_> {
    /// The name of the server.
    fn first(&mut self) -> Option<String> {
        self.skip()?;
        self.word()
    }

    /// What follows it; `None` if it is not of the form.
    fn outcomes(&mut self) -> Option<Vec<Outcome>> {
        self.skip()?;
        while self.0.peek().is_some_and(char::is_ascii_digit) {
            self.0.next();
        }
        self.skip()?;
        let mut outcomes = Vec::new();
        loop {
            match self.0.next() {
                None => return Some(outcomes),
                Some(';') => self.outcome(&mut outcomes)?,
                Some(_) => return None,
            }
        }
    }

    /// One outcome, unless it says that there is none; `None` if it is not of the form.
    fn outcome(&mut self, outcomes: &mut Vec<Outcome>) -> Option<()> {
        self.skip()?;
        if self.is_at_end() {
            return Some(());
        }
        let method = self.name()?;
        if !self.equals()? {
            return (method == "none").then_some(());
        }
        let mut outcome = Outcome { method, result: self.value()?.to_ascii_lowercase(), properties: Vec::new() };
        loop {
            self.skip()?;
            if self.is_at_end() {
                outcomes.push(outcome);
                return Some(());
            }
            let name = self.name()?;
            if !self.equals()? {
                return None;
            }
            outcome.properties.push((name, self.value()?));
        }
    }

    fn is_at_end(&mut self) -> bool {
        matches!(self.0.peek(), None | Some(';'))
    }

    fn equals(&mut self) -> Option<bool> {
        self.skip()?;
        Some(self.0.next_if_eq(&'=').is_some())
    }

    /// A name in small letters, such as `dkim`, without its version, or `header.from`.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            self.skip()?;
            match self.0.peek() {
                Some(sign) if sign.is_ascii_alphanumeric() || "._-/".contains(*sign) => name.extend(self.0.next()),
                _ => break,
            }
        }
        let name = name.split('/').next().unwrap_or_default().to_ascii_lowercase();
        (!name.is_empty()).then_some(name)
    }

    fn value(&mut self) -> Option<String> {
        self.skip()?;
        self.word()
    }

    /// A word, or what stands in quotes; `None` if they are not closed, or there is none.
    fn word(&mut self) -> Option<String> {
        let mut word = String::new();
        if self.0.next_if_eq(&'"').is_some() {
            loop {
                match self.0.next()? {
                    '"' => return Some(word),
                    '\\' => word.push(self.0.next()?),
                    sign => word.push(sign),
                }
            }
        }
        while let Some(sign) = self.0.next_if(|sign| !sign.is_whitespace() && !";()\"".contains(*sign)) {
            word.push(sign);
        }
        (!word.is_empty()).then_some(word)
    }

    /// Goes past blanks and comments; `None` if a comment is not closed.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        while let Some(&sign) = self.0.peek() {
            match sign {
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                '\\' if depth > 0 => _ = self.0.next(),
                sign if depth > 0 || sign.is_whitespace() => {}
                _ => break,
            }
            self.0.next();
        }
        (depth == 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_proves_it_by_the_policy_or_by_a_signature_of_the_domain() {
        for (field, proven) in [
            ("mx.example; dmarc=pass (p=reject) header.from=forum.example", Some(Proof::Signature)),
            (
                "MX.example 1; spf=pass smtp.mailfrom=a@b.example; DMARC = Pass header . From = Forum.example",
                Some(Proof::Signature),
            ),
            ("mx.example; dkim=pass header.d=forum.example header.s=s1 header.b=\"ab=/+\"", Some(Proof::Signature)),
            (
                "mx.example;\r\n\tdkim=pass (2048-bit key; \\) unprotected)\r\n header.d=forum.example;\r\n dmarc=none",
                Some(Proof::Signature),
            ),
            (
                "mx.example; dkim/1=fail header.d=forum.example; dkim=pass header.d=forum.example",
                Some(Proof::Signature),
            ),
            (
                "(a; comment) \"mx.example\"; dmarc=pass reason=\"a (good; one\" header.from=forum.example;",
                Some(Proof::Signature),
            ),
            ("mx.example; none", Some(Proof::Nothing)),
            ("mx.example", Some(Proof::Nothing)),
            ("other.example; dmarc=pass header.from=forum.example", None),
            ("mx.example.evil.example; dmarc=pass header.from=forum.example", None),
            ("", None),
            ("mx.example; dmarc=pass", Some(Proof::Nothing)),
            ("mx.example; dmarc=pass header.from=evil.example", Some(Proof::Nothing)),
            ("mx.example; dmarc=pass header.from=forum.example header.from=evil.example", Some(Proof::Nothing)),
            (
                "mx.example; dmarc=fail header.from=forum.example; dkim=pass header.d=forum.example",
                Some(Proof::Nothing),
            ),
            ("mx.example; dkim=pass header.d=evil.example", Some(Proof::Nothing)),
            ("mx.example; dkim=pass header.i=@forum.example", Some(Proof::Nothing)),
            ("mx.example; dkim=fail header.d=forum.example", Some(Proof::Nothing)),
            ("mx.example; spf=pass smtp.mailfrom=forum.example", Some(Proof::Nothing)),
            // What whoever wrote it can have put there: a comment, a reason, the address on the envelope.
            ("mx.example; dkim=fail (; dmarc=pass header.from=forum.example)", Some(Proof::Nothing)),
            ("mx.example; dkim=fail reason=\"; dmarc=pass header.from=forum.example\"", Some(Proof::Nothing)),
            (
                "mx.example; spf=pass smtp.mailfrom=\"a; dmarc=pass header.from=forum.example;\"@evil.example",
                Some(Proof::Nothing),
            ),
            ("mx.example; dmarc=pass header.from=forum.example; spf=pass smtp.mailfrom=\"a", Some(Proof::Nothing)),
            ("mx.example; dmarc=pass header.from=forum.example (", Some(Proof::Nothing)),
            ("mx.example; dmarc=pass header.from=forum.example )", Some(Proof::Nothing)),
            ("mx.example (; dmarc=pass header.from=forum.example", Some(Proof::Nothing)),
        ] {
            assert_eq!(proves(field, "mx.example", "forum.example"), proven, "{field}");
        }
    }

    #[test]
    fn a_signature_of_a_domain_above_counts_and_none_of_one_below_or_at_the_top() {
        for (signed_by, from, counts) in [
            ("forum.example", "mail.forum.example", true),
            ("forum.example", "forum.example", true),
            ("mail.forum.example", "forum.example", false),
            ("example", "forum.example", false),
            ("um.example", "forum.example", false),
            (".forum.example", "forum.example", false),
            ("", "forum.example", false),
        ] {
            let field = format!("mx; dkim=pass header.d=\"{signed_by}\"");
            let proof = if counts { Proof::Signature } else { Proof::Nothing };
            assert_eq!(proves(&field, "mx", from), Some(proof), "{signed_by} {from}");
        }
    }

    #[test]
    fn a_mail_is_whole_that_came_from_a_server_of_the_domain() {
        for (spf, proof) in [
            ("spf=pass smtp.mailfrom=sparrow@forum.example", Proof::Whole),
            ("spf=pass smtp.mailfrom=forum.example", Proof::Whole),
            ("spf=softfail smtp.mailfrom=sparrow@forum.example", Proof::Signature),
            ("spf=pass smtp.mailfrom=sparrow@evil.example", Proof::Signature),
            ("spf=pass smtp.mailfrom=sparrow@forum.example@evil.example", Proof::Signature),
            ("spf=pass smtp.mailfrom=a@forum.example smtp.mailfrom=a@evil.example", Proof::Signature),
            ("spf=pass smtp.helo=forum.example", Proof::Signature),
        ] {
            let field = format!("mx; {spf}; dmarc=pass header.from=forum.example");
            assert_eq!(proves(&field, "mx", "forum.example"), Some(proof), "{spf}");
        }
        let alone = "mx; spf=pass smtp.mailfrom=forum.example";
        assert_eq!(proves(alone, "mx", "forum.example"), Some(Proof::Nothing), "who wrote it stands elsewhere");
    }

    #[test]
    fn a_signature_says_itself_what_it_covers() {
        for (signature, covered) in [
            ("v=1; a=rsa-sha256; d=forum.example; s=s1; h=From:To:Date; bh=a; b=c", Some(true)),
            ("v=1; d=forum.example;\r\n h=from :\r\n to : date;b=c", Some(true)),
            ("d=mail.forum.example; h=to:date", Some(true)),
            ("d=Example.org; h=to:date", None),
            ("d=forum.example; h=from:date", Some(false)),
            ("d=forum.example; h=from:to", Some(false)),
            ("d=forum.example; h=reply-to:date", Some(false)),
            ("d=forum.example; z=h=to:date", Some(false)),
            ("d=forum.example", Some(false)),
            ("h=to:date", None),
            ("d=evil.example; h=to:date", None),
        ] {
            assert_eq!(covers(signature, "forum.example", &["to", "date"]), covered, "{signature}");
        }
    }
}
