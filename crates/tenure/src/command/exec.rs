//! `tenure exec`: another program, with the session's token.

mod signals;
mod socket;

use std::ffi::OsString;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Duration;

use tenure_client::{Policy, Secret};

use super::wait_for;
use crate::cli::Exec;
use crate::failure::Failure;
use crate::profile::{Profile, settle};

use socket::Socket;

/// The profile, for a `tenure` that the program calls.
const PROFILE: &str = "TENURE_PROFILE";
/// Path of the socket that answers with a fresh token.
const SOCKET: &str = "TENURE_SOCKET";

/// Runs the program, and ends as it does.
pub(crate) fn exec(args: Exec) -> Result<ExitCode, Failure> {
    let profile = Profile::new(args.profile)?;
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(Failure::Usage("name a program after --".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(arguments).env(PROFILE, &profile.name);
    if args.socket {
        let status = wait_for(beside(command, program, &profile, args.lifetime.min_ttl))?;
        return Ok(code(status));
    }
    if !is_variable(&args.env) {
        let fix = "use letters, digits and _, without a digit at the start";
        return Err(Failure::Usage(format!("--env {:?}: {fix}", args.env)));
    }
    let token = wait_for(token(&profile, args.lifetime.min_ttl))?;
    command.env(&args.env, token.expose());
    // It takes this process over: signals and exit code are its own, and nothing of ours remains.
    Err(unstartable(program, command.exec()))
}

async fn token(profile: &Profile, min_ttl: Duration) -> Result<Secret, Failure> {
    let session = profile.open(profile.config()?).await?;
    let token = session.access_token_with(min_ttl).await;
    let token = token.map_err(|error| profile.told(error))?;
    settle(&session).await;
    Ok(token.token)
}

/// Stays beside the program, and keeps the token of the socket fresh.
async fn beside(
    command: Command,
    program: &OsString,
    profile: &Profile,
    min_ttl: Duration,
) -> Result<ExitStatus, Failure> {
    let background = Policy {
        background: true,
        ..Policy::default()
    };
    let session = profile.open(profile.config()?.policy(background)).await?;
    // Before the program runs: it should not be the one that learns of a missing session.
    let token = session.access_token_with(min_ttl).await;
    token.map_err(|error| profile.told(error))?;
    let socket = Socket::bind()?;
    let mut signals = signals::caught()?;
    let mut command = tokio::process::Command::from(command);
    command.env(SOCKET, socket.path());
    let mut child = command
        .spawn()
        .map_err(|error| unstartable(program, error))?;
    let serving = tokio::spawn(socket.serve(session.clone(), min_ttl));
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            Some(signal) = signals.recv() => signals::pass_on(signal, child.id())?,
        }
    };
    serving.abort();
    // Its end takes the socket away.
    let _aborted = serving.await;
    settle(&session).await;
    Ok(status)
}

/// What a shell would say of it.
fn code(status: ExitStatus) -> ExitCode {
    let killed = || 128 + status.signal().unwrap_or_default();
    let code = status.code().unwrap_or_else(killed);
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

fn unstartable(program: &OsString, error: std::io::Error) -> Failure {
    Failure::Program(program.to_string_lossy().into_owned(), error)
}

fn is_variable(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.chars().all(allowed)
}
