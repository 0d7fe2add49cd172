//! What the service says when it starts: everything that was chosen, and what to try next.

use std::io;

use tenure_server::Service;
use tenure_server::config::Loaded;
use tenure_store::{Description, Place};

use crate::print;

const DEFAULT_ISSUER: &str = "http://127.0.0.1:8420";

/// Prints it.
pub(super) fn started(loaded: &Loaded, service: &Service) -> io::Result<()> {
    print::line(format_args!("Tenure {}", env!("CARGO_PKG_VERSION")))?;
    print::line("")?;
    for (name, value) in facts(loaded, service) {
        print::line(format_args!("  {name:15} {value}"))?;
    }
    print::line("")?;
    if loaded.config.store == Place::Memory {
        print::line("  THE STORE IS IN MEMORY: every session is lost when this process ends.")?;
        print::line("")?;
        tracing::warn!(
            event = "store_not_durable",
            "sessions are lost when this process ends"
        );
    }
    if loaded.config.dev {
        demo(loaded)?;
    }
    Ok(())
}

fn facts(loaded: &Loaded, service: &Service) -> Vec<(&'static str, String)> {
    let config = &loaded.config;
    let secret = loaded
        .sources
        .find("master_secret")
        .map(|entry| entry.source.to_string());
    let file = loaded.inputs.file().map_or_else(
        || "no file: defaults, environment and flags".to_owned(),
        |path| path.display().to_string(),
    );
    let clock = if config.dev {
        "the host's, which the clock endpoint of --dev can put forward"
    } else {
        "the host's"
    };
    let monitoring = config.monitor_listen.map_or_else(
        || "/metrics and /health/ready, on the address that apps use".to_owned(),
        |address| format!("http://{address}/metrics and /health/ready, only there"),
    );
    let algorithm = config.keys.algorithm.as_str();
    let issuer = ("issuer", config.issuer.clone());
    let rest = [
        (
            "signing key",
            format!("{} (new keys: {algorithm})", service.signing_kid()),
        ),
        ("master secret", secret.unwrap_or_default()),
        ("clock", clock.to_owned()),
        ("monitoring", monitoring),
        ("configuration", file),
        ("clients", config.clients.len().to_string()),
    ];
    let first = std::iter::once(issuer).chain(of_store(&service.store()));
    first.chain(rest).collect()
}

fn of_store(store: &Description) -> Vec<(&'static str, String)> {
    let durable = if store.durable {
        "durable"
    } else {
        "NOT durable"
    };
    let mut facts = vec![
        (
            "store",
            format!("{}, {durable}, {}", store.kind, store.place),
        ),
        ("revocations", store.revoke_durability.to_owned()),
    ];
    let settings = store.facts.iter();
    let settings: Vec<_> = settings
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !settings.is_empty() {
        facts.push(("store settings", settings.join(", ")));
    }
    facts
}

fn demo(loaded: &Loaded) -> io::Result<()> {
    let issuer = &loaded.config.issuer;
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "tenure".to_owned());
    let named = if issuer == DEFAULT_ISSUER {
        String::new()
    } else {
        format!(" --issuer {issuer}")
    };
    for line in [
        "  --dev: everybody on this machine can sign in with what follows.".to_owned(),
        format!(
            "  {:15} demo@example.com, password demo-password",
            "account"
        ),
        format!("  {:15} demo (public)", "client"),
        format!(
            "  {:15} demo-api, secret demo-secret (confidential)",
            "client"
        ),
        String::new(),
        "  Next, in another terminal:".to_owned(),
        format!("    {program} login{named}"),
        format!("    {program} status"),
        format!("    {program} call {issuer}/api/auth/me"),
        String::new(),
    ] {
        print::line(line)?;
    }
    Ok(())
}
