//! Signals and file changes that a running service obeys.

use std::future::Future;
use std::io;

use tenure_server::Service;
use tenure_server::config::{Loaded, Watch};
use tenure_server::listen::Certificate;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Ready when the process is told to stop, by SIGTERM or SIGINT.
pub(super) fn stop() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(
            event = "stopping",
            "no new connections; requests in flight are answered"
        );
    })
}

/// Reloads on SIGHUP and when the configuration file changes.
pub(super) fn spawn_reloads(
    loaded: Loaded,
    watch: Option<Watch>,
    service: Service,
    certificate: Option<Certificate>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let mut hang_up = signal(SignalKind::hangup())?;
    let (tell, told) = mpsc::channel(1);
    let signalled = tell.clone();
    let mut jobs = vec![
        tokio::spawn(reloads(loaded, service, certificate, told)),
        tokio::spawn(async move {
            while hang_up.recv().await.is_some() {
                ask(&signalled);
            }
        }),
    ];
    if let Some(mut watch) = watch {
        jobs.push(tokio::spawn(async move {
            while watch.changed().await {
                ask(&tell);
            }
        }));
    }
    Ok(jobs)
}

/// One waiting reload is as good as many.
fn ask(tell: &mpsc::Sender<()>) {
    let _full = tell.try_send(());
}

async fn reloads(
    mut loaded: Loaded,
    service: Service,
    certificate: Option<Certificate>,
    mut told: mpsc::Receiver<()>,
) {
    while told.recv().await.is_some() {
        match loaded.reload() {
            Ok(next) => {
                for warning in &next.warnings {
                    tracing::warn!(event = "config_warning", warning);
                }
                service.reload(next.config.clone());
                loaded = next;
            }
            Err(rejected) => {
                for problem in &rejected.problems {
                    tracing::error!(event = "config_rejected", %problem, "the old one stays");
                }
            }
        }
        if let Some(certificate) = &certificate
            && let Err(error) = certificate.reload().await
        {
            tracing::error!(event = "certificate_rejected", %error, "the old one stays");
        }
    }
}
