//! Tenure's own service.

use super::Cause;

mod deployment;
mod endings;
mod service;
mod signs;
mod texts;

pub(crate) use signs::SESSION_ENDED;
pub(crate) use texts::TEXTS;

pub(super) const CAUSES: &[Cause] = &[
    endings::ENDED_ON_PURPOSE,
    endings::ACCOUNT_DISABLED,
    endings::CLIENT_REMOVED,
    endings::COPIED,
    service::STORE_DOWN,
    service::MEMORY_STORE,
    deployment::OTHER_ISSUER,
    service::CLOCK,
    service::TOO_MANY,
    deployment::ORIGIN_UNKNOWN,
    deployment::COOKIE_MODE,
    endings::OVER,
    deployment::KEYS_NOT_PUBLISHED,
    deployment::SOMETHING_IN_FRONT,
    deployment::PLAIN_HTTP,
    deployment::UNREACHABLE,
];
