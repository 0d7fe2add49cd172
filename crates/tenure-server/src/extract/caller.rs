//! Who is calling, as far as the network tells.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::HeaderMap;
use http::header::USER_AGENT;
use http::request::Parts;
use ipnet::IpNet;
use tenure_core::lineage::Device;
use tower_http::request_id::RequestId;

use crate::state::Shared;

/// The network and program that a request comes from.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// /24 of IPv4, /48 of IPv6: enough to limit by, too coarse to follow a person.
    pub(crate) network: IpNet,
    pub(crate) user_agent: Option<String>,
    pub(crate) request_id: Option<RequestId>,
}

impl Caller {
    /// `X-Request-Id` of this request.
    pub(crate) fn request_id(&self) -> Option<String> {
        let id = self.request_id.as_ref()?.header_value();
        id.to_str().ok().map(str::to_owned)
    }

    /// What a session list shows of it.
    pub(crate) fn device(&self, label: Option<String>) -> Device {
        Device {
            label,
            ip_prefix: Some(self.network.to_string()),
            user_agent: self.user_agent.clone(),
        }
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        let config = state.config.load();
        let address = origin(peer, &parts.headers, &config.trusted_proxies);
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok());
        Ok(Self {
            network: network(address),
            user_agent: user_agent.map(|text| text.chars().take(200).collect()),
            request_id: parts.extensions.get::<RequestId>().cloned(),
        })
    }
}

/// Walks `X-Forwarded-For` from the right for as long as the hop before is a declared proxy.
fn origin(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut address = peer.to_canonical();
    if !is_trusted(address) {
        return address;
    }
    let forwarded = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = forwarded.flat_map(|list| list.split(',')).collect();
    for hop in hops.iter().rev() {
        let Ok(hop) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        address = hop.to_canonical();
        if !is_trusted(address) {
            break;
        }
    }
    address
}

fn network(address: IpAddr) -> IpNet {
    let bits = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, bits).map_or_else(|_| IpNet::from(address), |network| network.trunc())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::HeaderMap;

    use super::{network, origin};

    fn seen(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let trusted: Vec<_> = trusted
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        origin(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_declared_hops_are_believed() {
        assert_eq!(seen("203.0.113.9", "198.51.100.1", &[]), "203.0.113.9");
        assert_eq!(
            seen("10.0.0.1", "198.51.100.1", &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(
            seen("10.0.0.1", "1.1.1.1, 198.51.100.1", &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(
            seen("10.0.0.1", "198.51.100.1, 10.2.2.2", &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(seen("10.0.0.1", "garbage", &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn the_host_part_is_cut_off() {
        let of = |text: &str| network(text.parse::<IpAddr>().unwrap()).to_string();
        assert_eq!(of("198.51.100.77"), "198.51.100.0/24");
        assert_eq!(of("2001:db8:1:2::3"), "2001:db8:1::/48");
    }
}
