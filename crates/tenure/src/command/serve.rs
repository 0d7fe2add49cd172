//! `tenure serve`: the token service.

mod banner;
mod signals;

use std::future::pending;
use std::path::Path;

use tenure_server::Service;
use tenure_server::config::{self, Inputs, Loaded, Purpose, Watch};
use tenure_server::listen::{Certificate, Listener};

use crate::cli::Serve;
use crate::failure::Failure;
use crate::{log, print};

/// Runs the service until it is told to stop.
pub(crate) fn serve(args: Serve) -> Result<(), Failure> {
    log::start("info");
    let inputs = Inputs::of_process(args.flags(), Purpose::Serve);
    let watch = inputs.file().and_then(|file| watch(&file));
    let loaded = config::load(&inputs)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(loaded, watch))
}

async fn run(mut loaded: Loaded, watch: Option<Watch>) -> Result<(), Failure> {
    // First, because it fails without a trace in the data directory, and tells what port 0 became.
    let connections = loaded.config.limits.connections;
    let listener = Listener::bind(loaded.config.listen, connections)?;
    loaded.bound_to(listener.address());
    let monitor = loaded.config.monitor_listen;
    let monitor = monitor.map(|address| Listener::bind(address, connections));
    let monitor = monitor.transpose()?;
    loaded.config.monitor_listen = monitor.as_ref().map(Listener::address);
    let certificate = match &loaded.config.tls {
        Some(files) => Some(Certificate::open(files).await?),
        None => None,
    };
    let service = Service::open(loaded.config.clone()).await?;
    for warning in &loaded.warnings {
        tracing::warn!(event = "config_warning", warning);
    }
    let stop = signals::stop()?;
    banner::started(&loaded, &service)?;
    let scheme = if certificate.is_some() {
        "https"
    } else {
        "http"
    };
    let address = listener.address();
    let mut jobs = service.spawn_jobs();
    jobs.extend(signals::spawn_reloads(
        loaded,
        watch,
        service.clone(),
        certificate.clone(),
    )?);
    if let Some(monitor) = monitor {
        // It goes on until the last request is answered, so that the end can be watched.
        let router = service.monitor_router();
        jobs.push(tokio::spawn(async move {
            if let Err(error) = monitor.serve(router, None, pending()).await {
                tracing::error!(event = "monitoring_failed", %error);
            }
        }));
    }
    print::line(format_args!("listening on {scheme}://{address}"))?;
    let served = listener
        .serve(service.router(), certificate.as_ref(), stop)
        .await;
    for job in jobs {
        job.abort();
    }
    tracing::info!(event = "stopped");
    Ok(served?)
}

/// Before the file is read, so that no change of it falls in between.
fn watch(file: &Path) -> Option<Watch> {
    let watch = Watch::new(file);
    let watch = watch.inspect_err(|error| {
        tracing::warn!(event = "config_not_watched", %error, "SIGHUP still reloads");
    });
    watch.ok()
}
