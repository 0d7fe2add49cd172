//! The SDK against servers that others wrote, really running.

#[cfg(test)]
mod bench;
#[cfg(test)]
#[path = "../processes/child.rs"]
#[expect(dead_code, reason = "other tests stop it, too")]
mod child;
#[cfg(test)]
mod cognito;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod memory_cache;
#[cfg(test)]
mod strict_rotation;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod workers;
