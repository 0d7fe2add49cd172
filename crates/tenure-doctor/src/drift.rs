//! Who believes what: issuer, audience, client, pool, keys, secrets, from every place that says so.

use serde::{Deserialize, Serialize};

use crate::Source;

/// What one place says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Belief {
    /// About what.
    pub about: Subject,
    /// Its value; for [`Subject::Secret`] a fingerprint, for a reference what it points to.
    pub value: String,
    /// The name under which it stands there (`JWT_SECRET`, `ProviderARNs`).
    pub name: String,
    /// Where.
    pub source: Source,
    /// Which part of the whole the place belongs to.
    pub held_by: Holder,
    /// When a change there becomes effective.
    pub effective: Effective,
}

/// About what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// `iss`.
    Issuer,
    /// `aud`.
    Audience,
    /// Client id.
    ClientId,
    /// Amazon Cognito user pool id.
    UserPool,
    /// Where the keys are.
    JwksUri,
    /// A shared signing secret.
    Secret,
    /// The signature algorithm.
    Algorithm,
    /// Seconds that clocks may differ.
    Leeway,
    /// Address of the session store.
    Store,
}

/// Which part of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// The token itself.
    Token,
    /// The app.
    Client,
    /// What issues tokens.
    Issuer,
    /// What verifies tokens.
    Verifier,
    /// A parameter store or secrets manager.
    Parameters,
    /// A template that is deployed.
    Template,
    /// What is deployed now.
    Deployed,
    /// It cannot be told.
    Unknown,
}

/// When a change becomes effective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effective {
    /// At once.
    Now,
    /// When the process starts again.
    Restart,
    /// When the app is built again.
    Build,
    /// When the stack is deployed with a changed template.
    Deploy,
    /// It cannot be told.
    Unknown,
}
