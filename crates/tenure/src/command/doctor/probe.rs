//! `tenure doctor probe`.

mod progress;
mod subject;

use tenure_doctor::probe::{Options, examine};

use self::progress::Progress;
use super::gathered::Gathered;
use super::wire::wire;
use crate::cli::doctor::Request;
use crate::failure::Failure;

/// Sends the probes.
pub(crate) async fn gather(
    url: String,
    args: Request,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    let options = options(&args)?;
    let budget = args.budget;
    let subject = subject::subject(url, args, gathered)?;
    let wire = wire(options)?;
    let mut progress = Progress::new(gathered, budget);
    let (exchanges, stop) = examine(&wire, &subject, budget, &mut progress).await;
    progress.end(&exchanges, &stop);
    gathered.inputs.exchanges.extend(exchanges);
    Ok(())
}

fn options(args: &Request) -> Result<Options, Failure> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path)
            .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())))
    };
    Ok(Options {
        timeout: args.timeout,
        ca: args.ca.as_ref().map(read).transpose()?,
        ..Options::default()
    })
}
