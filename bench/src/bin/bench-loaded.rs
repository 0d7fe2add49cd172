//! `bench-loaded`: refreshes on stores that hold a million sessions, and while a million are purged.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tenure_bench::holding::Holding;
use tenure_bench::load::{self, Report};
use tenure_bench::loaded::Loaded;
use tenure_bench::services::backing::{Backing, Kind};
use tenure_bench::services::tenure::Tenure;
use tenure_bench::services::{Remains, Service};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tenure.toml");
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench-loaded.json");

/// A purge that lasts longer is not waited for.
const PURGE_LIMIT: Duration = Duration::from_mins(30);

/// Refreshes with few sessions in the store, with many, while as many are purged, and after that.
///
/// With `--enforce` ends with 1 if a goal was missed or an answer was an error.
#[derive(Debug, Parser)]
struct Arguments {
    /// The `tenure` program (a release build)
    #[arg(long)]
    tenure: PathBuf,
    /// The `tenure-fill` program (a release build)
    #[arg(long)]
    fill: PathBuf,
    /// A store (repeatable)
    #[arg(long = "store", value_enum, default_values = ["sqlite", "postgres", "redis"])]
    stores: Vec<Kind>,
    /// Sessions that are only there
    #[arg(long, default_value_t = 1_000_000)]
    sessions: u64,
    /// Sessions to purge
    #[arg(long, default_value_t = 1_000_000)]
    expired: u64,
    /// Sessions that are refreshed
    #[arg(long, default_value_t = 100_000)]
    live: usize,
    /// Connections that refresh
    #[arg(long, default_value_t = 16)]
    workers: usize,
    /// Measured seconds per run
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Configuration file for `tenure serve`
    #[arg(long, default_value = CONFIG)]
    tenure_config: PathBuf,
    /// Directory for the stores [default: the system's temp]
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
    let mut all = Vec::new();
    for kind in &arguments.stores {
        let loaded = measure(*kind, &arguments).await?;
        say(&loaded.to_string())?;
        all.push(loaded);
    }
    fs::write(&arguments.out, serde_json::to_string_pretty(&all)?)?;
    let goals: Vec<_> = all.iter().flat_map(Loaded::goals).collect();
    say("\nbudget\n")?;
    for goal in &goals {
        say(&format!("{goal}\n"))?;
    }
    let mut runs = all
        .iter()
        .flat_map(|one| [&one.few, &one.many, &one.purging, &one.purged]);
    let clean = runs.all(|run| run.errors.is_empty()) && goals.iter().all(|goal| goal.met);
    Ok(if arguments.enforce && !clean {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn measure(kind: Kind, arguments: &Arguments) -> Result<Loaded> {
    let root = arguments.directory.clone();
    let root = root.unwrap_or_else(std::env::temp_dir);
    let backing = &Backing::start(kind, &root)?;
    let tenure = Tenure {
        program: &arguments.tenure,
        config: &arguments.tenure_config,
        backing,
    };
    let mut service = tenure.start(&root, arguments.live).await?;
    let few = refresh(&mut service, arguments).await?;

    let before = holding(backing, &service).await?;
    let (remains, sessions) = stop(service).await?;
    let start = Instant::now();
    fill(arguments, backing, &remains, arguments.sessions, None).await?;
    let fill_seconds = start.elapsed().as_secs_f64();
    let mut service = tenure.resume(remains, sessions).await?;
    let after = holding(backing, &service).await?;
    let many = refresh(&mut service, arguments).await?;

    let (remains, sessions) = stop(service).await?;
    fill(
        arguments,
        backing,
        &remains,
        arguments.expired,
        Some("--expired"),
    )
    .await?;
    let start = Instant::now();
    let mut service = tenure.resume(remains, sessions).await?;
    let full = holding(backing, &service).await?;
    let purging = refresh(&mut service, arguments).await?;
    let left = holding(backing, &service).await?;
    let deleted_meanwhile = full.since(&left).sessions;
    // All but a few: Redis counts keys, and has some that are no sessions.
    let rest = after.sessions + arguments.expired / 100;
    let left = purged_down_to(rest, start, backing, &service).await?;
    let purge_seconds = start.elapsed().as_secs_f64();
    let purged = refresh(&mut service, arguments).await?;
    service.stop().await?;
    Ok(Loaded {
        kind,
        fill_seconds,
        few,
        many,
        purging,
        purged,
        purge_seconds,
        holding: after.since(&before),
        log_bytes_each: before
            .log_bytes
            .checked_div(before.sessions)
            .unwrap_or_default(),
        deleted: full.since(&left).sessions,
        deleted_meanwhile,
    })
}

async fn refresh(service: &mut Service, arguments: &Arguments) -> Result<Report> {
    let measured = Duration::try_from_secs_f64(arguments.seconds)?;
    let plan = service.plan(Duration::from_secs(2), measured);
    load::run(&plan, arguments.workers, &mut service.sessions).await
}

/// Waits for the server's own purge.
async fn purged_down_to(
    sessions: u64,
    start: Instant,
    backing: &Backing,
    service: &Service,
) -> Result<Holding> {
    loop {
        let left = holding(backing, service).await?;
        if left.sessions <= sessions {
            return Ok(left);
        }
        ensure!(
            start.elapsed() < PURGE_LIMIT,
            "{} sessions are not purged",
            left.sessions
        );
        sleep(Duration::from_secs(1)).await;
    }
}

async fn holding(backing: &Backing, service: &Service) -> Result<Holding> {
    let place = service.place().context("it has no place")?;
    Holding::of(backing, service.directory(), place).await
}

async fn stop(mut service: Service) -> Result<(Remains, Vec<String>)> {
    let sessions = std::mem::take(&mut service.sessions);
    Ok((service.stop().await?, sessions))
}

async fn fill(
    arguments: &Arguments,
    backing: &Backing,
    remains: &Remains,
    sessions: u64,
    expired: Option<&str>,
) -> Result<()> {
    let place = remains.place().context("it has no place")?;
    let mut command = Command::new(&arguments.fill);
    command
        .env("TENURE_STORE_URL", place.expose())
        .args(["--sessions", &sessions.to_string()])
        .args(expired);
    if backing.kind() == Kind::Redis {
        command.env("TENURE_STORE_SQL", beside(remains.directory()));
    }
    ensure!(command.status().await?.success(), "tenure-fill failed");
    Ok(())
}

/// The SQL store beside Redis.
fn beside(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("data").display())
}

fn say(text: &str) -> Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
