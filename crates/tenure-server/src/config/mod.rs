//! The checked configuration: what the service runs on.
//!
//! A value of these types is valid; [`load`] is where text becomes one, and where every value's
//! source is remembered.

mod client;
mod kinds;
mod load;
mod master;
mod problem;
mod section;
mod sections;
mod setting;
mod source;
mod store;
#[cfg(test)]
mod tests;
mod value;
mod watch;

pub use load::{Flags, Inputs, Loaded, Purpose, load};
pub use problem::{Problem, Rejected};
pub use setting::parse_duration;
pub use source::{Entry, Source, Sources};
pub use watch::{Watch, WatchError};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::{Map, Value};
use tenure_core::id::ClientId;
use tenure_core::lineage::Rules;
use tenure_core::scope::Scope;
use tenure_core::secret::{Secret, sha256};
use tenure_store::Place;

/// Everything the service is told. Sections that a reload may change: [`Config::clients`],
/// [`Config::limits`], [`Config::device`] and [`Config::keys`]; the others need a restart.
#[derive(Clone, Debug)]
pub struct Config {
    /// `iss` of every token and the base of every URL; `http(s)://host[:port][/path]`, no slash at the end.
    pub issuer: String,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Another one for `/metrics` and `/health/ready`, which [`Config::listen`] does not serve then.
    pub monitor_listen: Option<SocketAddr>,
    /// Where the embedded store lives, and what `--dev` makes.
    pub data: PathBuf,
    /// Demo account and clients, a virtual clock, mail on the console; loopback only.
    pub dev: bool,
    /// Certificate chain and key, PEM files.
    pub tls: Option<Tls>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The store.
    pub store: Place,
    /// Seals the keys at rest; at least 32 bytes.
    pub master_secret: Secret,
    /// Signing keys.
    pub keys: KeyConfig,
    /// Where mail goes; none: on the console and in the outbox page with [`Config::dev`], refused otherwise.
    pub smtp: Option<Smtp>,
    /// Rate limits.
    pub limits: Limits,
    /// Device authorizations.
    pub device: DeviceConfig,
    /// How long a browser stays signed in at this server.
    pub browser_lifetime: Duration,
    /// Longest time a request may take.
    pub request_timeout: Duration,
    /// Registered clients.
    pub clients: BTreeMap<ClientId, Arc<Client>>,
}

impl Config {
    /// A registered client.
    pub fn client(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.clients.get(id)
    }

    /// The longest access token of any client: how long a retiring key must verify.
    pub fn longest_access(&self) -> Duration {
        self.clients
            .values()
            .map(|client| client.lifetimes.access)
            .max()
            .unwrap_or_default()
    }

    /// The longest time a refresh token of any client may lie unused and still be good.
    pub fn longest_refresh(&self) -> Duration {
        let living = |client: &Arc<Client>| client.lifetimes.idle.min(client.lifetimes.absolute);
        self.clients.values().map(living).max().unwrap_or_default()
    }
}

/// PEM files of the listener.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Signing keys.
#[derive(Clone, Debug)]
pub struct KeyConfig {
    /// Of the next key made.
    pub algorithm: Algorithm,
    /// How long a key signs.
    pub rotate_every: Duration,
    /// How long a key is published before it signs.
    pub distribute: Duration,
}

/// JWS algorithms that the service signs with (RFC 7518, RFC 8037).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Algorithm {
    /// ECDSA on P-256.
    #[default]
    ES256,
    /// Ed25519.
    EdDSA,
    /// RSASSA-PKCS1-v1_5 with 2048 bits; for verifiers that know nothing else.
    RS256,
}

impl Algorithm {
    /// `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
            Self::RS256 => "RS256",
        }
    }

    /// Reads `alg`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::ES256, Self::EdDSA, Self::RS256]
            .into_iter()
            .find(|one| one.as_str() == text)
    }
}

/// Outgoing mail.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// `smtp://user:password@host:port` or `smtps://…`.
    pub url: Secret,
    /// Sender.
    pub from: String,
}

/// Device authorizations (RFC 8628).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceConfig {
    /// How long a person has to decide.
    pub lifetime: Duration,
    /// The least time between two polls of a device.
    pub interval: Duration,
}

/// Requests allowed per minute and key; a burst of as many is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sign-in attempts per network and e-mail.
    pub login_per_minute: u32,
    /// Magic links per network and e-mail.
    pub magic_link_per_minute: u32,
    /// Token endpoint requests per network.
    pub token_per_minute: u32,
    /// Device authorizations begun per network.
    pub device_per_minute: u32,
    /// User codes looked up per network, and per account.
    pub user_code_per_minute: u32,
    /// Presentations of the same refresh token per session and network.
    pub again_per_minute: u32,
    /// Password hashes computed at the same time; a change needs a restart.
    pub password_workers: usize,
    /// Connections served at the same time; a change needs a restart.
    pub connections: u32,
}

/// One registered client.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: ClientId,
    /// Shown on the consent page and in session lists.
    pub name: String,
    /// A confidential client's secret; public clients have none.
    pub secret: Option<ClientSecret>,
    /// First-party clients need no consent and may use `/api/auth/*`.
    pub first_party: bool,
    /// Exact redirect URIs; the port of loopback ones is free (RFC 8252 section 7.3).
    pub redirect_uris: Vec<String>,
    /// Grant types it may use.
    pub grants: Vec<GrantType>,
    /// Scopes it may ask for.
    pub scope: Scope,
    /// Resources it may ask for (RFC 8707), besides the issuer; the first is part of the default `aud`.
    pub audience: Vec<String>,
    /// What happens to used refresh tokens.
    pub rules: Rules,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// Claims added to its access tokens.
    pub claims: Map<String, Value>,
    /// Browser origins that may call the token, userinfo and discovery endpoints.
    pub allowed_origins: Vec<String>,
}

impl Client {
    /// True for clients without a secret (RFC 6749 section 2.1).
    pub fn is_public(&self) -> bool {
        self.secret.is_none()
    }

    /// True where the client may use the grant.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    /// `aud` where the request names no resource: the first one, and this service's own routes.
    pub fn default_audience(&self, issuer: &str) -> Vec<String> {
        let first = self.audience.first().filter(|first| *first != issuer);
        let own = issuer.to_owned();
        first.cloned().into_iter().chain([own]).collect()
    }

    /// `aud` for the resources that a request names (RFC 8707 section 2), and the default where it
    /// names none; `None` where one of them is not for this client.
    pub fn audience_for(&self, issuer: &str, resources: &[String]) -> Option<Vec<String>> {
        if resources.is_empty() {
            return Some(self.default_audience(issuer));
        }
        let known = |one: &String| one == issuer || self.audience.contains(one);
        resources.iter().all(known).then(|| resources.to_vec())
    }
}

/// Grant types of the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 section 4.1.
    AuthorizationCode,
    /// RFC 6749 section 6.
    RefreshToken,
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 8628 section 3.4.
    DeviceCode,
}

/// How long things of one client live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Access and ID tokens.
    pub access: Duration,
    /// A session that is not refreshed.
    pub idle: Duration,
    /// A session, however active.
    pub absolute: Duration,
}

/// SHA-256 of a client secret: enough for a secret of 128 random bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecret([u8; 32]);

impl ClientSecret {
    /// Hashes the secret.
    pub fn of(secret: &str) -> Self {
        Self(sha256(secret.as_bytes()))
    }

    /// From the hash in the configuration.
    pub fn from_hash(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Compares in constant time.
    pub fn matches(&self, presented: &str) -> bool {
        let presented = sha256(presented.as_bytes());
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &presented).is_ok()
    }
}
