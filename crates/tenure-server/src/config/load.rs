//! From file, environment and flags to a checked [`Config`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::client::client;
use super::kinds::{Issuer, SmtpUrl};
use super::master::master_secret;
use super::problem::{Problem, Rejected};
use super::section::{Given, Report, Section};
use super::source::{Source, Sources};
use super::value::{self, Table};
use super::{Algorithm, Client, Config, KeyConfig, Limits, Smtp, StoreConfig, Tls};

const DAY: Duration = Duration::from_hours(24);
const CONFIG_VARIABLE: &str = "TENURE_CONFIG";
const DEV: &str = include_str!("dev.toml");

/// Variables of the command line and of the log, which are no configuration of the service.
const OTHER_VARIABLES: [&str; 5] =
    ["TENURE_LOG", "TENURE_HOME", "TENURE_PROFILE", "TENURE_CLIENT", CONFIG_VARIABLE];

/// Flags of the command line that are configuration; texts are checked here, with everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config`: the file.
    pub config: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--dev`.
    pub dev: bool,
    /// `--dangerous-memory-store`.
    pub dangerous_memory_store: bool,
}

/// What the configuration is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// The service itself.
    #[default]
    Serve,
    /// A command that opens the same store beside the service.
    Beside,
    /// Only to look at it: makes no file.
    Inspect,
}

/// Everything that a configuration is made from; the same inputs are read again on a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Flags.
    pub flags: Flags,
    /// The process's environment.
    pub environment: BTreeMap<String, String>,
    /// What for.
    pub purpose: Purpose,
}

impl Inputs {
    /// The flags and this process's environment.
    pub fn of_process(flags: Flags, purpose: Purpose) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { flags, environment: std::env::vars_os().filter_map(text).collect(), purpose }
    }

    /// The configuration file: `--config`, else `TENURE_CONFIG`, else none.
    pub fn file(&self) -> Option<PathBuf> {
        let variable = || self.environment.get(CONFIG_VARIABLE).filter(|path| !path.is_empty());
        self.flags.config.clone().or_else(|| variable().map(PathBuf::from))
    }
}

/// A configuration that was accepted.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The checked values.
    pub config: Config,
    /// Where each came from.
    pub sources: Sources,
    /// What works, and should be looked at; one a line.
    pub warnings: Vec<String>,
    /// What it was made from.
    pub inputs: Inputs,
}

impl Loaded {
    /// Reads the same inputs again. `Err` leaves this configuration running; a value that cannot
    /// change without a restart is named in the warnings.
    pub fn reload(&self) -> Result<Self, Rejected> {
        let mut next = load(&self.inputs)?;
        if next.config.listen.port() == 0 {
            next.bound_to(self.config.listen);
        }
        let fixed = |key: &str| !key.starts_with("clients.") && !key.starts_with("limits.");
        for entry in next.sources.iter().filter(|entry| fixed(&entry.key)) {
            let before = self.sources.find(&entry.key).map(|entry| &entry.value);
            if before != Some(&entry.value) {
                let key = &entry.key;
                next.warnings.push(format!("{key} has changed; it takes effect after a restart"));
            }
        }
        Ok(next)
    }

    /// The address that port 0 became, which is also the default issuer's.
    pub fn bound_to(&mut self, address: SocketAddr) {
        let known = |key: &str| self.sources.find(key).map(|entry| entry.source.clone());
        let listen = known("listen").unwrap_or(Source::Default);
        if let Some(source @ Source::Derived(_)) = known("issuer") {
            self.config.issuer = local_issuer(address, self.config.tls.is_some());
            self.sources.record("issuer".to_owned(), self.config.issuer.clone(), source);
        }
        self.config.listen = address;
        self.sources.record("listen".to_owned(), address.to_string(), listen);
    }
}

/// Reads and checks everything; all problems at once.
pub fn load(inputs: &Inputs) -> Result<Loaded, Rejected> {
    let file = inputs.file();
    let table = file.as_deref().map_or_else(|| Ok(Table::new()), read)?;
    let given =
        Given { file: file.as_deref(), environment: &inputs.environment, flags: flags(inputs) };
    let mut report = Report::default();
    let mut root = Section::root(&given, &mut report, &table);
    if let Some(path) = &file {
        let flag = inputs.flags.config.is_some().then_some(Source::Flag("--config"));
        let source = flag.unwrap_or(Source::Environment(CONFIG_VARIABLE.to_owned()));
        root.note("config", path.display().to_string(), source);
    }
    let mut config = settings(&mut root, inputs);
    root.finish();
    if inputs.flags.dev {
        add_dev_clients(&mut config, &mut report)?;
    }
    if config.clients.is_empty() {
        report.warnings.push("no client is registered; add a [clients.NAME] table".to_owned());
    }
    check_variables(inputs, &mut report);
    let Report { problems, sources, warnings, .. } = report;
    if problems.is_empty() {
        Ok(Loaded { config, sources, warnings, inputs: inputs.clone() })
    } else {
        Err(Rejected { problems })
    }
}

fn settings(root: &mut Section<'_>, inputs: &Inputs) -> Config {
    let listen = root.read("listen", SocketAddr::from(([127, 0, 0, 1], 8420)));
    if inputs.flags.dev && !listen.ip().is_loopback() {
        root.complain("listen", format!("{listen} can be reached by others, and --dev has a public password; listen on 127.0.0.1, or leave --dev out"));
    }
    let tls = root.section("tls", tls);
    let issuer = issuer(root, inputs.flags.dev, listen, tls.is_some());
    let default_data = PathBuf::from("./tenure-data");
    let data = root.path("data").unwrap_or_else(|| {
        root.note("data", default_data.display().to_string(), Source::Default);
        default_data
    });
    Config {
        issuer,
        listen,
        master_secret: master_secret(root, inputs, &data),
        data,
        dev: inputs.flags.dev,
        tls,
        trusted_proxies: root.read("trusted_proxies", Vec::new()),
        browser_lifetime: root.read("browser_lifetime", 14 * DAY),
        request_timeout: root.read("request_timeout", Duration::from_secs(10)),
        store: root.section("store", |store| StoreConfig {
            revocation_log: store.path("revocation_log"),
            dangerous_memory: inputs.flags.dangerous_memory_store,
        }),
        keys: root.section("keys", keys),
        smtp: root.section("smtp", smtp),
        limits: root.section("limits", limits),
        clients: root.section("clients", clients),
    }
}

fn issuer(root: &mut Section<'_>, dev: bool, listen: SocketAddr, tls: bool) -> String {
    if dev && !root.is_given("issuer") {
        let issuer = local_issuer(listen, tls);
        let Issuer(issuer) = root.read("issuer", Issuer(issuer));
        root.note("issuer", issuer.clone(), Source::Derived("listen"));
        return issuer;
    }
    let fix = "give the URL that apps reach this service by, such as issuer = \"https://auth.example.com\" in the file or TENURE_ISSUER; for a first try there is --dev";
    root.required("issuer", fix).map(|Issuer(issuer)| issuer).unwrap_or_default()
}

fn local_issuer(listen: SocketAddr, tls: bool) -> String {
    format!("{}://{listen}", if tls { "https" } else { "http" })
}

fn tls(section: &mut Section<'_>) -> Option<Tls> {
    let certificate = section.path("certificate");
    let key = section.path("key");
    for (name, path) in [("certificate", &certificate), ("key", &key)] {
        if let Some(path) = path
            && let Err(cause) = std::fs::File::open(path)
        {
            section.complain(name, format!("cannot read {}: {cause}; correct the path", path.display()));
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
        section.complain("distribute", "is not shorter than rotate_every; a key would be due before it may sign");
    }
    KeyConfig { algorithm, rotate_every, distribute }
}

fn smtp(section: &mut Section<'_>) -> Option<Smtp> {
    let url = section.optional("url").map(|SmtpUrl(url)| url);
    let from: Option<String> = section.optional("from");
    match (url, from) {
        (Some(url), Some(from)) if from.contains('@') => Some(Smtp { url, from }),
        (Some(_), Some(_)) => {
            section.complain("from", "is no sender; write one such as \"Example <no-reply@example.com>\"");
            None
        }
        (Some(_), None) => {
            section.complain("from", "is missing beside url; write one such as \"Example <no-reply@example.com>\"");
            None
        }
        (None, _) => None,
    }
}

fn limits(section: &mut Section<'_>) -> Limits {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cores = u32::try_from(cores).unwrap_or(1);
    Limits {
        login_per_minute: section.read("login_per_minute", 20),
        magic_link_per_minute: section.read("magic_link_per_minute", 5),
        token_per_minute: section.read("token_per_minute", 6_000),
        again_per_minute: section.read("again_per_minute", 120),
        password_workers: usize::try_from(section.read("password_workers", cores)).unwrap_or(1),
    }
}

fn clients(section: &mut Section<'_>) -> BTreeMap<tenure_core::id::ClientId, Client> {
    let clients = section.tables(client);
    clients.into_iter().map(|client| (client.id.clone(), client)).collect()
}

fn add_dev_clients(config: &mut Config, report: &mut Report) -> Result<(), Rejected> {
    let mut table = parse(DEV, Path::new("dev.toml"))?;
    if let Some(value::Value::Table(clients)) =
        table.get_mut("clients").map(|node| &mut node.value)
    {
        clients.retain(|name, _| !config.clients.keys().any(|id| id.as_str() == name));
    }
    let given = Given { file: None, environment: &BTreeMap::new(), flags: Vec::new() };
    let mut root = Section::root(&given, report, &table);
    config.clients.append(&mut root.section("clients", clients));
    root.finish();
    Ok(())
}

fn flags(inputs: &Inputs) -> Vec<(&'static str, &'static str, String)> {
    let Flags { listen, data, .. } = &inputs.flags;
    let data = data.as_ref().map(|path| path.display().to_string());
    let one = |key, flag, value: Option<String>| value.map(|value| (key, flag, value));
    [one("listen", "--listen", listen.clone()), one("data", "--data", data)]
        .into_iter()
        .flatten()
        .collect()
}

fn read(path: &Path) -> Result<Table, Rejected> {
    let text = std::fs::read_to_string(path).map_err(|cause| {
        let path = path.display();
        let message = format!("cannot read the configuration file {path}: {cause}; correct --config or TENURE_CONFIG");
        Rejected { problems: vec![Problem { source: Source::Default, key: String::new(), message }] }
    })?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Table, Rejected> {
    let problem = |error: value::SyntaxError| Problem {
        source: Source::File { path: path.to_owned(), line: error.line },
        key: String::new(),
        message: format!("not TOML: {}", error.message),
    };
    value::parse(text)
        .map_err(|errors| Rejected { problems: errors.into_iter().map(problem).collect() })
}

/// A misspelt variable would be a setting that silently does nothing.
fn check_variables(inputs: &Inputs, report: &mut Report) {
    let unknown = |name: &&String| {
        // A container platform sets these for a service that is called "tenure".
        let injected = ["TENURE_PORT", "TENURE_SERVICE_"].iter().any(|start| name.starts_with(start));
        name.starts_with("TENURE_")
            && !injected
            && !report.variables.contains(name)
            && !OTHER_VARIABLES.contains(&name.as_str())
    };
    let unknown: Vec<_> = inputs.environment.keys().filter(unknown).cloned().collect();
    for name in unknown {
        let near = report.variables.iter().find(|one| strsim::damerau_levenshtein(one, &name) <= 2);
        match near {
            Some(near) => report.problems.push(Problem {
                message: format!("is no variable of Tenure; did you mean {near}?"),
                source: Source::Environment(name),
                key: String::new(),
            }),
            None => report.warnings.push(format!("{name} is no variable of Tenure; it is ignored")),
        }
    }
}
