//! The service's metadata (OpenID Connect Discovery 1.0, RFC 8414).

use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use tenure_core::outcome::Trouble;
use tenure_core::secret::is_blank;
use tenure_core::session::Provider;
use url::Url;

use crate::config::endpoint;
use crate::{Config, Error};

/// Metadata documents are a few kilobytes; tokens, too.
pub(crate) const LONGEST_ANSWER: usize = 256 * 1024;

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: Option<String>,
    authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    tenure_rotation: Option<String>,
}

/// Where the endpoints are, if the adapter knows without asking.
pub(crate) fn fixed(config: &Config) -> Option<Provider> {
    config.endpoint.provider(&config.issuer, &config.client_id)
}

/// Fetches and checks the metadata of `config`'s issuer, unless its endpoints are fixed.
pub(crate) async fn discover(config: &Config) -> Result<Provider, Error> {
    if let Some(provider) = fixed(config) {
        return Ok(provider);
    }
    let (metadata, issuer) = metadata(config).await?;
    provider(metadata, &issuer, config)
}

/// The same, with the device authorization endpoint (RFC 8628 section 4), which is needed at sign-in
/// only and not kept.
pub(crate) async fn discover_device(config: &Config) -> Result<(Provider, String), Error> {
    let missing = || {
        let issuer = &config.issuer;
        Error::Misconfigured(format!("{issuer} names no device authorization endpoint"))
    };
    if fixed(config).is_some() {
        return Err(missing());
    }
    let (mut metadata, issuer) = metadata(config).await?;
    let endpoint = metadata.device_authorization_endpoint.take();
    let endpoint = endpoint.filter(|url| !is_blank(url)).ok_or_else(missing)?;
    let endpoint = trusted(endpoint, &issuer, config)?;
    Ok((provider(metadata, &issuer, config)?, endpoint))
}

async fn metadata(config: &Config) -> Result<(Metadata, Url), Error> {
    let issuer = endpoint(&config.issuer)?;
    let openid = format!("{}/.well-known/openid-configuration", config.issuer);
    let mut answer = fetch(config, &openid).await?;
    if answer.status() == StatusCode::NOT_FOUND {
        answer = fetch(config, &authorization_server(&issuer)).await?;
    }
    if !answer.status().is_success() {
        return Err(Trouble::Status(answer.status().as_u16()).into());
    }
    let metadata = serde_json::from_slice(answer.body()).map_err(|_| Trouble::Unintelligible)?;
    Ok((metadata, issuer))
}

/// RFC 8414 section 3.1: the well-known part comes in front of the issuer's path.
fn authorization_server(issuer: &Url) -> String {
    let mut url = issuer.clone();
    let path = issuer.path().trim_end_matches('/');
    url.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    url.into()
}

async fn fetch(config: &Config, url: &str) -> Result<Response<Bytes>, Error> {
    let request = Request::get(url)
        .header(ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|error| Error::Misconfigured(format!("{url}: {error}")))?;
    Ok(config.transport.send(request, LONGEST_ANSWER).await?)
}

/// The issuer must be the one that was asked (Discovery section 4.3), or the metadata of one
/// service could send tokens to another.
fn provider(metadata: Metadata, issuer: &Url, config: &Config) -> Result<Provider, Error> {
    if metadata.issuer.trim_end_matches('/') != config.issuer {
        let (asked, says) = (&config.issuer, &metadata.issuer);
        let mismatch = format!("{asked} says it is {says}");
        return Err(Error::Misconfigured(mismatch));
    }
    let checked = |url: Option<String>| {
        let url = url.filter(|url| !is_blank(url));
        url.map(|url| trusted(url, issuer, config)).transpose()
    };
    let missing = || Error::Misconfigured(format!("{issuer} names no token endpoint"));
    Ok(Provider {
        authorization_endpoint: checked(metadata.authorization_endpoint)?,
        token_endpoint: checked(metadata.token_endpoint)?.ok_or_else(missing)?,
        revocation_endpoint: checked(metadata.revocation_endpoint)?,
        issuer: metadata.issuer,
        client_id: config.client_id.clone(),
        names_issuer: metadata.authorization_response_iss_parameter_supported,
        retire_on_use: metadata.tenure_rotation.as_deref() == Some("retire_on_use"),
        fetched: config.clock.wall(),
    })
}

fn trusted(url: String, issuer: &Url, config: &Config) -> Result<String, Error> {
    if config.endpoint.trusts(issuer, &endpoint(&url)?) {
        return Ok(url);
    }
    let elsewhere = format!("{issuer} names an endpoint at another origin: {url} (OAuth2::trust?)");
    Err(Error::Misconfigured(elsewhere))
}
