//! `tenure doctor config`.

use std::time::Duration;

use tenure_doctor::Source;
use tenure_doctor::deployment::{Check, CheckResult, checks, look};
use tenure_doctor::probe::Options;
use tenure_server::config::{self, Config, Inputs, Problem, Purpose};

use super::gathered::Gathered;
use super::wire::wire;
use crate::cli::Place;
use crate::failure::Failure;
use crate::time;

/// Checks the configuration that a service would run on, and the service itself where its URL is given.
pub(crate) async fn gather(
    url: Option<String>,
    origin: Option<&str>,
    place: Place,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    let inputs = Inputs::of_process(place.flags(), Purpose::Inspect);
    if url.is_none() || inputs.file().is_some() {
        gathered
            .deployment
            .extend(configuration(&inputs, url.as_deref()));
    }
    if let Some(url) = url {
        let wire = wire(Options::default())?;
        let looked = look(&wire, &url, origin)
            .await
            .map_err(|error| Failure::Usage(error.to_string()))?;
        gathered
            .deployment
            .extend(checks(&looked, gathered.inputs.now));
    }
    Ok(())
}

/// What `tenure config check` says, and what follows for users.
fn configuration(inputs: &Inputs, url: Option<&str>) -> Vec<Check> {
    let whole = || match inputs.file() {
        Some(file) => Source::File(file.display().to_string(), None),
        None => Source::Deployment("configuration".to_owned()),
    };
    let loaded = match config::load(inputs) {
        Ok(loaded) => loaded,
        Err(rejected) => {
            return rejected
                .problems
                .iter()
                .map(|one| problem(one, whole()))
                .collect();
        }
    };
    let say = |name: &str, result, says: String| Check::new(name, result, says, whole());
    let clients = loaded.config.clients.len();
    let mut checks = vec![say(
        "configuration",
        CheckResult::Good,
        format!("sound: {clients} clients"),
    )];
    let warnings = loaded.warnings.iter();
    checks.extend(
        warnings.map(|warning| say("configuration", CheckResult::Warning, warning.clone())),
    );
    if let Some(url) = url {
        let issuer = &loaded.config.issuer;
        let (result, says) = if url.trim_end_matches('/') == issuer {
            (
                CheckResult::Good,
                format!("the file's issuer is {issuer}, as asked"),
            )
        } else {
            (
                CheckResult::Bad,
                format!("the file's issuer is {issuer}, and {url} was asked"),
            )
        };
        checks.push(say("configured-issuer", result, says));
    }
    checks.extend(lifetimes(&loaded.config).map(|(result, says)| say("lifetimes", result, says)));
    checks
}

/// Longer, and a right that was taken away goes on too long.
const LONGEST_ACCESS: Duration = Duration::from_hours(1);
/// Shorter, and every second request is a refresh.
const SHORTEST_ACCESS: Duration = Duration::from_mins(2);

fn lifetimes(config: &Config) -> impl Iterator<Item = (CheckResult, String)> {
    config.clients.values().map(|client| {
        let lifetimes = &client.lifetimes;
        let all = format!(
            "{}: access {}, unused session {}, session {}",
            client.id,
            time::span(lifetimes.access),
            time::span(lifetimes.idle),
            time::span(lifetimes.absolute)
        );
        match lifetimes.access {
            access if access > LONGEST_ACCESS => (
                CheckResult::Warning,
                format!("{all}; a verifier that does not ask the service takes a token of an ended session that long"),
            ),
            access if access < SHORTEST_ACCESS => (
                CheckResult::Warning,
                format!("{all}; clocks that differ by a minute leave almost nothing of an access token"),
            ),
            _ => (CheckResult::Good, all),
        }
    })
}

fn problem(problem: &Problem, whole: Source) -> Check {
    let source = match &problem.source {
        config::Source::File { path, line } => {
            Source::File(path.display().to_string(), u64::try_from(*line).ok())
        }
        _ => whole,
    };
    let says = format!("{} {}", problem.key, problem.message);
    Check::new("configuration", CheckResult::Bad, says.trim(), source)
}
