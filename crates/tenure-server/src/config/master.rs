//! The master secret: where it comes from, and how `--dev` makes one.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tenure_core::secret::Secret;

use super::load::{Inputs, Purpose};
use super::section::Section;
use super::source::Source;

const KEY: &str = "master_secret";
const VARIABLE: &str = "TENURE_MASTER_SECRET";
const FILE_NAME: &str = "master-secret";
const FIX: &str = "give at least 32 random bytes in TENURE_MASTER_SECRET, or the path of a file that holds them as master_secret_file or TENURE_MASTER_SECRET_FILE; make them with: openssl rand -base64 32";

/// Finds the master secret, or with `--dev` makes it.
pub(super) fn master_secret(root: &mut Section<'_>, inputs: &Inputs, data: &Path) -> Secret {
    root.refuse(KEY, "a secret does not belong in this file; put it into the environment as TENURE_MASTER_SECRET, or name its place as master_secret_file");
    let variable = root.variable(VARIABLE).map(|text| Secret::new(text.trim()));
    let file = root.path("master_secret_file");
    let found = match (variable, file) {
        (Some(_), Some(_)) => Err(format!(
            "stands both in {VARIABLE} and in a file; remove one of them"
        )),
        (Some(secret), None) => Ok((secret, Source::Environment(VARIABLE.to_owned()))),
        (None, Some(path)) => {
            warn_of_readers(root, &path);
            read_secret(&path).map(|secret| (secret, root.source("master_secret_file")))
        }
        (None, None) => generated(inputs, data),
    };
    let checked =
        found.and_then(|(secret, source)| weakness(&secret).map_or(Ok((secret, source)), Err));
    match checked {
        Ok((secret, source)) => {
            root.note(KEY, "set".to_owned(), source);
            secret
        }
        Err(message) => {
            root.complain(KEY, message);
            Secret::default()
        }
    }
}

/// True where `--dev` has made a master secret in this data directory.
pub(super) fn is_generated_in(data: &Path) -> bool {
    data.join(FILE_NAME).exists()
}

/// A secret in a file, without the white space around it; or why not.
pub(super) fn read_secret(path: &Path) -> Result<Secret, String> {
    fs::read_to_string(path)
        .map(|text| Secret::new(text.trim()))
        .map_err(|cause| {
            format!(
                "cannot read {}: {cause}; correct the path, or let this user read it",
                path.display()
            )
        })
}

fn generated(inputs: &Inputs, data: &Path) -> Result<(Secret, Source), String> {
    let path = data.join(FILE_NAME);
    if !inputs.flags.dev {
        return Err(format!("is missing; {FIX}"));
    }
    let secret = if path.exists() {
        read_secret(&path)?
    } else if inputs.purpose == Purpose::Inspect {
        fresh()?
    } else {
        let secret = fresh()?;
        write_once(&path, &secret).map_err(|cause| {
            let data = data.display();
            format!("cannot write to the data directory {data}: {cause}; choose another with --data, or change its owner")
        })?
    };
    Ok((secret, Source::Generated(path)))
}

fn fresh() -> Result<Secret, String> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| "the random generator failed".to_owned())?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// Writes the secret, unless another process was faster: then that one's counts.
fn write_once(path: &Path, secret: &Secret) -> Result<Secret, String> {
    let directory = path.parent().map(Path::to_owned).unwrap_or_default();
    // Written aside first: another process must never read half a secret.
    let aside = directory.join(format!(".{FILE_NAME}-{}", std::process::id()));
    let write = || {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)?;
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&aside)?;
        writeln!(file, "{}", secret.expose())?;
        file.sync_all()
    };
    write().map_err(|cause| cause.to_string())?;
    let linked = fs::hard_link(&aside, path);
    let removed = fs::remove_file(&aside);
    match linked.and(removed) {
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => read_secret(path),
        Err(cause) => Err(cause.to_string()),
        Ok(()) => Ok(secret.clone()),
    }
}

fn weakness(secret: &Secret) -> Option<String> {
    let text = secret.expose();
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let needed = if hexadecimal { 64 } else { 32 };
    if text.len() < needed {
        let what = if hexadecimal {
            "hexadecimal digits"
        } else {
            "characters"
        };
        return Some(format!(
            "has {} {what}, it needs at least {needed}; {FIX}",
            text.len()
        ));
    }
    let distinct: std::collections::BTreeSet<_> = text.bytes().collect();
    (distinct.len() < 10).then(|| format!("repeats the same few characters; {FIX}"))
}

fn warn_of_readers(root: &mut Section<'_>, path: &Path) {
    let readable = fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o004 != 0);
    if readable {
        root.warn(format!(
            "{} is readable by everyone on this machine; chmod 600 it",
            path.display()
        ));
    }
}
