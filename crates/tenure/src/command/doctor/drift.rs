//! `tenure doctor drift`.

use tenure_doctor::case::Text;

use super::gathered::Gathered;
use super::read;
use crate::cli::doctor::Files;
use crate::failure::Failure;

/// Reads configuration files.
#[expect(clippy::unused_async, reason = "D4 asks AWS here")]
pub(crate) async fn gather(
    files: &[String],
    _args: Files,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    for name in files {
        let text = read::text(name)?;
        gathered.inputs.files.push(Text {
            name: name.clone(),
            text,
        });
    }
    Ok(())
}
