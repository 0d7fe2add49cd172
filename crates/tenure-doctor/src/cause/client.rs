//! Client and transport.

use super::Cause;

mod browsed;
mod browser;
mod cookies;
mod cors;
mod header;
mod kind;
mod presented;
mod redirect;
mod request;
mod signs;
mod transport;

pub(crate) use presented::LOGGED;
pub(crate) use signs::TEXTS;
pub(crate) use signs::console::TEXTS as CONSOLE;

pub(super) const CAUSES: &[Cause] = &[
    header::NEVER_ATTACHED,
    header::WORD_IN_PLACE,
    header::OTHER_SCHEME,
    header::CASE_SENSITIVE,
    header::SPOILED,
    header::TWO_TOKENS,
    transport::DROPPED_BY_REDIRECT,
    transport::SLASH_TO_HTTP,
    transport::UPGRADE,
    browser::PREFLIGHT_NEEDS_TOKEN,
    browser::REFUSAL_WITHOUT_CORS,
    browser::COOKIE_NOT_SENT,
    kind::TOO_LARGE,
    kind::ID_TOKEN,
    kind::OPAQUE,
];
