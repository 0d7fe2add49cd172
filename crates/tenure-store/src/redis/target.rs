//! A URL taken apart.

use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo,
    RedisResult, TlsCertificates, TlsMode,
};

use crate::OpenError;

/// Where a master is asked for, and where the master of an URL listens by default.
const SENTINEL_PORT: u16 = 26379;

/// What a URL leads to.
#[derive(Clone)]
pub(super) struct Target {
    /// The URL without a password.
    pub(super) place: String,
    /// How it is reached.
    pub(super) mode: Mode,
    /// Who vouches for its certificate, in PEM, instead of those whom the system trusts.
    pub(super) trusted: Option<TlsCertificates>,
}

impl std::fmt::Debug for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Standalone(_) => "Standalone",
            Self::Sentinel { .. } => "Sentinel",
            Self::Cluster(_) => "Cluster",
        })
    }
}

/// How a server is reached.
#[derive(Clone)]
pub(super) enum Mode {
    /// One server.
    Standalone(Box<ConnectionInfo>),
    /// The master that sentinels name.
    Sentinel {
        sentinels: Vec<ConnectionAddr>,
        master: String,
        server: Box<ConnectionInfo>,
    },
    /// Some nodes of a cluster.
    Cluster(Vec<ConnectionInfo>),
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, OpenError> {
        let Some((scheme, rest)) = url.trim().split_once("://") else {
            return Err(bad("the URL of the store", "it has no scheme"));
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let place = match path {
            "" => format!("{scheme}://{hosts}"),
            path => format!("{scheme}://{hosts}/{path}"),
        };
        let parts = Parts { user, hosts, path };
        let mode = parts.mode(scheme).map_err(|why| bad(&place, &why))?;
        let trusted = trusted(scheme, query).map_err(|why| bad(&place, &why))?;
        Ok(Self {
            place,
            mode,
            trusted,
        })
    }
}

/// `?sslrootcert=FILE`, as in PostgreSQL's URLs.
fn trusted(scheme: &str, query: &str) -> Result<Option<TlsCertificates>, String> {
    if query.is_empty() {
        return Ok(None);
    }
    let file = match query.split_once('=') {
        Some(("sslrootcert", file)) if !file.contains('&') => file,
        _ => return Err("after ? it takes sslrootcert=FILE only".to_owned()),
    };
    if !(scheme.starts_with("rediss") || scheme.starts_with("valkeys")) {
        return Err("sslrootcert is of use with TLS only".to_owned());
    }
    let certificate = std::fs::read(file).map_err(|why| format!("{file}: {why}"))?;
    Ok(Some(TlsCertificates {
        client_tls: None,
        root_cert: Some(certificate),
    }))
}

struct Parts<'u> {
    user: &'u str,
    hosts: &'u str,
    path: &'u str,
}

impl Parts<'_> {
    fn mode(&self, scheme: &str) -> Result<Mode, String> {
        let (transport, mode) = scheme.split_once('+').unwrap_or((scheme, ""));
        let transport = match transport {
            "redis" | "valkey" => "redis",
            "rediss" | "valkeys" => "rediss",
            _ => return Err(format!("{scheme} is no scheme of Redis or Valkey")),
        };
        match mode {
            "" => {
                let server = self.server(transport, self.hosts, self.path)?;
                Ok(Mode::Standalone(Box::new(server)))
            }
            "sentinel" => self.sentinel(transport),
            "cluster" if !self.path.is_empty() => {
                Err("a cluster has no databases: nothing may follow the hosts".to_owned())
            }
            "cluster" => {
                let nodes = self.hosts.split(',');
                let nodes = nodes.map(|host| self.server(transport, host, ""));
                Ok(Mode::Cluster(nodes.collect::<Result<_, _>>()?))
            }
            _ => Err(format!("{scheme} is no scheme of Redis or Valkey")),
        }
    }

    /// The path is `MASTER` or `MASTER/DB`.
    fn sentinel(&self, transport: &str) -> Result<Mode, String> {
        let (master, database) = self.path.split_once('/').unwrap_or((self.path, ""));
        if master.is_empty() {
            return Err("it names no master, as in redis+sentinel://HOST:PORT/MASTER".to_owned());
        }
        let mut sentinels = Vec::new();
        for host in self.hosts.split(',') {
            let host = match host.rsplit_once(':') {
                Some((_, port)) if port.bytes().all(|c| c.is_ascii_digit()) => host.to_owned(),
                _ => format!("{host}:{SENTINEL_PORT}"),
            };
            sentinels.push(self.server(transport, &host, "")?.addr().clone());
        }
        let first = self.hosts.split(',').next().unwrap_or_default();
        Ok(Mode::Sentinel {
            sentinels,
            master: master.to_owned(),
            server: Box::new(self.server(transport, first, database)?),
        })
    }

    /// One server, by the rules of the driver; what it says of a URL may hold the password.
    fn server(&self, transport: &str, host: &str, path: &str) -> Result<ConnectionInfo, String> {
        if host.is_empty() {
            return Err("it names no host".to_owned());
        }
        let at = if self.user.is_empty() { "" } else { "@" };
        let url = format!("{transport}://{}{at}{host}/{path}", self.user);
        url.as_str()
            .into_connection_info()
            .map_err(|_| "its user, password, host, port or database cannot be read".to_owned())
    }
}

/// One server.
pub(super) fn client(
    server: &ConnectionInfo,
    trusted: Option<&TlsCertificates>,
) -> RedisResult<Client> {
    match trusted {
        None => Client::open(server.clone()),
        Some(trusted) => Client::build_with_tls(server.clone(), trusted.clone()),
    }
}

/// Asks the sentinels for the master, with the credentials and the transport of `server`.
///
/// Sentinels have credentials of their own, or none; they get none.
pub(super) fn sentinel_client(
    sentinels: &[ConnectionAddr],
    master: &str,
    server: &ConnectionInfo,
    trusted: Option<&TlsCertificates>,
) -> RedisResult<SentinelClient> {
    let settings: &RedisConnectionInfo = server.redis_settings();
    let mut builder =
        SentinelClientBuilder::new(sentinels.to_vec(), master, SentinelServerType::Master)?
            .set_client_to_redis_db(settings.db());
    if let ConnectionAddr::TcpTls { .. } = server.addr() {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
    }
    if let Some(trusted) = trusted {
        builder = builder
            .set_client_to_redis_certificates(trusted.clone())
            .set_client_to_sentinel_certificates(trusted.clone());
    }
    if let Some(user) = settings.username() {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = settings.password() {
        builder = builder.set_client_to_redis_password(password);
    }
    builder.build()
}

fn bad(place: &str, why: &str) -> OpenError {
    OpenError::Refused {
        place: place.to_owned(),
        problem: why.to_owned(),
        fix: "write redis://USER:PASSWORD@HOST:PORT, redis+sentinel://HOST:PORT,…/MASTER or \
              redis+cluster://HOST:PORT,…, with rediss for TLS"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_no_password() {
        for (url, place) in [
            ("redis://:s3cret@h:1/2", "redis://h:1/2"),
            (
                "redis+sentinel://u:s3cret@a:1,b/m",
                "redis+sentinel://a:1,b/m",
            ),
            (
                "valkeys+cluster://u:s3cret@a:1,b:2",
                "valkeys+cluster://a:1,b:2",
            ),
        ] {
            assert_eq!(Target::parse(url).ok().unwrap().place, place);
        }
    }

    #[test]
    fn a_url_that_cannot_be_read_is_refused_without_its_password() {
        for url in [
            "host:1",
            "http://h",
            "redis+ring://h",
            "redis://u:s3cret@",
            "redis://u:s3cret@h:port",
            "redis://u:s3cret@h/base",
            "redis+sentinel://u:s3cret@a:1",
            "redis+cluster://u:s3cret@a:1,b/3",
            "redis://u:s3cret@h?sslrootcert=a.pem",
            "rediss://u:s3cret@h?sslrootcert=/no/such.pem",
            "rediss://u:s3cret@h?insecure=1",
        ] {
            let refused = Target::parse(url).err().unwrap().to_string();
            assert!(!refused.contains("s3cret"), "{refused}");
        }
    }

    #[test]
    fn sentinels_have_a_port_and_the_master_a_database() {
        let Mode::Sentinel {
            sentinels,
            master,
            server,
        } = Target::parse("redis+sentinel://u:p@a,b:7/main/3")
            .ok()
            .unwrap()
            .mode
        else {
            panic!("no sentinel");
        };
        let tcp = |host: &str, port| ConnectionAddr::Tcp(host.to_owned(), port);
        assert_eq!(sentinels, [tcp("a", SENTINEL_PORT), tcp("b", 7)]);
        assert_eq!((master.as_str(), server.redis_settings().db()), ("main", 3));
    }
}
