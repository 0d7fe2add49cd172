//! A Tenure deployment, looked at from outside and by its configuration.

use serde::{Deserialize, Serialize};

use crate::Source;

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
