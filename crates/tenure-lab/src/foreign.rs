//! Clients that others wrote: npm `openid-client` in a Node process, and `curl`.
//!
//! Neither passes a secret on its command line.

mod curl;
mod node;

use std::ffi::OsStr;

pub use self::curl::{Curl, CurlAnswer};
pub use self::node::{NodeClient, NodeError};

/// Whether a program is in the search path.
fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(OsStr::new(&path)).any(|folder| folder.join(program).is_file())
}
