//! Known texts: a name, and what the line holds. Compared without regard to case.

/// Names with what is looked for.
pub(super) const TEXTS: &[(&str, &str)] = &[
    (
        "envoy-jwt-expired",
        "jwt_authn_access_denied{jwt_is_expired}",
    ),
    (
        "nginx-auth-request-status",
        "auth request unexpected status",
    ),
    (
        "express-session-memory-store",
        "memorystore is not designed for a production environment",
    ),
];
