//! The log: JSON lines on stderr.

use tracing_subscriber::EnvFilter;

/// Starts it; `TENURE_LOG` says how much, such as `debug` or `tenure_client=info`.
pub(crate) fn start(default: &str) {
    let filter = EnvFilter::try_from_env("TENURE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
