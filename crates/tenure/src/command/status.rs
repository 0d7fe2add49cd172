//! `tenure status`.

use tenure_client::{Clock as _, Millis, State, SystemClock};
use tenure_core::time::Timestamp;

use crate::failure::Failure;
use crate::profile::{Profile, settle};
use crate::{cli, print, time};

/// Says where the session stands, without a refresh; exit code 3 where there is none.
pub(crate) async fn status(args: cli::Profile) -> Result<(), Failure> {
    let profile = Profile::new(args)?;
    let config = profile.config()?;
    let issuer = config.issuer().to_owned();
    let client = profile.client()?;
    let session = profile.open(config).await?;
    settle(&session).await;
    let token = match session.state() {
        State::SignedOut { reason } => return Err(Failure::signed_out(reason, &profile.name)),
        State::StorageLocked => {
            let fix = "check the permissions of its directory and the space on its disk";
            let place = profile.vault.directory().display();
            return Err(Failure::Other(anyhow::anyhow!(
                "{place} cannot be read now; {fix}"
            )));
        }
        State::Active { expires_at } => lifetime(expires_at),
        State::Restoring | State::Refreshing => "being refreshed".to_owned(),
        State::Degraded { cause, .. } => format!("not refreshed: {cause}; the session is kept"),
        State::Refused { hint } => hint,
    };
    print::line("signed in")?;
    for (name, value) in [
        ("issuer", issuer),
        ("client", client),
        ("access token", token),
        (
            "profile",
            format!(
                "{} in {}",
                profile.name,
                profile.vault.directory().display()
            ),
        ),
    ] {
        print::line(format_args!("  {name:14} {value}"))?;
    }
    Ok(())
}

fn lifetime(expires_at: Millis) -> String {
    let end = Timestamp(expires_at.0 / 1000);
    let now = Timestamp(SystemClock::new().wall().0 / 1000);
    if end <= now {
        return "expired; the next use refreshes it".to_owned();
    }
    format!(
        "valid for {}, until {}",
        time::span(end.since(now)),
        time::show(end)
    )
}
