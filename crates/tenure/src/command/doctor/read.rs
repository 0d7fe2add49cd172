//! Inputs by name.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use tenure_doctor::redact;

use crate::failure::Failure;

/// Bytes of a token, key or configuration file; larger ones are something else.
const LIMIT: u64 = 16 << 20;

/// The text of a file, or of stdin for `-`. What is not UTF-8 in it is replaced.
pub(crate) fn text(name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let mut reader = open(name)?.take(LIMIT + 1);
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(name, &error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Failure::Usage(format!(
            "{name} has more than {} MiB; logs are for --logs",
            LIMIT >> 20
        )));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whoever read it second would find it empty.
static STDIN_TAKEN: AtomicBool = AtomicBool::new(false);

/// A file, or stdin for `-`.
pub(crate) fn open(name: &str) -> Result<Box<dyn Read>, Failure> {
    if name == "-" {
        if STDIN_TAKEN.swap(true, Ordering::Relaxed) {
            return Err(Failure::Usage(
                "stdin (`-`) can be read for one input only".to_owned(),
            ));
        }
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(name).map_err(|error| unreadable(name, &error))?;
    Ok(Box::new(file))
}

/// A token given where its file's name belongs is not repeated.
fn unreadable(name: &str, error: &io::Error) -> Failure {
    let name = redact::text(name);
    Failure::Usage(format!("{name} cannot be read: {error}"))
}
