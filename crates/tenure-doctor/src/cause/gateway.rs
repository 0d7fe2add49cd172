//! API gateway: routes, policies, authorizers.
//!
//! Reasons and statuses are those of the developer guide of Amazon API Gateway (gateway response types; the
//! authorization flow; JWT authorizers of HTTP APIs), checked against an emulator where one has them.

mod authorizers;
mod http;
mod policies;
mod routes;
mod signs;
mod stale;

use super::Cause;

pub(crate) use self::signs::TEXTS;
pub(crate) use self::signs::logged::{LIMITS, TEXTS as LOGGED};

pub(super) const CAUSES: &[Cause] = &[
    routes::ROUTE,
    routes::SIGNATURE_PARSER,
    authorizers::UNAUTHORIZED,
    authorizers::EXPIRED,
    authorizers::DENY,
    authorizers::CACHED_POLICY,
    authorizers::BROKEN,
    authorizers::IDENTITY_SOURCE,
    policies::RESOURCE_POLICY,
    policies::AWS_SIGNATURE,
    policies::API_KEY,
    policies::FIREWALL,
    routes::STAGE,
    policies::CLIENT_CERTIFICATE,
    policies::RESPONSE_OVERRIDE,
    policies::THROTTLE,
    stale::DEPLOYED_IS_STALE,
    http::JWT,
    http::SCOPE,
    routes::HTTP_ROUTE,
    http::ALGORITHM,
    http::PREFLIGHT,
    http::KEYS_CACHED,
];
