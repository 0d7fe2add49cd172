//! The service's metadata (OpenID Connect Discovery 1.0, RFC 8414).

use http::Request;
use http::header::ACCEPT;
use serde::Deserialize;
use tenure_core::outcome::Trouble;
use tenure_core::session::Provider;

use crate::config::endpoint;
use crate::{Config, Error};

/// Metadata documents are a few kilobytes; tokens, too.
pub(crate) const LONGEST_ANSWER: usize = 256 * 1024;

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    tenure_rotation: Option<String>,
}

/// Fetches and checks the metadata of `config`'s issuer.
pub(crate) async fn discover(config: &Config) -> Result<Provider, Error> {
    let url = format!("{}/.well-known/openid-configuration", config.issuer);
    let request = Request::get(&url)
        .header(ACCEPT, "application/json")
        .body(bytes::Bytes::new())
        .map_err(|error| Error::Misconfigured(format!("{url}: {error}")))?;
    let answer = config.transport.send(request, LONGEST_ANSWER).await?;
    if !answer.status().is_success() {
        return Err(Trouble::Status(answer.status().as_u16()).into());
    }
    let metadata: Metadata =
        serde_json::from_slice(answer.body()).map_err(|_| Trouble::Unintelligible)?;
    provider(metadata, config)
}

/// The issuer must be the one that was asked (Discovery section 4.3), or the metadata of one
/// service could send tokens to another.
fn provider(metadata: Metadata, config: &Config) -> Result<Provider, Error> {
    if metadata.issuer.trim_end_matches('/') != config.issuer {
        let (asked, says) = (&config.issuer, &metadata.issuer);
        let mismatch = format!("{asked} says it is {says}");
        return Err(Error::Misconfigured(mismatch));
    }
    for url in [
        Some(&metadata.token_endpoint),
        metadata.authorization_endpoint.as_ref(),
        metadata.revocation_endpoint.as_ref(),
    ] {
        url.map(|url| endpoint(url)).transpose()?;
    }
    Ok(Provider {
        issuer: metadata.issuer,
        client_id: config.client_id.clone(),
        authorization_endpoint: metadata.authorization_endpoint,
        token_endpoint: metadata.token_endpoint,
        revocation_endpoint: metadata.revocation_endpoint,
        names_issuer: metadata.authorization_response_iss_parameter_supported,
        retire_on_use: metadata.tenure_rotation.as_deref() == Some("retire_on_use"),
        fetched: config.clock.wall(),
    })
}
