//! How often something may be tried, for each who tries it: counted in this process, by the bridge's own clock.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::HttpRequest;
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::domain::clock::Clock;

/// From so many keys on, those that have not been seen for long are forgotten.
const MANY: usize = 10_000;

/// A limit for each `K`.
pub struct Limit<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, Hands, NoOpMiddleware<Duration>>,
}

/// The bridge's clock, as the limiter reads it.
#[derive(Clone)]
struct Hands(Clock);

impl GovernorClock for Hands {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let micros = u64::try_from(self.0.now().as_microsecond()).unwrap_or_default();
        Duration::from_micros(micros)
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    /// So many at once, and one more each time `every` has passed.
    #[must_use]
    pub fn new(at_once: NonZeroU32, every: Duration, clock: Clock) -> Self {
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(at_once)).allow_burst(at_once);
        Self { limiter: RateLimiter::new(quota, DashMapStateStore::default(), Hands(clock)) }
    }

    /// Counts a try.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn check(&self, key: &K) -> Result<(), Duration> {
        if self.limiter.len() > MANY {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(self.limiter.clock().now()))
    }
}

impl<K: Hash + Eq + Clone> std::fmt::Debug for Limit<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Limit(..)")
    }
}

/// Who is calling, as far as limits go: the address of the connection, or what the operator's own proxy says, and then
/// the last address only, because those before it come from the caller. An IPv6 caller has a whole /64.
#[must_use]
pub fn caller(request: &HttpRequest, header: Option<&str>) -> IpAddr {
    let named = header.and_then(|name| {
        let value = request.headers().get_all(name).last()?.to_str().ok()?;
        value.rsplit(',').next()?.trim().parse().ok()
    });
    let address = match header {
        None => request.peer_addr().map(|peer| peer.ip()),
        // A request that did not come through the proxy, or a proxy that says nothing: all of them share one limit.
        Some(_) => named,
    };
    network(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        },
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::domain::clock::ManualClock;

    #[test]
    fn so_many_at_once_and_one_more_in_time() {
        let clock = ManualClock::new(Timestamp::from_second(1_700_000_000).unwrap());
        let limit = Limit::new(NonZeroU32::new(2).unwrap(), Duration::from_mins(1), Clock::Manual(clock.clone()));
        assert!(limit.check(&1).is_ok() && limit.check(&1).is_ok());
        assert!(limit.check(&1).is_err_and(|wait| wait <= Duration::from_mins(1)));
        assert!(limit.check(&2).is_ok(), "another one's tries are their own");
        clock.advance(SignedDuration::from_mins(1));
        assert!(limit.check(&1).is_ok() && limit.check(&1).is_err());
    }

    #[test]
    fn a_caller_cannot_say_who_they_are() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let request = TestRequest::default()
            .peer_addr("192.0.2.1:1".parse().unwrap())
            .insert_header(("X-Forwarded-For", "198.51.100.7, 203.0.113.9"))
            .to_http_request();
        assert_eq!(caller(&request, None), address("192.0.2.1"));
        assert_eq!(caller(&request, Some("X-Forwarded-For")), address("203.0.113.9"), "what the proxy added");
        assert_eq!(caller(&request, Some("X-Real-IP")), address("::"), "not through the proxy");
        let request = TestRequest::default().peer_addr("[2001:db8:1:2:3::4]:1".parse().unwrap()).to_http_request();
        assert_eq!(caller(&request, None), address("2001:db8:1:2::"));
    }
}
