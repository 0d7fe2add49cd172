//! Keys, issuer, claims and clock.
