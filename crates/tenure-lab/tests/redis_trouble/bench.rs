//! A service with its sessions in Redis and everything else in SQLite.

use tenure_lab::redis::Engine;
use tenure_lab::servers::Servers;

/// One server on the Redis at `url`.
pub(crate) async fn serve(url: &str) -> Servers {
    let store = [("TENURE_STORE_URL", url)];
    Servers::start(1, &store).await.unwrap()
}

/// Presentations that were ahead of the store and adopted.
pub(crate) async fn adopted(servers: &Servers) -> u64 {
    let ahead = [("verdict", "ahead")];
    let adopted = servers.count("tenure_refreshes_total", &ahead).await;
    adopted.unwrap()
}

/// The engine that a test runs on, and both under `TENURE_FULL=1`; one that is not installed is a
/// counted skip.
pub(crate) fn engines(usual: Engine) -> Vec<Engine> {
    let wanted = if is_full() {
        Engine::ALL.to_vec()
    } else {
        vec![usual]
    };
    let here = |engine: Engine| engine.or_skip().unwrap();
    wanted.into_iter().filter_map(here).collect()
}

/// More under `TENURE_FULL=1`.
pub(crate) fn times(few: usize, many: usize) -> usize {
    if is_full() { many } else { few }
}

fn is_full() -> bool {
    std::env::var_os("TENURE_FULL").is_some()
}
