//! `bench-compare`: the refresh of Tenure on SQLite against that of npm `oidc-provider` on Redis,
//! one after the other in one run on one machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tenure_bench::comparison::{Alone, Comparison, Measured};
use tenure_bench::contents::Contents;
use tenure_bench::flood::Flood;
use tenure_bench::footprint::Footprint;
use tenure_bench::load::{self, Plan};
use tenure_bench::services::tenure::Tenure;
use tenure_bench::services::{self, Service, peer};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer");
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tenure.toml");
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench-compare.json");

/// Refreshes per second, latency, server CPU and memory of Tenure and of a peer, with the ratios; for
/// Tenure also start-up, rows per session and refreshes in a flood of sign-ins; and the budget.
///
/// Ends with 2 if the machine lacks what the peer needs, and with `--enforce` with 1 if a goal was
/// missed or an answer was an error.
#[derive(Debug, Parser)]
struct Arguments {
    /// The `tenure` program (a release build); without it only the peer is measured
    #[arg(long)]
    tenure: Option<PathBuf>,
    /// Configuration file for `tenure serve`
    #[arg(long, default_value = CONFIG)]
    tenure_config: PathBuf,
    /// Measure Tenure alone
    #[arg(long, requires = "tenure")]
    no_peer: bool,
    /// Sessions to mint; Tenure lets one of them advance 16 times a minute, so runs need many
    #[arg(long, default_value_t = 100_000)]
    sessions: usize,
    /// Worker counts, one run each
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    workers: Vec<usize>,
    /// Measured seconds per run
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds of load before each measurement
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
    /// Directory for the stores, on a disk like the one in production [default: the system's temp]
    #[arg(long)]
    directory: Option<PathBuf>,
    /// JSON report
    #[arg(long, default_value = REPORT)]
    out: PathBuf,
    /// Fail if a goal was missed
    #[arg(long)]
    enforce: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if !arguments.no_peer {
        let missing = peer::missing().await;
        if !missing.is_empty() {
            let missing = missing.join(" and ");
            say(&format!(
                "the peer needs {missing}, which this machine lacks\n"
            ))?;
            return Ok(ExitCode::from(2));
        }
    }
    let comparison = compare(&arguments).await?;
    fs::write(&arguments.out, serde_json::to_string_pretty(&comparison)?)?;
    say(&comparison.to_string())?;
    let failed = arguments.enforce && !comparison.passed();
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn compare(arguments: &Arguments) -> Result<Comparison> {
    let root = arguments.directory.clone();
    let root = root.unwrap_or_else(std::env::temp_dir);
    let cores = available_parallelism()?.to_string();
    let machine = BTreeMap::from([
        ("cores, shared with the generator", cores),
        ("file system of the stores", services::file_system(&root)?),
    ]);
    let mut theirs = None;
    if !arguments.no_peer {
        let mut service = peer::start(PEER.as_ref(), &root, arguments.sessions).await?;
        theirs = Some(refreshes(&mut service, arguments).await?);
        service.stop().await?;
    }
    let (mut ours, mut alone) = (None, None);
    if let Some(program) = &arguments.tenure {
        let config = &arguments.tenure_config;
        let tenure = Tenure { program, config };
        let (refreshes, rest) = measure(&tenure, &root, arguments).await?;
        (ours, alone) = (Some(refreshes), Some(rest));
    }
    Ok(Comparison::new(machine, ours, theirs, alone))
}

async fn measure(
    tenure: &Tenure<'_>,
    root: &Path,
    arguments: &Arguments,
) -> Result<(Measured, Alone)> {
    let mut service = tenure.start(root, arguments.sessions).await?;
    let data = service.directory().join("data");
    let before = Contents::of(&data)?;
    let refreshes = refreshes(&mut service, arguments).await?;
    let after = Contents::of(&data)?;
    let flood = Flood::measure(&plan(&service, arguments)?, &mut service.sessions).await?;
    let directory = service.stop().await?;
    let footprint = Footprint::measure(tenure, directory.path(), (before, after)).await?;
    Ok((refreshes, Alone { footprint, flood }))
}

async fn refreshes(service: &mut Service, arguments: &Arguments) -> Result<Measured> {
    let plan = plan(service, arguments)?;
    let mut runs = Vec::new();
    for workers in &arguments.workers {
        runs.push(load::run(&plan, *workers, &mut service.sessions).await?);
    }
    Ok(Measured {
        name: service.name,
        settings: service.settings.clone(),
        runs,
    })
}

fn plan(service: &Service, arguments: &Arguments) -> Result<Plan> {
    Ok(Plan {
        endpoint: service.token_endpoint.clone(),
        client: service.client.clone(),
        server_pids: service.pids(),
        warm_up: Duration::try_from_secs_f64(arguments.warm_up)?,
        measured: Duration::try_from_secs_f64(arguments.seconds)?,
    })
}

fn say(text: &str) -> Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
