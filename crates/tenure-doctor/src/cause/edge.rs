//! CDN, firewall and proxy.

mod arrived;
mod cdn;
mod proxy;
pub(crate) mod signs;
mod waf;

use super::Cause;

pub(crate) use signs::{LOGGED, TEXTS};

pub(super) const CAUSES: &[Cause] = &[
    cdn::CLOUDFRONT_REMOVES,
    cdn::REFUSAL_CACHED,
    cdn::SUCCESS_CACHED,
    waf::CLOUDFLARE,
    waf::AT_GATEWAY,
    waf::AT_CLOUDFRONT_OR_BALANCER,
    waf::AT_COGNITO,
    waf::PLATFORM_GATE,
    proxy::BASIC_GATE,
    proxy::OVERWRITES,
    proxy::ENVOY_CONSUMES,
    proxy::APACHE_DROPS,
    proxy::UNDERSCORES,
    proxy::CHALLENGE_RENAMED,
    proxy::LOGIN_REDIRECT,
];
