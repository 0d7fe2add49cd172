//! `tenure doctor`: gathers what is given, and answers once.

mod address;
mod answer;
mod config;
mod drift;
mod explain;
mod gathered;
mod logs;
mod probe;
mod read;
mod report;
mod token;
mod wire;

use std::process::ExitCode;

use tenure_server::Clock;

use self::answer::answer;
use self::gathered::Gathered;
use crate::cli::doctor::{Doctor, Examine, Sources};
use crate::failure::Failure;

/// Looks at what was given, prints the diagnosis, and answers its exit code.
pub(crate) async fn doctor(args: Doctor) -> Result<ExitCode, Failure> {
    // Boxed: with AWS, this future is large.
    Box::pin(look(args)).await.map_err(|failure| match failure {
        // Exit code 1 says that a cause was found, which a full disk must not.
        Failure::Other(error) => Failure::Usage(format!("{error:#}")),
        failure => failure,
    })
}

async fn look(args: Doctor) -> Result<ExitCode, Failure> {
    let mut gathered = Gathered::at(Clock::system().host());
    let output = match args.what {
        None => {
            gather(args.sources, &mut gathered).await?;
            args.output
        }
        Some(Examine::Token(args)) => return token::token(args, gathered).await,
        Some(Examine::Probe(args)) => {
            token::gather(args.tokens, &mut gathered)?;
            probe::gather(args.url, args.request, &mut gathered).await?;
            args.output
        }
        Some(Examine::Drift(args)) => {
            token::gather(args.tokens, &mut gathered)?;
            drift::gather(&args.files, args.more, &mut gathered).await?;
            args.output
        }
        Some(Examine::Logs(args)) => {
            logs::gather(&args.files, &mut gathered)?;
            args.output
        }
        Some(Examine::Config(args)) => {
            config::gather(args.url, args.origin.as_deref(), args.place, &mut gathered).await?;
            args.output
        }
        Some(Examine::Report(args)) => return report::report(args, gathered).await,
        Some(Examine::Explain(args)) => return explain::explain(&args),
    };
    answer(&gathered.evidence(), &output)
}

/// Everything that was given, together.
async fn gather(sources: Sources, gathered: &mut Gathered) -> Result<(), Failure> {
    token::gather(sources.tokens, gathered)?;
    drift::gather(&sources.files, sources.more_files, gathered).await?;
    logs::gather(&sources.logs, gathered)?;
    if let Some(url) = sources.url {
        probe::gather(url, sources.request, gathered).await?;
    }
    Ok(())
}
