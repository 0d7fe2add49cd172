//! What is asked of a deployment. Nothing that is asked changes anything.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use url::Url;

use crate::exchange::{Answer, Exchange};
use crate::probe::{Probe, Request, Wire};

/// An origin that no deployment knows.
pub(super) const STRANGER: &str = "https://doctor.invalid";
/// More addresses than this are not asked one by one.
const MOST_ADDRESSES: usize = 8;

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// The issuer's metadata.
    Discovery,
    /// The same, with `X-Forwarded-Host` and `X-Forwarded-Proto` of somebody else.
    Forwarded,
    /// The public keys.
    Jwks,
    /// Whether the service is ready, and on what it runs.
    Ready,
    /// A protected route without a token.
    Bare,
    /// The same with a token that is none.
    Garbage,
    /// A path that does not exist.
    Nowhere,
    /// What a browser asks before it sends a token request from a page of nobody's.
    Stranger,
    /// What it asks for a page of the app.
    Origin,
    /// The metadata at one address of several.
    DiscoveryAt(IpAddr),
    /// The keys at one address of several.
    JwksAt(IpAddr),
}

impl Route {
    fn path(self) -> &'static str {
        match self {
            Self::Discovery | Self::Forwarded | Self::DiscoveryAt(_) => {
                "/.well-known/openid-configuration"
            }
            Self::Jwks | Self::JwksAt(_) => "/oauth2/jwks",
            Self::Ready => "/health/ready",
            Self::Bare | Self::Garbage => "/oauth2/userinfo",
            Self::Nowhere => "/doctor/there-is-no-such-path",
            Self::Stranger | Self::Origin => "/oauth2/token",
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Stranger | Self::Origin => "OPTIONS",
            _ => "GET",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method(), self.path())?;
        match self {
            Self::DiscoveryAt(address) | Self::JwksAt(address) => write!(f, " at {address}"),
            _ => Ok(()),
        }
    }
}

/// The answers of a deployment.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The URL that was asked, without a slash at the end.
    pub base: String,
    /// The app's origin, where one was given.
    pub origin: Option<String>,
    /// What was asked and what came, in order.
    pub answers: Vec<(Route, Exchange)>,
}

impl Looked {
    /// The answer to a question, where one came.
    pub fn answer(&self, route: Route) -> Option<&Answer> {
        let (_, exchange) = self.answers.iter().find(|(of, _)| *of == route)?;
        exchange.result.as_ref().ok()
    }
}

/// It has to be the URL of a service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the service's URL, as in https://auth.example.com")]
pub struct NotAnAddress;

/// Asks a deployment everything, one question after another.
///
/// # Errors
/// When `url` is no address of HTTP, or holds more than an address: a password, a query.
pub async fn look(
    wire: &dyn Wire,
    url: &str,
    origin: Option<&str>,
) -> Result<Looked, NotAnAddress> {
    let base = address(url)?;
    let mut looked = Looked::new(url, origin);
    let mut routes = vec![
        Route::Discovery,
        Route::Forwarded,
        Route::Jwks,
        Route::Ready,
        Route::Bare,
        Route::Garbage,
        Route::Nowhere,
        Route::Stranger,
    ];
    routes.extend(origin.map(|_| Route::Origin));
    for route in routes {
        looked.ask(wire, route, None).await;
    }
    let port = base.port_or_known_default().unwrap_or(443);
    let host = base.host_str().unwrap_or_default();
    let addresses = wire.addresses(host, port).await;
    // One address has been asked already.
    if addresses.len() > 1 {
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            let to = Some(SocketAddr::new(address, port));
            looked.ask(wire, Route::DiscoveryAt(address), to).await;
            looked.ask(wire, Route::JwksAt(address), to).await;
        }
    }
    Ok(looked)
}

/// Asks a deployment, or any issuer, these questions only.
///
/// # Errors
/// As [`look`] does.
pub async fn ask(wire: &dyn Wire, url: &str, routes: &[Route]) -> Result<Looked, NotAnAddress> {
    address(url)?;
    let mut looked = Looked::new(url, None);
    for route in routes {
        looked.ask(wire, *route, None).await;
    }
    Ok(looked)
}

fn address(url: &str) -> Result<Url, NotAnAddress> {
    let base = Url::parse(url).map_err(|_| NotAnAddress)?;
    let web = matches!(base.scheme(), "http" | "https") && base.host_str().is_some();
    let anonymous = base.username().is_empty() && base.password().is_none();
    if !web || !anonymous || base.query().is_some() || base.fragment().is_some() {
        return Err(NotAnAddress);
    }
    Ok(base)
}

impl Looked {
    fn new(url: &str, origin: Option<&str>) -> Self {
        Self {
            base: url.trim_end_matches('/').to_owned(),
            origin: origin.map(str::to_owned),
            answers: Vec::new(),
        }
    }

    async fn ask(&mut self, wire: &dyn Wire, route: Route, to: Option<SocketAddr>) {
        let Some(url) = self.url(route) else { return };
        let headers = self.headers(route).into_iter();
        let request = Request {
            method: route.method().to_owned(),
            url,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: Vec::new(),
            to,
        };
        // The wire keeps the whole body of metadata.
        let exchange = wire.send(Probe::Discovery, request).await;
        self.answers.push((route, exchange));
    }

    /// Keys are where the metadata says, as long as that is the same service.
    fn url(&self, route: Route) -> Option<Url> {
        let here = Url::parse(&format!("{}{}", self.base, route.path())).ok()?;
        let stated = || {
            let metadata: Value =
                serde_json::from_str(&self.answer(Route::Discovery)?.body).ok()?;
            Url::parse(metadata.get("jwks_uri")?.as_str()?).ok()
        };
        match route {
            Route::Jwks | Route::JwksAt(_) => stated()
                .filter(|url| url.origin() == here.origin())
                .or(Some(here)),
            _ => Some(here),
        }
    }

    fn headers(&self, route: Route) -> Vec<(&str, &str)> {
        const JSON: (&str, &str) = ("accept", "application/json");
        let preflight = |origin| {
            vec![
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "content-type"),
            ]
        };
        match route {
            Route::Forwarded => vec![
                JSON,
                ("x-forwarded-host", "doctor.invalid"),
                ("x-forwarded-proto", "http"),
            ],
            Route::Garbage => vec![JSON, ("authorization", "Bearer x")],
            Route::Stranger => preflight(STRANGER),
            Route::Origin => preflight(self.origin.as_deref().unwrap_or_default()),
            _ => vec![JSON],
        }
    }
}
