//! Prometheus metrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tenure_core::lineage::EndCause;
use tenure_store::Store;

use crate::state::AppState;
use crate::watch::shortcomings;

/// The counters of one process.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    refreshes: Family<VerdictLabel, Counter>,
    sign_outs: Family<ReasonLabel, Counter>,
    devices: Family<StepLabel, Counter>,
    /// Seconds that the store took for one read or write of a refresh.
    pub(crate) store_seconds: Histogram,
    commits: Gauge,
    writes: Gauge,
    failed_commits: Gauge,
    guarantees: Family<GuaranteeLabel, Gauge>,
    shortcomings: Gauge,
    clock_trusted: Gauge,
    clock_difference: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabel {
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GuaranteeLabel {
    level: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: &'static str,
}

impl Metrics {
    pub(crate) fn new(store: &dyn Store) -> Self {
        let described = store.describe();
        let labels = [
            ("store".into(), described.kind.into()),
            ("durable".into(), described.durable.to_string().into()),
        ];
        let mut registry = Registry::with_prefix_and_labels("tenure", labels.into_iter());
        let buckets = [
            0.000_01, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0,
        ];
        let metrics = Self {
            refreshes: Family::default(),
            sign_outs: Family::default(),
            devices: Family::default(),
            store_seconds: Histogram::new(buckets),
            commits: Gauge::default(),
            writes: Gauge::default(),
            failed_commits: Gauge::default(),
            guarantees: Family::default(),
            shortcomings: Gauge::default(),
            clock_trusted: Gauge::default(),
            clock_difference: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register(
            "refreshes",
            "Presentations of a refresh token",
            metrics.refreshes.clone(),
        );
        registry.register(
            "sign_outs",
            "Definitive ends told to a client",
            metrics.sign_outs.clone(),
        );
        registry.register(
            "device_authorizations",
            "Steps of device authorizations",
            metrics.devices.clone(),
        );
        registry.register(
            "store_seconds",
            "Time of one read or write of a refresh in the store",
            metrics.store_seconds.clone(),
        );
        registry.register("store_commits", "Groups committed", metrics.commits.clone());
        registry.register(
            "store_writes",
            "Writes in those groups",
            metrics.writes.clone(),
        );
        registry.register(
            "store_failed_commits",
            "Groups lost",
            metrics.failed_commits.clone(),
        );
        metrics.register_standing(&mut registry);
        Self {
            registry,
            ..metrics
        }
    }

    fn register_standing(&self, registry: &mut Registry) {
        registry.register(
            "store_revoke_durability",
            "1 for where an acknowledged revocation is kept now",
            self.guarantees.clone(),
        );
        registry.register(
            "store_shortcomings",
            "Guarantees that the store does not give now; /health/ready names them",
            self.shortcomings.clone(),
        );
        registry.register(
            "clock_trusted",
            "1 while the clock of this machine is believed",
            self.clock_trusted.clone(),
        );
        registry.register(
            "clock_store_ahead_seconds",
            "How far the store's clock was ahead of this machine's at the last comparison",
            self.clock_difference.clone(),
        );
    }

    /// One presentation of a refresh token.
    pub(crate) fn refreshed(&self, verdict: &'static str) {
        self.refreshes
            .get_or_create(&VerdictLabel { verdict })
            .inc();
    }

    /// One client told that its session is over.
    pub(crate) fn signed_out(&self, reason: EndCause) {
        self.sign_outs
            .get_or_create(&ReasonLabel {
                reason: reason.as_str(),
            })
            .inc();
    }

    /// One step of a device authorization: `begun`, `allowed`, `denied`, `redeemed`, `expired` or
    /// `replayed`.
    pub(crate) fn device(&self, step: &'static str) {
        self.devices.get_or_create(&StepLabel { step }).inc();
    }

    /// The exposition text.
    pub(crate) fn text(&self, state: &AppState) -> String {
        let counters = state.store.counters();
        let gauge = |gauge: &Gauge, value: u64| {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        gauge(&self.commits, counters.commits);
        gauge(&self.writes, counters.writes);
        gauge(&self.failed_commits, counters.failed_commits);
        let described = state.described.load();
        let level = described.revoke_durability;
        self.guarantees.clear();
        self.guarantees
            .get_or_create(&GuaranteeLabel { level })
            .set(1);
        gauge(&self.shortcomings, shortcomings(&described).len() as u64);
        gauge(
            &self.clock_trusted,
            u64::from(state.clock.doubt().is_none()),
        );
        self.clock_difference
            .set(state.clock.store_difference().unwrap_or_default());
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
