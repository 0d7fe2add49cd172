//! The client's vaults on disks that fail, under users without rights, and in a real keystore.

// Marked as tests, because there and only there helpers may `expect`.
#[cfg(test)]
#[path = "../incidents/backend.rs"]
#[expect(dead_code, reason = "the incidents use more of it")]
mod backend;
#[cfg(test)]
#[path = "../classification/clock.rs"]
mod clock;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod keyring;
#[cfg(test)]
#[path = "../../../tenure-client/tests/vault/kinds.rs"]
mod kinds;
#[cfg(test)]
mod permission;
#[cfg(test)]
#[path = "../../../tenure-client/tests/vault/suite/mod.rs"]
mod suite;
