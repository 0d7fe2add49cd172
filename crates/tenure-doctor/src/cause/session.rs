//! Sessions and refreshes.

use super::Cause;

mod client;
mod issuer;
mod signs;
mod texts;

pub(crate) use signs::said::OVER_AT_REFRESH;
pub(crate) use texts::TEXTS;

pub(super) const CAUSES: &[Cause] = &[
    client::NEVER_REFRESHED,
    client::RACE,
    client::ANSWER_LOST,
    client::WIPED,
    client::BLANK,
    issuer::IN_MEMORY,
    issuer::DEVICE,
    issuer::CLIENT_GONE,
    issuer::STILL_ACCEPTED,
    issuer::OVER,
    client::UNTOLD,
    client::LOGIN_LOOP,
    issuer::WAIT_PERIOD,
];
