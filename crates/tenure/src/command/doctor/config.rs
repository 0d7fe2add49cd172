//! `tenure doctor config`.

use super::gathered::Gathered;
use crate::cli::Place;
use crate::failure::Failure;

/// Checks a deployment; D4 adds what is looked at.
#[expect(clippy::unused_async, reason = "D4 asks the deployment here")]
pub(crate) async fn gather(place: Place, gathered: &mut Gathered) -> Result<(), Failure> {
    let _flags = place.flags();
    gathered.deployment.clear();
    Ok(())
}
