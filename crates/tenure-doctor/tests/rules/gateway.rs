//! API gateway.
