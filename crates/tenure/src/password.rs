//! Passwords and sign-in links come from a prompt or from stdin: an argument would stand in the
//! process list.

use std::io::{self, BufRead as _, IsTerminal as _};

use tenure_core::secret::Secret;

use crate::failure::Failure;

/// An existing password.
pub(crate) fn ask() -> Result<Secret, Failure> {
    secret("Password: ", "password")
}

/// A link from a mail.
pub(crate) fn ask_link() -> Result<Secret, Failure> {
    secret("Link: ", "link")
}

fn secret(prompt: &str, what: &str) -> Result<Secret, Failure> {
    if io::stdin().is_terminal() {
        return Ok(Secret::new(rpassword::prompt_password(prompt)?));
    }
    from_stdin(what)
}

/// A new password; at a prompt it is typed twice.
pub(crate) fn ask_new() -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        return from_stdin("password");
    }
    let first = Secret::new(rpassword::prompt_password("New password: ")?);
    let second = Secret::new(rpassword::prompt_password("Again: ")?);
    if first == second {
        Ok(first)
    } else {
        Err(Failure::Usage(
            "the two passwords differ; try again".to_owned(),
        ))
    }
}

fn from_stdin(what: &str) -> Result<Secret, Failure> {
    let mut text = String::new();
    io::stdin().lock().read_line(&mut text)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        let fix = "pipe it in, or run this in a terminal to be asked";
        return Err(Failure::Usage(format!("no {what} on stdin; {fix}")));
    }
    Ok(Secret::new(text))
}
