//! `tenure doctor logs`.

use tenure_doctor::case::Text;

use super::gathered::Gathered;
use super::read;
use crate::cli::doctor::LogFiles;
use crate::failure::Failure;

/// Reads logs; D3 streams them through the analyst.
pub(crate) fn gather(
    files: &[String],
    _args: LogFiles,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    for name in files {
        let text = read::text(name)?;
        gathered.inputs.logs.push(Text {
            name: name.clone(),
            text,
        });
    }
    Ok(())
}
