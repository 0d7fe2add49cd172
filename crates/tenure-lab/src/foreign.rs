//! Clients and servers that others wrote.
//!
//! Clients: npm `openid-client` in a Node process, and `curl`; neither passes a secret on its command
//! line. Servers: npm `oidc-provider`, PyPI `ministack` for Cognito, and a backend on FastAPI.

mod backend;
mod cognito;
mod curl;
mod node;
mod oidc_provider;

use std::path::PathBuf;

pub use self::backend::{Backend, Storage};
pub use self::cognito::CognitoEmulator;
pub use self::curl::{Curl, CurlAnswer};
pub use self::node::{NodeClient, NodeError};
pub use self::oidc_provider::{Minted, OidcProvider};

/// Where the programs' sources and packages are.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("foreign")
}

/// A program that `cargo xtask setup` installs in `folder`, or why there is none.
fn package(program: &str) -> Result<PathBuf, String> {
    let path = folder().join(program);
    if path.exists() {
        return Ok(path);
    }
    Err(format!(
        "foreign/{program} is missing; run cargo xtask setup"
    ))
}
