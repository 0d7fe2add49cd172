//! Keys, issuer, claims and clock.

use super::Cause;

mod changed;
mod claims;
mod clock;
mod keys;
mod products;
mod secrets;
mod signs;

pub(crate) use signs::reasons::{TEXTS, gives_reason};

pub(super) const CAUSES: &[Cause] = &[
    keys::ROTATED,
    keys::REPLACED,
    keys::FOREIGN,
    keys::UNREACHABLE,
    keys::THROTTLED,
    keys::MALFORMED,
    secrets::DIFFERENT,
    secrets::OTHER_FORM,
    secrets::MADE_UP,
    secrets::ALGORITHM,
    claims::ISSUER,
    claims::AUDIENCE,
    claims::CLIENT,
    claims::TYPE,
    clock::EXPIRED,
    clock::SERVER_CLOCK,
    clock::DEVICE_CLOCK,
    clock::LEEWAY,
    claims::MISTYPED,
    clock::UNCHECKED,
    products::FIREBASE,
    products::DPOP,
    products::STEP_UP,
    products::MUTATED,
    changed::CHANGED,
];
