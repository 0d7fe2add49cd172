//! From file, environment and flags to a checked [`Config`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Config;
use super::master::is_generated_in;
use super::problem::{Problem, Rejected};
use super::section::{Given, Report, Section};
use super::sections::{clients, local_issuer, settings};
use super::source::{Entry, Source, Sources};
use super::value::{self, Table};

const CONFIG_VARIABLE: &str = "TENURE_CONFIG";
const DEV: &str = include_str!("dev.toml");

/// Variables of the command line and of the log, which are no configuration of the service.
const OTHER_VARIABLES: [&str; 6] = [
    "TENURE_LOG",
    "TENURE_HOME",
    "TENURE_PROFILE",
    "TENURE_CLIENT",
    "TENURE_ALLOW",
    CONFIG_VARIABLE,
];

/// Where the data are if nobody says.
pub(super) const DEFAULT_DATA: &str = "./tenure-data";

const SECRET_VARIABLES: [&str; 2] = ["TENURE_MASTER_SECRET", "TENURE_MASTER_SECRET_FILE"];

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
        Self {
            flags,
            environment: std::env::vars_os().filter_map(text).collect(),
            purpose,
        }
    }

    /// A command beside a `--dev` server finds its data by the secret that only `--dev` generates,
    /// unless it is told how the service is configured.
    fn completed(&self) -> Self {
        let told = |name: &&str| {
            self.environment
                .get(*name)
                .is_some_and(|text| !text.is_empty())
        };
        let named = self.file().is_some() || SECRET_VARIABLES.iter().any(told);
        let data = || {
            let variable = self.environment.get("TENURE_DATA").map(PathBuf::from);
            self.flags
                .data
                .clone()
                .or(variable)
                .unwrap_or_else(|| PathBuf::from(DEFAULT_DATA))
        };
        let implied = self.purpose == Purpose::Beside && !named && is_generated_in(&data());
        let flags = Flags {
            dev: self.flags.dev || implied,
            ..self.flags.clone()
        };
        Self {
            flags,
            ..self.clone()
        }
    }

    /// The configuration file: `--config`, else `TENURE_CONFIG`, else none.
    pub fn file(&self) -> Option<PathBuf> {
        let variable = || {
            self.environment
                .get(CONFIG_VARIABLE)
                .filter(|path| !path.is_empty())
        };
        self.flags
            .config
            .clone()
            .or_else(|| variable().map(PathBuf::from))
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
    /// Reads the same inputs again: new clients, limits, device settings and key schedule, everything else as before,
    /// with a warning for each value that has changed and needs a restart. `Err` leaves this
    /// configuration running.
    pub fn reload(&self) -> Result<Self, Rejected> {
        let mut next = load(&self.inputs)?;
        if next.config.listen.port() == 0 {
            next.bound_to(self.config.listen);
        }
        for running in self.sources.iter().filter(|entry| !entry.is_reloadable()) {
            let changed = |entry: &&Entry| entry.value != running.value;
            if next
                .sources
                .find(&running.key)
                .is_some_and(|entry| changed(&entry))
            {
                let key = &running.key;
                next.warnings.push(format!(
                    "{key} has changed; it takes effect after a restart"
                ));
                next.sources
                    .record(key.clone(), running.value.clone(), running.source.clone());
            }
        }
        // A password is not among the values that are shown, and compared above.
        let told = next.warnings.iter().any(|one| one.starts_with("store."));
        if next.config.store != self.config.store && !told {
            let warning = "a password of [store] has changed; it takes effect after a restart";
            next.warnings.push(warning.to_owned());
        }
        let Config {
            clients,
            limits,
            keys,
            device,
            ..
        } = next.config;
        next.config = Config {
            keys,
            limits,
            device,
            clients,
            ..self.config.clone()
        };
        Ok(next)
    }

    /// The address that port 0 became, which is also the default issuer's.
    pub fn bound_to(&mut self, address: SocketAddr) {
        let known = |key: &str| self.sources.find(key).map(|entry| entry.source.clone());
        let listen = known("listen").unwrap_or(Source::Default);
        if let Some(source @ Source::Derived(_)) = known("issuer") {
            self.config.issuer = local_issuer(address, self.config.tls.is_some());
            self.sources
                .record("issuer".to_owned(), self.config.issuer.clone(), source);
        }
        self.config.listen = address;
        self.sources
            .record("listen".to_owned(), address.to_string(), listen);
    }
}

/// Reads and checks everything; all problems at once.
pub fn load(inputs: &Inputs) -> Result<Loaded, Rejected> {
    let inputs = &inputs.completed();
    let file = inputs.file();
    let table = file.as_deref().map_or_else(|| Ok(Table::new()), read)?;
    let given = Given {
        file: file.as_deref(),
        environment: &inputs.environment,
        flags: flags(inputs),
    };
    let mut report = Report::default();
    let mut root = Section::root(&given, &mut report, &table);
    if let Some(path) = &file {
        let flag = inputs
            .flags
            .config
            .is_some()
            .then_some(Source::Flag("--config"));
        let source = flag.unwrap_or(Source::Environment(CONFIG_VARIABLE.to_owned()));
        root.note("config", path.display().to_string(), source);
    }
    let mut config = settings(&mut root, inputs);
    root.finish();
    if inputs.flags.dev {
        add_dev_clients(&mut config, &mut report)?;
    }
    if config.clients.is_empty() {
        report
            .warnings
            .push("no client is registered; add a [clients.NAME] table".to_owned());
    }
    check_variables(inputs, &mut report);
    let Report {
        problems,
        sources,
        warnings,
        ..
    } = report;
    if problems.is_empty() {
        Ok(Loaded {
            config,
            sources,
            warnings,
            inputs: inputs.clone(),
        })
    } else {
        Err(Rejected { problems })
    }
}

fn add_dev_clients(config: &mut Config, report: &mut Report) -> Result<(), Rejected> {
    let mut table = parse(DEV, Path::new("dev.toml"))?;
    if let Some(value::Value::Table(clients)) = table.get_mut("clients").map(|node| &mut node.value)
    {
        clients.retain(|name, _| !config.clients.keys().any(|id| id.as_str() == name));
    }
    let given = Given {
        file: None,
        environment: &BTreeMap::new(),
        flags: Vec::new(),
    };
    let mut root = Section::root(&given, report, &table);
    config.clients.append(&mut root.section("clients", clients));
    root.finish();
    Ok(())
}

fn flags(inputs: &Inputs) -> Vec<(&'static str, &'static str, String)> {
    let Flags { listen, data, .. } = &inputs.flags;
    let data = data.as_ref().map(|path| path.display().to_string());
    let one = |key, flag, value: Option<String>| value.map(|value| (key, flag, value));
    [
        one("listen", "--listen", listen.clone()),
        one("data", "--data", data),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn read(path: &Path) -> Result<Table, Rejected> {
    let text = std::fs::read_to_string(path).map_err(|cause| {
        let path = path.display();
        let message = format!(
            "cannot read the configuration file {path}: {cause}; correct --config or TENURE_CONFIG"
        );
        Rejected {
            problems: vec![Problem {
                source: Source::Default,
                key: String::new(),
                message,
            }],
        }
    })?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Table, Rejected> {
    let problem = |error: value::SyntaxError| Problem {
        source: Source::File {
            path: path.to_owned(),
            line: error.line,
        },
        key: String::new(),
        message: format!("not TOML: {}", error.message),
    };
    value::parse(text).map_err(|errors| Rejected {
        problems: errors.into_iter().map(problem).collect(),
    })
}

/// A misspelt variable would be a setting that silently does nothing.
fn check_variables(inputs: &Inputs, report: &mut Report) {
    let unknown = |name: &&String| {
        // A container platform sets these for a service that is called "tenure".
        let injected = ["TENURE_PORT", "TENURE_SERVICE_"]
            .iter()
            .any(|start| name.starts_with(start));
        name.starts_with("TENURE_")
            && !injected
            && !report.variables.contains(name)
            && !OTHER_VARIABLES.contains(&name.as_str())
    };
    let unknown: Vec<_> = inputs.environment.keys().filter(unknown).cloned().collect();
    for name in unknown {
        let near = report
            .variables
            .iter()
            .find(|one| strsim::damerau_levenshtein(one, &name) <= 2);
        match near {
            Some(near) => report.problems.push(Problem {
                message: format!("is no variable of Tenure; did you mean {near}?"),
                source: Source::Environment(name),
                key: String::new(),
            }),
            None => report
                .warnings
                .push(format!("{name} is no variable of Tenure; it is ignored")),
        }
    }
}
