//! `bench-compare`: the refresh of Tenure on SQLite against that of npm `oidc-provider` on Redis,
//! one after the other in one run on one machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tenure_bench::comparison::{Comparison, Measured};
use tenure_bench::load::{self, Plan};
use tenure_bench::services::{self, Service};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer");

/// Refreshes per second, latency and server CPU of Tenure and of a peer, with the ratios and the budget.
///
/// Ends with 2 if the machine lacks what the peer needs, and with `--enforce` with 1 if a goal was
/// missed or an answer was an error.
#[derive(Debug, Parser)]
struct Arguments {
    /// The `tenure` program (a release build); without it only the peer is measured
    #[arg(long)]
    tenure: Option<PathBuf>,
    /// Configuration file for `tenure serve`
    #[arg(long, requires = "tenure")]
    tenure_config: Option<PathBuf>,
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
    #[arg(long, default_value = "bench-compare.json")]
    out: PathBuf,
    /// Fail if a goal was missed
    #[arg(long)]
    enforce: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let missing = if arguments.no_peer {
        Vec::new()
    } else {
        services::missing_for_peer().await
    };
    if !missing.is_empty() {
        say(&format!(
            "the peer needs {}, which this machine lacks\n",
            missing.join(" and ")
        ))?;
        return Ok(ExitCode::from(2));
    }
    let root = arguments
        .directory
        .clone()
        .unwrap_or_else(std::env::temp_dir);
    let machine = BTreeMap::from([
        (
            "cores, shared with the generator",
            available_parallelism()?.to_string(),
        ),
        ("file system of the stores", services::file_system(&root)?),
    ]);
    let mut peer = None;
    if !arguments.no_peer {
        let service = services::start_peer(PEER.as_ref(), &root, arguments.sessions).await?;
        peer = Some(measure(service, &arguments).await?);
    }
    let mut tenure = None;
    if let Some(program) = &arguments.tenure {
        let config = arguments.tenure_config.as_deref();
        let service = services::start_tenure(program, config, &root, arguments.sessions).await?;
        tenure = Some(measure(service, &arguments).await?);
    }
    let comparison = Comparison::new(machine, tenure, peer);
    fs::write(&arguments.out, serde_json::to_string_pretty(&comparison)?)?;
    say(&comparison.to_string())?;
    let failed = arguments.enforce && !comparison.passed();
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn measure(mut service: Service, arguments: &Arguments) -> Result<Measured> {
    let plan = Plan {
        endpoint: service.token_endpoint.clone(),
        client: service.client.clone(),
        server_pids: service.pids(),
        warm_up: Duration::try_from_secs_f64(arguments.warm_up)?,
        measured: Duration::try_from_secs_f64(arguments.seconds)?,
    };
    let mut runs = Vec::new();
    for workers in &arguments.workers {
        runs.push(load::run(&plan, *workers, &mut service.sessions).await?);
    }
    let measured = Measured {
        name: service.name,
        settings: service.settings.clone(),
        runs,
    };
    service.stop().await?;
    Ok(measured)
}

fn say(text: &str) -> Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
