//! The client's vaults on disks that fail, under users without rights, and in a real keystore.

// Marked as tests, because there and only there helpers may `expect`.
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
