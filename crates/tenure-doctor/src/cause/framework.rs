//! Frameworks and authorization.

use super::Cause;

mod grant;
mod grants;
mod libraries;
mod proxies;
mod services;
mod signs;

pub(crate) use self::signs::forgery::words::LOGGED as FORGERY_LOGGED;
pub(crate) use self::signs::{LOGGED, TEXTS};

pub(super) const CAUSES: &[Cause] = &[
    services::SUPABASE,
    services::POSTGREST,
    services::OAUTH2_PROXY,
    libraries::FASTAPI,
    libraries::DJANGO_REST,
    libraries::SPRING_ERROR,
    libraries::FORGERY_TOKEN,
    libraries::PUBLIC_ENDPOINT,
    proxies::EXT_AUTHZ,
    proxies::AUTH_REQUEST,
    proxies::FORWARD_AUTH,
    proxies::MESH_POLICY,
    grants::LACKING,
    grants::STALE,
    grants::ELSEWHERE,
    services::LOAD_BALANCER,
    libraries::JWT_AUTHORIZER,
    libraries::AXUM_JWT_AUTH,
];
