//! Sends every probe that a job makes possible and prints the exchanges, raw: for throwaway tokens only.
//!
//! A job is JSON on standard input: the members of [`Subject`], and `ca` (a PEM file), `resolve`
//! (`{"host:port": ["ip:port"]}`), `issuer` (short for `target.issuer`), `only` (names of probes, in the
//! order in which they are sent), `refreshes`, `timeout_s`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value};
use tenure_core::time::Timestamp;
use tenure_doctor::exchange::Exchange;
use tenure_doctor::probe::{self, Live, Options, Probe, Subject, Wire as _};

type Failed = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let mut job: Map<String, Value> = serde_json::from_str(&text)?;
    let options = options(&mut job)?;
    let only: Option<Vec<Probe>> = taken(&mut job, "only")?;
    let refreshes: u8 = taken(&mut job, "refreshes")?.unwrap_or(2);
    if let Some(issuer) = job.remove("issuer")
        && let Some(Value::Object(target)) = job.get_mut("target")
    {
        target.insert("issuer".to_owned(), issuer);
    }
    let subject: Subject = serde_json::from_value(Value::Object(job))?;
    let wire = Live::new(options, now)?;
    let probes = match only {
        Some(probes) => probes,
        None => probe::set(&subject, &addresses(&wire, &subject).await, refreshes),
    };
    let mut exchanges: Vec<Exchange> = Vec::new();
    for probe in probes {
        if let Some(request) = probe::request(probe, &subject, &exchanges) {
            exchanges.push(wire.send(probe, request).await);
        }
    }
    serde_json::to_writer_pretty(std::io::stdout(), &exchanges)?;
    Ok(())
}

fn options(job: &mut Map<String, Value>) -> Result<Options, Failed> {
    let ca: Option<String> = taken(job, "ca")?;
    let resolve: Option<BTreeMap<String, Vec<SocketAddr>>> = taken(job, "resolve")?;
    let timeout: Option<u64> = taken(job, "timeout_s")?;
    let host = |name: String| {
        name.rsplit_once(':')
            .map_or(name.clone(), |(host, _)| host.to_owned())
    };
    Ok(Options {
        timeout: Duration::from_secs(timeout.unwrap_or(10)),
        ca: ca.map(std::fs::read).transpose()?,
        resolve: resolve
            .unwrap_or_default()
            .into_iter()
            .map(|(name, addresses)| (host(name), addresses))
            .collect(),
    })
}

fn taken<T: serde::de::DeserializeOwned>(
    job: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>, Failed> {
    let found = job.remove(name).filter(|value| !value.is_null());
    Ok(found.map(serde_json::from_value).transpose()?)
}

/// Those of a name that has several.
async fn addresses(wire: &Live, subject: &Subject) -> Vec<IpAddr> {
    let Ok(url) = url::Url::parse(&subject.target.url) else {
        return Vec::new();
    };
    match (url.domain(), url.port_or_known_default()) {
        (Some(host), Some(port)) => wire.addresses(host, port).await,
        _ => Vec::new(),
    }
}

fn now() -> Timestamp {
    Timestamp(UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()))
}
