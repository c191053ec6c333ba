//! Mail (SMTP, RFC 5321) to the address that is a member's handle in their community. Not over HTTP, and so not through
//! the egress client: the server is the operator's, named in the configuration, and no other is ever called.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use uuid::Uuid;

use super::MessageError;

/// How the connection to the mail server is kept from others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, and no mail without it.
    StartTls,
    /// Not at all: a server on this machine, or for tests.
    None,
}

/// How a community's mail leaves.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The mail server.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: Security,
    /// Who signs in there, and with what.
    pub credentials: Option<(String, SecretString)>,
    /// From whom it is.
    pub from: Mailbox,
    /// How long one mail may take, from the connection to the server's last word.
    pub within: Duration,
}

/// Nobody's holiday notice shall answer (RFC 3834, section 5).
#[derive(Clone)]
enum AutoSubmitted {
    /// Nobody wrote it.
    Generated,
    /// It answers a mail.
    Replied,
}

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::Generated)
    }

    fn display(&self) -> HeaderValue {
        let how = match self {
            Self::Generated => "auto-generated",
            Self::Replied => "auto-replied",
        };
        HeaderValue::new(Self::name(), how.to_owned())
    }
}

/// A mail. Personal.
pub struct MailLetter<'a> {
    /// Its id: the same however often it is tried.
    pub id: Uuid,
    /// When it is sent.
    pub at: Timestamp,
    /// To whom.
    pub to: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// What it says.
    pub text: &'a str,
    /// If it is an answer: the mails that it answers, by their ids, the last one last (RFC 5322, section 3.6.4).
    pub answers: Option<&'a [&'a str]>,
}

impl MailSettings {
    /// Sends a letter as plain text.
    ///
    /// # Errors
    /// [`MessageError`]. Whether it arrived nevertheless is not always known.
    pub async fn send(&self, letter: MailLetter<'_>) -> Result<(), MessageError> {
        // As a server would answer to what is no address (RFC 5321, section 4.2.3).
        let to: Mailbox = letter.to.parse().map_err(|_| MessageError::Gone(553))?;
        let at = Duration::from_secs(u64::try_from(letter.at.as_second()).unwrap_or_default());
        let mail = lettre::Message::builder()
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .date(SystemTime::UNIX_EPOCH + at)
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject)
            .header(if letter.answers.is_some() { AutoSubmitted::Replied } else { AutoSubmitted::Generated })
            .header(ContentType::TEXT_PLAIN);
        let mail = match letter.answers {
            Some(before @ [.., last]) => mail.in_reply_to((*last).to_owned()).references(before.join(" ")),
            _ => mail,
        };
        let mail = mail.body(letter.text.to_owned()).map_err(|_| MessageError::Mail("the mail cannot be written"))?;
        // lettre has a limit for the connection only: a server that takes it and then says nothing would be waited for for ever.
        match timeout(self.within, transport(self)?.send(mail)).await {
            Ok(sent) => sent.map(drop).map_err(|error| failure(&error)),
            Err(_) => Err(MessageError::Mail("timeout")),
        }
    }
}

fn transport(settings: &MailSettings) -> Result<AsyncSmtpTransport<Tokio1Executor>, MessageError> {
    let parameters =
        || TlsParameters::new(settings.server.clone()).map_err(|_| MessageError::Mail("TLS cannot be set up"));
    let tls = match settings.security {
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::StartTls => Tls::Required(parameters()?),
        Security::None => Tls::None,
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.server.as_str())
        .port(settings.port)
        .tls(tls)
        .timeout(Some(settings.within))
        .hello_name(ClientId::Domain(settings.from.email.domain().to_owned()));
    let builder = match &settings.credentials {
        None => builder,
        Some((user, password)) => {
            builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()))
        }
    };
    Ok(builder.build())
}

/// What servers answer that have no such mailbox (RFC 5321, section 4.2.3). Others that refuse for good, such as a wrong
/// password, have nothing to do with the member.
const NO_MAILBOX: [u16; 3] = [550, 551, 553];

fn failure(error: &lettre::transport::smtp::Error) -> MessageError {
    let status = error.status().map(u16::from).filter(|status| NO_MAILBOX.contains(status));
    status.map_or_else(|| MessageError::Mail(cause(error)), MessageError::Gone)
}

/// The kind of failure; a server's own words may quote the address.
fn cause(error: &lettre::transport::smtp::Error) -> &'static str {
    match () {
        () if error.is_permanent() => "it refused the mail",
        () if error.is_transient() => "it does not take the mail at present",
        () if error.is_timeout() => "timeout",
        () if error.is_tls() => "tls",
        () => "no connection, or no answer that is SMTP",
    }
}
