//! Egress: the one way out of the house. Named hosts only, no redirects, no waiting for ever, no endless answers.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use reqwest::{StatusCode, Url};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How long a connection may take to open: so long, and never more than half of what the whole request may take. A
/// request that ran out of time before it was sent must not look as if it might have arrived.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where calls may go.
#[derive(Clone, Debug)]
pub struct EgressPolicy {
    /// Hosts that may be called: those the configuration names, and no others. One that begins with a dot stands for all
    /// hosts whose names end so.
    pub hosts: BTreeSet<String>,
    /// Whether those hosts may stand in private address ranges.
    pub private_networks: bool,
    /// The longest a request may take from its first byte to the last byte of its answer.
    pub timeout: Duration,
}

impl EgressPolicy {
    /// Whether a host may be called.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        self.hosts.contains(host) || self.hosts.iter().any(|named| named.starts_with('.') && host.ends_with(named))
    }
}

/// Sends requests. Cheap to clone; connections are pooled.
#[derive(Clone, Debug)]
pub struct Egress {
    client: reqwest::Client,
    policy: Arc<EgressPolicy>,
    simulated: Option<Arc<dyn Transport>>,
}

/// A world in place of the network: for simulations, in which every order of events can be had and repeated.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Carries a request to where it is meant to go, and its answer back.
    fn carry(&self, request: reqwest::Request) -> BoxFuture<'static, Result<Answer, EgressError>>;
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// HTTP headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer. What matters is whether the request may have arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EgressError {
    /// The policy forbids this address; nothing was sent.
    #[error("egress-refused")]
    Refused,
    /// No connection; nothing was sent.
    #[error("no-connection")]
    NoConnection,
    /// There was no time left to begin; nothing was sent.
    #[error("too-late")]
    TooLate,
    /// The other side could not prove who it is (TLS); nothing was sent.
    #[error("tls")]
    Tls,
    /// The request may have arrived, but its answer did not.
    #[error("no-answer")]
    NoAnswer,
    /// As [`EgressError::NoAnswer`], because time ran out.
    #[error("timeout")]
    Timeout,
    /// The answer was longer than is read.
    #[error("answer-too-long")]
    AnswerTooLong,
}

impl EgressError {
    /// Whether the request certainly never arrived.
    #[must_use]
    pub const fn never_sent(self) -> bool {
        matches!(self, Self::Refused | Self::TooLate | Self::NoConnection | Self::Tls)
    }
}

impl Egress {
    /// A way out under this policy.
    ///
    /// # Errors
    /// [`EgressError::Refused`] when TLS cannot be set up.
    #[expect(clippy::disallowed_methods, reason = "this is the one place where calls leave the house")]
    pub fn new(policy: EgressPolicy) -> Result<Self, EgressError> {
        let policy = Arc::new(policy);
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // A request that was perhaps sent is never sent again by a library: only the outbox decides that.
            .retry(reqwest::retry::never())
            .timeout(policy.timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(policy.timeout / 2))
            .dns_resolver(Arc::new(GuardedResolver { private_networks: policy.private_networks }))
            .no_proxy()
            .referer(false)
            .user_agent(concat!("mostik/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| EgressError::Refused)?;
        Ok(Self { client, policy, simulated: None })
    }

    /// The same way out, into a simulated world.
    #[must_use]
    pub fn into_simulation(self, world: Arc<dyn Transport>) -> Self {
        Self { simulated: Some(world), ..self }
    }

    /// A request builder of the pooled client, to be handed to [`Egress::send`].
    pub fn request(&self, method: reqwest::Method, url: Url) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// # Errors
    /// [`EgressError`], which says whether the request may have arrived. It never holds the URL.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, EgressError> {
        let request = request.build().map_err(|_| EgressError::Refused)?;
        self.check(request.url())?;
        if let Some(world) = &self.simulated {
            return world.carry(request).await;
        }
        let mut response = self.client.execute(request).await.map_err(|error| classify(&error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| after_sending(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(EgressError::AnswerTooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }

    fn check(&self, url: &Url) -> Result<(), EgressError> {
        let host = url.host_str().ok_or(EgressError::Refused)?;
        if !matches!(url.scheme(), "http" | "https") || !self.policy.names(host) {
            return Err(EgressError::Refused);
        }
        // A literal address never passes through the resolver.
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !self.policy.private_networks && !is_public(address) => Err(EgressError::Refused),
            _ => Ok(()),
        }
    }
}

fn classify(error: &reqwest::Error) -> EgressError {
    match error.is_connect() {
        true if is_tls(error) => EgressError::Tls,
        true => EgressError::NoConnection,
        false => after_sending(error),
    }
}

/// Whether TLS is among the causes. An I/O error shows the error within it by `get_ref` only, and may stand in another.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        cause = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(within) => Some(within),
            None => error.source(),
        };
    }
    false
}

fn after_sending(error: &reqwest::Error) -> EgressError {
    if error.is_timeout() { EgressError::Timeout } else { EgressError::NoAnswer }
}

/// Resolves names, and drops private addresses unless they are allowed: a name under somebody else's control must not
/// lead into the clinic's own network.
struct GuardedResolver {
    private_networks: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private_networks = self.private_networks;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| private_networks || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err("no address that may be called".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet (IANA special-purpose address registries, RFC 6890).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 224;
    !special
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    // Global unicast is 2000::/3; documentation, 6to4 and Teredo within it lead elsewhere.
    let [a, b, ..] = v6.segments();
    let special = (a == 0x2001 && (b == 0xdb8 || b == 0)) || a == 0x2002;
    (a & 0xe000) == 0x2000 && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(hosts: &[&str], private_networks: bool) -> Egress {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        Egress::new(EgressPolicy { hosts, private_networks, timeout: Duration::from_secs(1) }).unwrap()
    }

    #[tokio::test]
    async fn only_named_hosts_are_called() {
        let egress = egress(&["ehr.example"], true);
        for url in ["http://other.example/", "http://ehr.example.evil/", "ftp://ehr.example/", "http://127.0.0.1:1/"] {
            let request = egress.request(reqwest::Method::GET, Url::parse(url).unwrap());
            assert_eq!(egress.send(request).await.unwrap_err(), EgressError::Refused, "{url}");
        }
    }

    #[test]
    fn a_name_that_begins_with_a_dot_stands_for_those_that_end_so() {
        let hosts = ["ehr.example", ".push.example"].map(str::to_owned).into();
        let policy = EgressPolicy { hosts, private_networks: false, timeout: Duration::from_secs(1) };
        assert!(policy.names("ehr.example") && policy.names("eu.push.example") && policy.names("a.b.push.example"));
        for other in ["push.example", "evilpush.example", "eu.push.example.evil", "a.ehr.example"] {
            assert!(!policy.names(other), "{other}");
        }
    }

    #[tokio::test]
    async fn private_addresses_are_refused_unless_configured() {
        for host in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0"] {
            let egress = egress(&[host], false);
            let request = egress.request(reqwest::Method::GET, Url::parse(&format!("http://{host}:9/")).unwrap());
            assert_eq!(egress.send(request).await.unwrap_err(), EgressError::Refused, "{host}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_into_a_private_network_is_refused() {
        let egress = egress(&["localhost"], false);
        let request = egress.request(reqwest::Method::GET, Url::parse("http://localhost:9/").unwrap());
        assert!(egress.send(request).await.unwrap_err().never_sent());
    }

    #[test]
    fn public_addresses_are_public() {
        for public in ["8.8.8.8", "192.1.1.1", "2606:4700::1111"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for special in
            ["100.64.0.1", "198.18.0.1", "224.0.0.1", "fe80::1", "fd00::1", "::", "2001:db8::1", "2002:a00::1"]
        {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }
}
