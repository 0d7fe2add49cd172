//! One endpoint, one file: it extracts, asks the rules, stores, and answers.

pub(crate) mod admin;
pub(crate) mod api;
pub(crate) mod authorize;
pub(crate) mod dev_clock;
pub(crate) mod device;
pub(crate) mod discovery;
pub(crate) mod health;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod metrics;
pub(crate) mod outbox;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod userinfo;
