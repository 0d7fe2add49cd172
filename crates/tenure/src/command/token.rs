//! `tenure token`.

use tenure_client::Session;

use crate::failure::Failure;
use crate::profile::{Profile, settle};
use crate::{cli, print};

/// Prints a valid access token.
pub(crate) async fn token(args: cli::Profile) -> Result<(), Failure> {
    let config = Profile::new(args)?.config()?;
    let session = Session::open(config).await?;
    let token = session.access_token().await?;
    print::line(token.token.expose())?;
    settle(&session).await;
    Ok(())
}
