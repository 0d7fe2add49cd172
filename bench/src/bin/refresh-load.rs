//! `refresh-load`: closed-loop load on the `refresh_token` grant of any OAuth 2 token endpoint.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use tenure_bench::comparison::write_runs;
use tenure_bench::http::Endpoint;
use tenure_bench::load::{self, Client, Plan};

/// Load on the refresh grant of any OAuth 2 token endpoint, closed loop, one connection per worker.
///
/// Ends with 1 if any answer was an error, or none came.
#[derive(Debug, Parser)]
struct Arguments {
    /// Token endpoint, http:// only
    #[arg(long)]
    url: String,
    /// Client that the refresh tokens were issued to
    #[arg(long)]
    client_id: String,
    /// File with the client's secret; without it the client is public
    #[arg(long)]
    client_secret_file: Option<PathBuf>,
    /// File with one refresh token per line; after each run it holds the tokens that are live then
    #[arg(long)]
    tokens: PathBuf,
    /// Worker counts, one run each
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    workers: Vec<usize>,
    /// Measured seconds per run
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds of load before each measurement
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
    /// Process whose CPU time and memory, with its descendants', are the server's (repeatable)
    #[arg(long = "server-pid")]
    server_pids: Vec<u32>,
    /// Process whose CPU time and memory, with its descendants', are the store's (repeatable)
    #[arg(long = "store-pid")]
    store_pids: Vec<u32>,
    /// Port on which the store listens, to count the bytes between it and the server
    #[arg(long)]
    store_port: Option<u16>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let plan = plan(&arguments)?;
    let mut sessions = read_lines(&arguments.tokens)?;
    let mut reports = Vec::new();
    for workers in &arguments.workers {
        reports.push(load::run(&plan, *workers, &mut sessions).await?);
        write_lines(&arguments.tokens, &sessions)?;
    }
    let mut output = String::new();
    if arguments.json {
        output = serde_json::to_string_pretty(&reports)?;
        output.push('\n');
    } else {
        write_runs(&mut output, &reports)?;
    }
    std::io::stdout().write_all(output.as_bytes())?;
    let clean = reports
        .iter()
        .all(|report| report.refreshes > 0 && report.errors.is_empty());
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let secret = match &arguments.client_secret_file {
        Some(file) => Some(read(file)?.trim().to_owned()),
        None => None,
    };
    Ok(Plan {
        endpoint: Endpoint::parse(&arguments.url)?,
        client: Client {
            id: arguments.client_id.clone(),
            secret,
        },
        server_pids: arguments.server_pids.clone(),
        store_pids: arguments.store_pids.clone(),
        store_port: arguments.store_port,
        warm_up: Duration::try_from_secs_f64(arguments.warm_up)?,
        measured: Duration::try_from_secs_f64(arguments.seconds)?,
    })
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{}", file.display()))
}

fn read_lines(file: &Path) -> Result<Vec<String>> {
    Ok(read(file)?
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect())
}

// Beside the file and then over it: a kill in between must not cost the live tokens.
fn write_lines(file: &Path, lines: &[String]) -> Result<()> {
    let directory = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut fresh = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    for line in lines {
        writeln!(fresh, "{line}")?;
    }
    fresh.persist(file)?;
    Ok(())
}
