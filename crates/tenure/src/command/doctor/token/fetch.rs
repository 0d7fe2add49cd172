//! Keys and metadata from the issuer.

use serde_json::Value;
use tenure_core::time::Timestamp;
use tenure_doctor::probe::{Live, Options, Probe, Request, Wire};
use tenure_server::Clock;
use url::Url;

use crate::command::doctor::gathered::Gathered;
use crate::failure::Failure;

/// Whether it is fetched, not read.
pub(super) fn is_url(place: &str) -> bool {
    place.starts_with("https://") || place.starts_with("http://")
}

/// Fetches a key set, or metadata and the key set that it names.
pub(super) async fn fetch(
    place: &str,
    is_discovery: bool,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    let wire = Live::new(Options::default(), now).map_err(Failure::Usage)?;
    let url: Url = place
        .parse()
        .map_err(|error| Failure::Usage(format!("{place} is no URL: {error}")))?;
    if !is_discovery {
        get(&wire, Probe::Jwks, url, gathered).await;
        return Ok(());
    }
    let metadata = get(&wire, Probe::Discovery, url, gathered).await;
    let keys = metadata
        .as_ref()
        .and_then(|metadata| metadata.get("jwks_uri")?.as_str()?.parse().ok());
    if let Some(url) = keys {
        get(&wire, Probe::Jwks, url, gathered).await;
    }
    Ok(())
}

/// One request; its answer is evidence, whatever it is.
async fn get(wire: &Live, probe: Probe, url: Url, gathered: &mut Gathered) -> Option<Value> {
    let request = Request {
        method: "GET".to_owned(),
        url,
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: Vec::new(),
        to: None,
    };
    let exchange = wire.send(probe, request).await;
    let answer = exchange.result.as_ref().ok();
    let value = answer.and_then(|answer| serde_json::from_str(&answer.body).ok());
    gathered.inputs.exchanges.push(exchange);
    value
}

fn now() -> Timestamp {
    Clock::system().host()
}
