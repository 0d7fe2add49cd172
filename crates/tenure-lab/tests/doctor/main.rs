//! `tenure doctor` from outside: the built program against systems that live for one test.

// Marked as tests, because there and only there helpers may unwrap.
#[cfg(test)]
mod api;
#[cfg(test)]
mod incidents;
#[cfg(test)]
mod mint;
#[cfg(test)]
mod nginx;
#[cfg(test)]
mod place;
#[cfg(test)]
mod runbook;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod verifiers;
