//! `bench-compare`: the refresh of Tenure on its stores against the bare conditional update of each,
//! and against npm `oidc-provider` on Redis, one after the other in one run on one machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tenure_bench::comparison::{Alone, Comparison, Measured, OnStore};
use tenure_bench::contents::Contents;
use tenure_bench::flood::Flood;
use tenure_bench::footprint::Footprint;
use tenure_bench::load::{self, Plan, Report};
use tenure_bench::services::backing::{Backing, Kind, start_redis};
use tenure_bench::services::bare::{self, ROUTES};
use tenure_bench::services::tenure::Tenure;
use tenure_bench::services::{self, Service, peer};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer");
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tenure.toml");
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench-compare.json");

/// Refreshes per second, latency, CPU, memory and bytes of Tenure on each store, of a bare route on
/// the same store and of a peer, with the ratios; on SQLite also start-up, rows per session and
/// refreshes in a flood of sign-ins; and the budget.
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
    /// A store to measure Tenure on (repeatable)
    #[arg(long = "store", value_enum, default_value = "sqlite")]
    stores: Vec<Kind>,
    /// The `tenure-bare` program (a release build); without it the bare routes are not measured
    #[arg(long)]
    bare: Option<PathBuf>,
    /// Measure without the peer
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
    let theirs = if arguments.no_peer {
        None
    } else {
        Some(measure_peer(&root, arguments).await?)
    };
    let (mut stores, mut alone) = (Vec::new(), None);
    if let Some(program) = &arguments.tenure {
        for kind in &arguments.stores {
            let backing = &Backing::start(*kind, &root)?;
            let config = &arguments.tenure_config;
            let tenure = Tenure {
                program,
                config,
                backing,
            };
            let (on, rest) = measure(&tenure, &root, arguments).await?;
            stores.push(on);
            alone = alone.or(rest);
        }
    }
    Ok(Comparison::new(machine, theirs, stores, alone))
}

async fn measure_peer(root: &Path, arguments: &Arguments) -> Result<Measured> {
    let directory = tempfile::tempdir_in(root)?;
    let redis = start_redis(directory.path())?;
    let mut service = peer::start(PEER.as_ref(), root, &redis, arguments.sessions).await?;
    let mut measured = measured(&service);
    for workers in &arguments.workers {
        let run = run(&mut service, *workers, arguments).await?;
        measured.runs.push(run);
    }
    service.stop().await?;
    Ok(measured)
}

async fn measure(
    tenure: &Tenure<'_>,
    root: &Path,
    arguments: &Arguments,
) -> Result<(OnStore, Option<Alone>)> {
    let mut bare = match &arguments.bare {
        Some(program) => {
            Some(bare::start(program, root, tenure.backing, arguments.sessions).await?)
        }
        None => None,
    };
    let mut service = tenure.start(root, arguments.sessions).await?;
    let before = contents(tenure, &service)?;
    let on = side_by_side(
        tenure.backing.kind(),
        &mut service,
        bare.as_mut(),
        arguments,
    )
    .await?;
    let after = contents(tenure, &service)?;
    let Some(contents) = before.zip(after) else {
        service.stop().await?;
        return Ok((on, None));
    };
    let flood = Flood::measure(&plan(&service, arguments)?, &mut service.sessions).await?;
    let remains = service.stop().await?;
    let footprint = Footprint::measure(tenure, &remains, contents).await?;
    Ok((on, Some(Alone { footprint, flood })))
}

/// At each worker count the contenders run one after the other: a machine whose speed changes from
/// one minute to the next changes the ratios less.
async fn side_by_side(
    kind: Kind,
    tenure: &mut Service,
    mut bare: Option<&mut Service>,
    arguments: &Arguments,
) -> Result<OnStore> {
    let mut on = OnStore {
        kind,
        bare: Vec::new(),
        tenure: measured(tenure),
    };
    for (_, name) in ROUTES {
        on.bare.extend(bare.as_deref().map(|bare| Measured {
            name: format!("{}: {name}", bare.name),
            ..measured(bare)
        }));
    }
    for workers in &arguments.workers {
        if let Some(bare) = bare.as_deref_mut() {
            for ((route, _), measured) in ROUTES.into_iter().zip(&mut on.bare) {
                bare.token_endpoint = bare.token_endpoint.at(route);
                measured.runs.push(run(bare, *workers, arguments).await?);
            }
        }
        on.tenure.runs.push(run(tenure, *workers, arguments).await?);
    }
    Ok(on)
}

fn measured(service: &Service) -> Measured {
    Measured {
        name: service.name.clone(),
        settings: service.settings.clone(),
        runs: Vec::new(),
    }
}

async fn run(service: &mut Service, workers: usize, arguments: &Arguments) -> Result<Report> {
    let plan = plan(service, arguments)?;
    load::run(&plan, workers, &mut service.sessions).await
}

fn contents(tenure: &Tenure<'_>, service: &Service) -> Result<Option<Contents>> {
    if tenure.backing.kind() != Kind::Sqlite {
        return Ok(None);
    }
    Contents::of(&service.directory().join("data")).map(Some)
}

fn plan(service: &Service, arguments: &Arguments) -> Result<Plan> {
    Ok(service.plan(
        Duration::try_from_secs_f64(arguments.warm_up)?,
        Duration::try_from_secs_f64(arguments.seconds)?,
    ))
}

fn say(text: &str) -> Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
