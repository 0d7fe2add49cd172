//! `tenure logout`.

use tenure_client::{Session, SignedOut};

use crate::failure::Failure;
use crate::profile::Profile;
use crate::{cli, print};

/// Signs out; without a session there is nothing to do, which is no failure.
pub(crate) async fn logout(args: cli::Profile) -> Result<(), Failure> {
    let config = match Profile::new(args)?.config() {
        Err(Failure::SignIn(_)) => return Ok(print::line("there is no session")?),
        config => config?,
    };
    let session = Session::open(config).await?;
    print::line(match session.sign_out().await? {
        SignedOut::Revoked => "signed out",
        SignedOut::Pending => {
            "signed out here; the service could not be reached and is told by the next command"
        }
        SignedOut::Nothing => "there is no session",
    })?;
    Ok(())
}
