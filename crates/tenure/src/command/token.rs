//! `tenure token`.

use crate::cli::Token;
use crate::failure::Failure;
use crate::print;
use crate::profile::{Profile, settle};

/// Prints a valid access token.
pub(crate) async fn token(args: Token) -> Result<(), Failure> {
    let profile = Profile::new(args.profile)?;
    let session = profile.open(profile.config()?).await?;
    let token = session.access_token_with(args.lifetime.min_ttl).await;
    print::line(token.map_err(|error| profile.told(error))?.token.expose())?;
    settle(&session).await;
    Ok(())
}
