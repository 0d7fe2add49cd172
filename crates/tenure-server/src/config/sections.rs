//! The sections of the file, each read into its checked type.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::id::ClientId;

use super::client::client;
use super::kinds::{Issuer, SmtpUrl};
use super::load::{DEFAULT_DATA, Inputs};
use super::master::master_secret;
use super::section::Section;
use super::source::Source;
use super::store::store;
use super::{Algorithm, Client, Config, DeviceConfig, KeyConfig, Limits, Smtp, Tls};

const DAY: Duration = Duration::from_hours(24);

/// RFC 8628 section 5.1: lifetime, limit and length of the user code together keep it from being guessed.
const LONGEST_DEVICE: Duration = Duration::from_hours(1);

/// Reads the whole document.
pub(super) fn settings(root: &mut Section<'_>, inputs: &Inputs) -> Config {
    let listen = root.read("listen", SocketAddr::from(([127, 0, 0, 1], 8420)));
    if inputs.flags.dev && !listen.ip().is_loopback() {
        root.complain("listen", format!("{listen} can be reached by others, and --dev has a public password; listen on 127.0.0.1, or leave --dev out"));
    }
    let monitor_listen = monitor_listen(root, listen);
    let tls = root.section("tls", tls);
    let issuer = issuer(root, inputs.flags.dev, listen, tls.is_some());
    let default_data = PathBuf::from(DEFAULT_DATA);
    let data = root.path("data").unwrap_or_else(|| {
        root.note("data", default_data.display().to_string(), Source::Default);
        default_data
    });
    Config {
        issuer,
        listen,
        monitor_listen,
        master_secret: master_secret(root, inputs, &data),
        dev: inputs.flags.dev,
        tls,
        trusted_proxies: root.read("trusted_proxies", Vec::new()),
        browser_lifetime: root.read("browser_lifetime", 14 * DAY),
        request_timeout: root.read("request_timeout", Duration::from_secs(10)),
        store: root.section("store", |section| store(section, inputs, &data)),
        data,
        keys: root.section("keys", keys),
        smtp: root.section("smtp", smtp),
        limits: root.section("limits", limits),
        device: root.section("device", device),
        clients: root.section("clients", clients),
    }
}

fn monitor_listen(root: &mut Section<'_>, listen: SocketAddr) -> Option<SocketAddr> {
    let address = root.optional("monitor_listen");
    if address == Some(listen) && listen.port() != 0 {
        root.complain(
            "monitor_listen",
            "is the address of listen; choose another port, or remove the key",
        );
    }
    address
}

fn issuer(root: &mut Section<'_>, dev: bool, listen: SocketAddr, tls: bool) -> String {
    if dev && !root.is_given("issuer") {
        let issuer = local_issuer(listen, tls);
        let Issuer(issuer) = root.read("issuer", Issuer(issuer));
        root.note("issuer", issuer.clone(), Source::Derived("listen"));
        return issuer;
    }
    let fix = "give the URL that apps reach this service by, such as issuer = \"https://auth.example.com\" in the file or TENURE_ISSUER; for a first try there is --dev";
    root.required("issuer", fix)
        .map(|Issuer(issuer)| issuer)
        .unwrap_or_default()
}

/// The issuer of a service that only this machine uses.
pub(super) fn local_issuer(listen: SocketAddr, tls: bool) -> String {
    format!("{}://{listen}", if tls { "https" } else { "http" })
}

fn tls(section: &mut Section<'_>) -> Option<Tls> {
    let certificate = section.path("certificate");
    let key = section.path("key");
    for (name, path) in [("certificate", &certificate), ("key", &key)] {
        if let Some(path) = path
            && let Err(cause) = std::fs::File::open(path)
        {
            section.complain(
                name,
                format!("cannot read {}: {cause}; correct the path", path.display()),
            );
        }
    }
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
        (Some(_), None) => {
            section.complain("key", "is missing beside certificate; both are PEM files");
            None
        }
        (None, Some(_)) => {
            section.complain("certificate", "is missing beside key; both are PEM files");
            None
        }
        (None, None) => None,
    }
}

fn keys(section: &mut Section<'_>) -> KeyConfig {
    let algorithm = section.read("algorithm", Algorithm::default());
    let rotate_every = section.read("rotate_every", 90 * DAY);
    let distribute = section.read("distribute", DAY);
    if distribute >= rotate_every {
        section.complain(
            "distribute",
            "is not shorter than rotate_every; a key would be due before it may sign",
        );
    }
    KeyConfig {
        algorithm,
        rotate_every,
        distribute,
    }
}

fn smtp(section: &mut Section<'_>) -> Option<Smtp> {
    let url = section.optional("url").map(|SmtpUrl(url)| url);
    let from: Option<String> = section.optional("from");
    match (url, from) {
        (Some(url), Some(from)) if from.contains('@') => Some(Smtp { url, from }),
        (Some(_), Some(_)) => {
            section.complain(
                "from",
                "is no sender; write one such as \"Example <no-reply@example.com>\"",
            );
            None
        }
        (Some(_), None) => {
            section.complain(
                "from",
                "is missing beside url; write one such as \"Example <no-reply@example.com>\"",
            );
            None
        }
        (None, _) => None,
    }
}

fn device(section: &mut Section<'_>) -> DeviceConfig {
    let lifetime = section.read("lifetime", Duration::from_mins(10));
    let interval = section.read("interval", Duration::from_secs(5));
    if lifetime > LONGEST_DEVICE {
        section.complain(
            "lifetime",
            "is longer than 1h; the longer a user code works, the easier it is to guess",
        );
    }
    if interval >= lifetime {
        section.complain(
            "interval",
            "is not shorter than lifetime; a device would never learn the decision",
        );
    }
    DeviceConfig { lifetime, interval }
}

fn limits(section: &mut Section<'_>) -> Limits {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // Half the cores: a flood of sign-ins must leave refreshes the larger part.
    let workers = u32::try_from(cores / 2).unwrap_or(1).max(1);
    Limits {
        login_per_minute: section.read("login_per_minute", 20),
        magic_link_per_minute: section.read("magic_link_per_minute", 5),
        token_per_minute: section.read("token_per_minute", 6_000),
        device_per_minute: section.read("device_per_minute", 60),
        user_code_per_minute: section.read("user_code_per_minute", 10),
        again_per_minute: section.read("again_per_minute", 120),
        password_workers: usize::try_from(section.read("password_workers", workers)).unwrap_or(1),
        connections: section.read("connections", 10_000),
    }
}

/// Reads every client.
pub(super) fn clients(section: &mut Section<'_>) -> BTreeMap<ClientId, Arc<Client>> {
    let clients = section.tables(client);
    clients
        .into_iter()
        .map(|client| (client.id.clone(), Arc::new(client)))
        .collect()
}
