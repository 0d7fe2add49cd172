//! Real requests.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response};
use tenure_core::time::Timestamp;

use super::failure::classify;
use super::{Probe, Request};
use crate::exchange::{Answer, Exchange, Failure};

/// What sends a probe's request.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Sends it and waits for the answer.
    async fn send(&self, probe: Probe, request: Request) -> Exchange;

    /// The addresses of a host.
    async fn addresses(&self, host: &str, port: u16) -> Vec<IpAddr>;
}

/// Sends over the network: one connection for each request, redirects and cookies left alone, bodies as
/// they come.
pub struct Live {
    options: Options,
    client: Client,
    clock: fn() -> Timestamp,
}

/// How [`Live`] sends.
#[derive(Clone, Debug)]
pub struct Options {
    /// Until the header of the answer is there; as long again, but two seconds at most, for the body.
    pub timeout: Duration,
    /// Certificates (PEM) that are trusted besides those of the system.
    pub ca: Option<Vec<u8>>,
    /// Addresses in place of a name's own: host, then addresses with their ports.
    pub resolve: Vec<(String, Vec<SocketAddr>)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            ca: None,
            resolve: Vec::new(),
        }
    }
}

impl Live {
    /// `clock` tells the doctor's time.
    ///
    /// # Errors
    /// In a sentence, where the certificates cannot be read.
    pub fn new(options: Options, clock: fn() -> Timestamp) -> Result<Self, String> {
        let client = builder(&options)?
            .build()
            .map_err(|error| format!("cannot send requests: {error}"))?;
        Ok(Self {
            options,
            client,
            clock,
        })
    }

    /// How the request gets to the address that it is for.
    fn route(&self, request: &Request) -> Result<Route, Failure> {
        let mut route = Route {
            client: self.client.clone(),
            url: request.url.clone(),
            host: None,
        };
        let Some(to) = request.to else {
            return Ok(route);
        };
        let mut builder = builder(&self.options).map_err(Failure::Malformed)?;
        let name = request.url.domain();
        match name {
            Some(name) => builder = builder.resolve(name, to),
            // Literal addresses are not resolved, so that a pin to another one goes into the URL.
            None => route
                .url
                .set_ip_host(to.ip())
                .map_err(|()| malformed("the host"))?,
        }
        // reqwest prefers a port in the URL to that of a pin.
        if name.is_none() || request.url.port().is_some() {
            let port = Some(to.port());
            route
                .url
                .set_port(port)
                .map_err(|()| malformed("the port"))?;
        }
        if route.url != request.url {
            route.host = Some(authority(&request.url));
            // In HTTP/2 `Host` must not differ from `:authority` (RFC 9113, section 8.3.1).
            builder = builder.http1_only();
        }
        route.client = builder.build().map_err(|_| malformed("the address"))?;
        Ok(route)
    }

    async fn answer(
        &self,
        probe: Probe,
        request: &Request,
    ) -> Result<(Answer, Option<IpAddr>), Failure> {
        let response = self.response(request).await?;
        let address = response.remote_addr().map(|address| address.ip());
        let answer = read(response, kept(probe), self.options.timeout.min(BODY_TIME)).await?;
        Ok((answer, address))
    }

    async fn response(&self, request: &Request) -> Result<Response, Failure> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| malformed("the method"))?;
        let route = self.route(request)?;
        let mut building = route.client.request(method, route.url);
        if let Some(host) = route.host {
            building = building.header("host", host);
        }
        for (name, value) in &request.headers {
            building = building.header(name, value.as_bytes());
        }
        if !request.body.is_empty() {
            building = building.body(request.body.clone());
        }
        let sending = tokio::time::timeout(self.options.timeout, building.send());
        match sending.await {
            Err(_) => Err(Failure::Timeout),
            Ok(result) => result.map_err(|error| classify(&error)),
        }
    }
}

/// Where a request goes; `host` where the URL no longer says it.
struct Route {
    client: Client,
    url: url::Url,
    host: Option<String>,
}

#[async_trait]
impl Wire for Live {
    async fn send(&self, probe: Probe, request: Request) -> Exchange {
        let at = (self.clock)();
        #[expect(
            clippy::disallowed_methods,
            reason = "durations are measured where the wire is"
        )]
        let start = Instant::now();
        let result = self.answer(probe, &request).await;
        let took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (result, address) = match result {
            Ok((answer, address)) => (Ok(answer), address),
            Err(failure) => (Err(failure), None),
        };
        Exchange {
            probe,
            request: request.sent(),
            result,
            at,
            took_ms,
            address: address.or(request.to.map(|to| to.ip())),
        }
    }

    async fn addresses(&self, host: &str, port: u16) -> Vec<IpAddr> {
        let given = self.options.resolve.iter().find(|(name, _)| name == host);
        let mut found: Vec<IpAddr> = match given {
            Some((_, addresses)) => addresses.iter().map(SocketAddr::ip).collect(),
            None => match tokio::net::lookup_host((host, port)).await {
                Ok(addresses) => addresses.map(|address| address.ip()).collect(),
                Err(_) => Vec::new(),
            },
        };
        found.dedup();
        found
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("timeout", &self.options.timeout)
            .finish_non_exhaustive()
    }
}

fn builder(options: &Options) -> Result<ClientBuilder, String> {
    let mut builder = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .pool_max_idle_per_host(0);
    if let Some(pem) = &options.ca {
        let certificates = Certificate::from_pem_bundle(pem)
            .map_err(|error| format!("the CA file has no certificate that can be read: {error}"))?;
        if certificates.is_empty() {
            return Err("the CA file has no certificate".to_owned());
        }
        builder = builder.tls_certs_merge(certificates);
    }
    for (host, addresses) in &options.resolve {
        builder = builder.resolve_to_addrs(host, addresses);
    }
    Ok(builder)
}

fn malformed(text: &str) -> Failure {
    Failure::Malformed(text.to_owned())
}

fn authority(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Documents of an issuer are needed whole; of other bodies the beginning tells.
fn kept(probe: Probe) -> usize {
    match probe {
        Probe::Discovery | Probe::Jwks | Probe::Refresh | Probe::RefreshAgain(_) => {
            Answer::DOCUMENT
        }
        _ => Answer::BODY,
    }
}

/// How long a body may take after its header: streams never end.
const BODY_TIME: Duration = Duration::from_secs(2);

/// A body that goes on and on is an answer all the same; one that breaks off is not.
async fn read(mut response: Response, keep: usize, time: Duration) -> Result<Answer, Failure> {
    let mut answer = Answer {
        status: response.status().as_u16(),
        headers: fields(&response),
        body: String::new(),
        body_bytes: 0,
    };
    let mut body = Vec::new();
    let reading = async {
        while let Some(chunk) = response.chunk().await? {
            answer.body_bytes += chunk.len() as u64;
            body.extend(chunk.iter().take(keep.saturating_sub(body.len())));
            if answer.body_bytes >= Answer::ENOUGH {
                break;
            }
        }
        Ok::<(), reqwest::Error>(())
    };
    if let Ok(Err(error)) = tokio::time::timeout(time, reading).await {
        return Err(classify(&error));
    }
    answer.body = String::from_utf8_lossy(&body).into_owned();
    Ok(answer)
}

fn fields(response: &Response) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}
