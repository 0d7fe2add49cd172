//! `tenure doctor probe`.

use tenure_doctor::case::Target;

use super::gathered::Gathered;
use crate::cli::doctor::Request;
use crate::failure::Failure;

/// Sends the probes.
#[expect(clippy::unused_async, reason = "D1 sends the probes here")]
pub(crate) async fn gather(
    url: String,
    args: Request,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    gathered.inputs.target = Some(Target {
        url,
        method: args.method,
        origin: args.origin,
        issuer: args.issuer,
    });
    Ok(())
}
