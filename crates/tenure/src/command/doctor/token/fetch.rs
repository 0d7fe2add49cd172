//! Keys and metadata from the issuer.

use serde_json::Value;
use tenure_doctor::probe::{Live, Options, Probe, Request, Wire, may_name};
use tenure_doctor::{Clue, Source};
use url::Url;

use crate::command::doctor::address::address;
use crate::command::doctor::gathered::Gathered;
use crate::command::doctor::wire::wire;
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
    let wire = wire(Options::default())?;
    if !is_discovery {
        get(&wire, Probe::Jwks, address(place, "--jwks")?, gathered).await;
        return Ok(());
    }
    let issuer = address(place, "--discovery")?;
    let metadata = get(&wire, Probe::Discovery, issuer.clone(), gathered).await;
    let keys: Option<Url> = metadata
        .as_ref()
        .and_then(|metadata| metadata.get("jwks_uri")?.as_str()?.parse().ok());
    match keys {
        Some(url) if may_name(&issuer, &url) => {
            get(&wire, Probe::Jwks, url, gathered).await;
        }
        Some(_) => gathered.unread.push(Clue::new(
            "the keys that the metadata names are not fetched: their `jwks_uri` is no https:// name, nor at the \
             issuer's host; give it by --jwks if it is yours",
            Source::Probe(Probe::Discovery),
        )),
        None => {}
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
