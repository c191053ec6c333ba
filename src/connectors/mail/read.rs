//! What a mail says: who wrote it, if that is proven, and what. What programs write by themselves is not heard, so that nothing
//! here ever talks with a machine (RFC 3834); nor is what was written to somebody else, or long ago, whoever hands it on.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use mail_parser::{Address, Message, MessageParser};

use super::lines::written;
use super::proof::{Proof, covers, proves};

/// The longest address (RFC 5321, section 4.5.3.1), and the longest id of a mail.
const LONGEST_ADDRESS: usize = 254;
const LONGEST_ID: usize = 250;

/// How many of the mails before it an answer names.
const MOST_BEFORE: usize = 10;

/// How long ago a mail may have been written: longer than servers try to hand one over. Within that time it is known again by its id.
const OLDEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// By whom it is believed who wrote a mail.
#[derive(Clone, Copy)]
pub enum Trust<'a> {
    /// By what the server with this name says that it found out.
    Results(&'a str),
    /// By the server that hands it over, whatever it hands over.
    Server,
}

/// A mail that somebody wrote. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id: the same when it is handed over again.
    pub id: String,
    /// The address of whoever wrote it, in small letters.
    pub from: String,
    /// The ids of the mails that an answer answers, in angle brackets, this one last.
    pub answers: Vec<String>,
    /// What they wrote.
    pub text: String,
}

/// Why a mail is not heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotHeard {
    /// It is no mail.
    #[error("it is no mail")]
    NoMail,
    /// It does not say that one person wrote it, with an address that can be answered.
    #[error("it is from nobody who can be answered")]
    Nobody,
    /// The bridge wrote it.
    #[error("it is the bridge's own")]
    Own,
    /// A program wrote it, or it went to many.
    #[error("a program wrote it, or it went to many")]
    Automatic,
    /// Whoever it says may not have written it.
    #[error("nothing proves who wrote it")]
    Unproven,
    /// It was written to somebody else.
    #[error("it was written to somebody else")]
    Elsewhere,
    /// It was written long ago, or does not say when.
    #[error("it was not written lately")]
    Old,
    /// To whom it was written, and when, may have been put there by somebody else.
    #[error("nothing proves to whom it was written, and when")]
    Unsigned,
}

/// Reads a mail as a server hands it over, at this time. `own`: the address to which it is to be written.
///
/// # Errors
/// [`NotHeard`].
pub fn read(raw: &[u8], own: &str, trust: Trust<'_>, at: Timestamp) -> Result<Letter, NotHeard> {
    let message = MessageParser::default().parse(raw).ok_or(NotHeard::NoMail)?;
    let fields = Fields { raw, message: &message };
    let from = fields.from().ok_or(NotHeard::Nobody)?;
    if from.eq_ignore_ascii_case(own) {
        return Err(NotHeard::Own);
    }
    if fields.is_automatic() {
        return Err(NotHeard::Automatic);
    }
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    let proof = match trust {
        Trust::Results(server) => fields.proof(server, domain),
        Trust::Server => Proof::Whole,
    };
    let to = fields.names(own);
    match (proof, to) {
        (Proof::Nothing, _) => return Err(NotHeard::Unproven),
        (_, None) => return Err(NotHeard::Elsewhere),
        _ if !fields.is_of_late(at) => return Err(NotHeard::Old),
        (Proof::Signature, Some(to)) if !fields.are_signed(domain, &[to, "Date"]) => return Err(NotHeard::Unsigned),
        _ => {}
    }
    let text = message.body_text(0).map(|text| written(&text)).unwrap_or_default();
    let id = message.message_id().filter(|id| is_id(id)).map(|id| format!("<{id}>"));
    let mut answers = fields.before();
    answers.extend(id.clone());
    // One without an id is known again by what it is.
    let id = id.unwrap_or_else(|| hex::encode(digest(&SHA256, raw)));
    Ok(Letter { id, from, answers, text })
}

struct Fields<'a> {
    raw: &'a [u8],
    message: &'a Message<'a>,
}

impl<'a> Fields<'a> {
    /// What stands in every field of a name, from the top.
    fn all(&self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let found = self.message.headers().iter().filter(move |field| field.name().eq_ignore_ascii_case(name));
        let raw = self.raw;
        found.map(move |field| {
            let place = field.offset_start() as usize..field.offset_end() as usize;
            String::from_utf8_lossy(raw.get(place).unwrap_or_default())
        })
    }

    /// The one address from which it is.
    fn from(&self) -> Option<String> {
        let (Some(Address::List(list)), 1) = (self.message.from(), self.all("From").count()) else { return None };
        let [one] = list.as_slice() else { return None };
        one.address().map(str::to_ascii_lowercase).filter(|address| is_address(address))
    }

    fn is_automatic(&self) -> bool {
        let says = |name: &str, is: &dyn Fn(&str) -> bool| {
            self.all(name)
                .any(|value| is(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str()))
        };
        says("Auto-Submitted", &|how| how != "no")
            || says("Precedence", &|how| ["bulk", "junk", "list", "auto_reply"].contains(&how))
            || says("Return-Path", &|path| path == "<>")
            || says("Content-Type", &|kind| kind == "multipart/report")
            || says("X-Auto-Response-Suppress", &|what| what != "none")
            || self.message.headers().iter().any(|field| field.name().to_ascii_lowercase().starts_with("list-"))
    }

    /// What the server itself says stands above whatever the mail brought along.
    fn proof(&self, server: &str, domain: &str) -> Proof {
        let mut says = self.all("Authentication-Results").filter_map(|field| proves(&field, server, domain));
        says.next().unwrap_or(Proof::Nothing)
    }

    /// In which field it says that it was written to this address. Of two of a kind, one may have been put above what is signed.
    fn names(&self, own: &str) -> Option<&'static str> {
        let is_one = |name: &str| self.all(name).count() == 1;
        let found = [("To", self.message.to()), ("Cc", self.message.cc())].into_iter();
        let mut found = found.filter(|(name, whom)| whom.is_some_and(|whom| whom.contains(own)) && is_one(name));
        found.next().map(|(name, _)| name)
    }

    fn is_of_late(&self, at: Timestamp) -> bool {
        let date = self.message.date().and_then(|date| Timestamp::from_second(date.to_timestamp()).ok());
        self.all("Date").count() == 1 && date.is_some_and(|date| at.duration_since(date).abs() <= OLDEST)
    }

    /// Whether each signature covers these fields that may be the one that was found good.
    fn are_signed(&self, domain: &str, names: &[&str]) -> bool {
        let covered: Vec<bool> = self.all("DKIM-Signature").filter_map(|it| covers(&it, domain, names)).collect();
        !covered.is_empty() && !covered.contains(&false)
    }

    /// The mails before it, the last one last.
    fn before(&self) -> Vec<String> {
        let references = self.all("References").next().unwrap_or_default();
        let ids = references.split_whitespace().filter_map(|id| id.strip_prefix('<')?.strip_suffix('>'));
        let mut ids: Vec<String> = ids.filter(|id| is_id(id)).map(|id| format!("<{id}>")).collect();
        ids.split_off(ids.len().saturating_sub(MOST_BEFORE))
    }
}

/// Whether mail may go there, and nothing else stands in it.
fn is_address(address: &str) -> bool {
    let is_part = |part: &str, others: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(char::from(byte)))
    };
    address.len() <= LONGEST_ADDRESS
        && address.split_once('@').is_some_and(|(name, domain)| {
            is_part(name, "!#$%&'*+-/=?^_`{|}~.") && domain.split('.').all(|label| is_part(label, "-"))
        })
}

/// Whether it can be an id of a mail, and breaks no line.
fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte))
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
