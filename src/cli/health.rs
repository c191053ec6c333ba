//! `mostik health`: for containers, which have no other program to ask with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Method, Url};

use crate::config::Config;
use crate::delivery::egress::{Egress, EgressPolicy};

/// The longest a healthy bridge takes to say so.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the bridge that runs with this configuration on this machine whether it can work.
pub async fn health(config: &Config) -> anyhow::Result<()> {
    let address = reachable(config.server.listen);
    let url: Url = format!("http://{address}/readyz").parse()?;
    let hosts = url.host_str().map(str::to_owned).into_iter().collect();
    let egress = Egress::new(EgressPolicy { hosts, private_networks: true, timeout: PATIENCE })?;
    let answer = egress.send(egress.request(Method::GET, url)).await;
    let status = answer.with_context(|| format!("no bridge answers at {address}"))?.status;
    ensure!(status.is_success(), "the bridge at {address} is not ready ({status})");
    println!("ready");
    Ok(())
}

/// Who listens on every address of the machine is also found at its loopback address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
