//! The causes, as data: one file per family.

use serde::{Deserialize, Serialize};

use crate::probe::Probe;
use crate::sign::Sign;
use crate::weight::{Prior, Strength};

pub(crate) mod client;
pub(crate) mod edge;
pub(crate) mod framework;
pub(crate) mod gateway;
pub(crate) mod session;
pub(crate) mod tenure;
pub(crate) mod verifier;

/// Who gave the answer, or whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The app: its code, SDK and token store.
    Client,
    /// What lies between: redirects, CORS, proxies that rewrite.
    Transport,
    /// A content delivery network or cache.
    Cdn,
    /// A web application firewall or bot filter.
    Waf,
    /// A load balancer or reverse proxy.
    Proxy,
    /// Routes, stages and policies of an API gateway.
    GatewayRouter,
    /// The part of a gateway or sidecar that verifies tokens.
    GatewayVerifier,
    /// The verification in the service itself: library or framework.
    Framework,
    /// The service's own rules.
    Application,
    /// Whoever issues tokens.
    Issuer,
    /// Where sessions or tokens are stored.
    Store,
    /// Tenure's own service.
    Tenure,
}

/// Why a user is turned away.
#[derive(Debug)]
pub struct Cause {
    /// `TN`, two digits of family, two of number; never reused.
    pub id: &'static str,
    /// In half a sentence.
    pub title: &'static str,
    /// Where the fault is.
    pub layer: Layer,
    /// How often it is met.
    pub prior: Prior,
    /// What happens and why, for the page of the cause.
    pub story: &'static str,
    /// What speaks for it.
    pub signs: &'static [(&'static Sign, Strength)],
    /// What speaks against it.
    pub against: &'static [(&'static Sign, Strength)],
    /// Sets of signs; where all of one hold, it is confirmed. Each set must be impossible without the cause.
    pub settled_by: &'static [&'static [&'static Sign]],
    /// Any of these rules it out.
    pub ruled_out_by: &'static [&'static Sign],
    /// What to do.
    pub fix: &'static str,
    /// What would settle it, the cheapest first.
    pub next: &'static [Step],
    /// Documents and reports.
    pub references: &'static [&'static str],
}

/// A step that would settle a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A probe of the set.
    Probe(Probe),
    /// Something that the user has to supply: what, and the command or flag that takes it.
    Supply(&'static str, &'static str),
}

/// Every cause, in the order of ids.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    FAMILIES.iter().flat_map(|family| family.causes)
}

/// The cause of this id.
pub fn by_id(id: &str) -> Option<&'static Cause> {
    all().find(|cause| cause.id == id)
}

/// A group of causes.
#[derive(Debug)]
pub struct Family {
    /// As in [`crate::case::Case::family`].
    pub name: &'static str,
    /// For a heading.
    pub title: &'static str,
    /// Its causes.
    pub causes: &'static [Cause],
}

/// The families, in the order of ids.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "client",
        title: "Client and transport",
        causes: client::CAUSES,
    },
    Family {
        name: "edge",
        title: "CDN, firewall and proxy",
        causes: edge::CAUSES,
    },
    Family {
        name: "gateway",
        title: "API gateway",
        causes: gateway::CAUSES,
    },
    Family {
        name: "verifier",
        title: "Keys, issuer, claims and clock",
        causes: verifier::CAUSES,
    },
    Family {
        name: "framework",
        title: "Frameworks and authorization",
        causes: framework::CAUSES,
    },
    Family {
        name: "session",
        title: "Sessions and refreshes",
        causes: session::CAUSES,
    },
    Family {
        name: "tenure",
        title: "Tenure's own service",
        causes: tenure::CAUSES,
    },
];
