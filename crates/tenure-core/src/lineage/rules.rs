//! The knobs of the rule, per client.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Retired tokens that a row remembers.
pub const RING: usize = 16;

const LONGEST_LATE_WINDOW: Duration = Duration::from_mins(1);

/// What happens to a refresh token that was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Retired when its successor is first presented. The default.
    #[default]
    RetireOnUse,
    /// Retired when its successor is issued: OWASP ASVS 10.4.5 read literally. A lost answer ends
    /// the session.
    Strict,
    /// Not rotated: for confidential or sender-constrained clients (FAPI 2.0 section 5.3.2.1).
    None,
}

/// How presentations of one client's tokens are judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// What happens to a used token.
    pub policy: Policy,
    /// How long a duplicate of an old request is taken for a late one, not for a thief.
    pub late_window: Duration,
    /// Retired tokens that a row remembers, at most [`RING`]; fewer than two are taken as two where
    /// lost writes retire two at once.
    pub ring: usize,
    /// Whether use of a copied head that was never advanced revokes the lineage or is only reported.
    pub revoke_on_parallel_use: bool,
}

impl Rules {
    /// The default rules for a client whose access tokens live `access_lifetime`: the late window is
    /// the smaller of 60 s and eight access-token lifetimes; `strict` knows no late duplicate.
    pub fn new(policy: Policy, access_lifetime: Duration) -> Self {
        let late_window = match policy {
            Policy::Strict => Duration::ZERO,
            Policy::RetireOnUse | Policy::None => {
                LONGEST_LATE_WINDOW.min(access_lifetime.saturating_mul(8))
            }
        };
        Self {
            policy,
            late_window,
            ring: RING,
            revoke_on_parallel_use: false,
        }
    }
}
