//! A Tenure deployment, looked at from outside and by its configuration.

mod ask;
mod checks;
mod documents;

use serde::{Deserialize, Serialize};

use crate::{Source, redact};

pub use self::ask::{Looked, NotAnAddress, Route, ask, look};
pub use self::checks::checks;

/// One check of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Stable, in kebab-case (`ready`, `store-durable`, `issuer-equal`).
    pub name: String,
    /// How it went.
    pub result: CheckResult,
    /// What was seen, in a sentence without secrets.
    pub says: String,
    /// Where.
    pub source: Source,
}

impl Check {
    /// A check by its name, with what was seen; that may quote the deployment.
    pub fn new(name: &str, result: CheckResult, says: impl Into<String>, source: Source) -> Self {
        Self {
            name: name.to_owned(),
            result,
            says: redact::id(&says.into()),
            source,
        }
    }
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// As it should be.
    Good,
    /// It works, but will not forever, or less well than it could.
    Warning,
    /// Users are turned away, or will be.
    Bad,
    /// It could not be looked at.
    Unknown,
}

#[cfg(test)]
mod tests;
