//! Rate limits: who is asked to slow down, by network and by what is asked for.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;
use tenure_core::id::{LineageId, Subject};

use crate::config::Limits;
use crate::error::Fault;

/// The limiters of one process.
#[derive(Debug)]
pub(crate) struct Limiters {
    login: Limiter<(IpNet, String)>,
    magic_link: Limiter<(IpNet, String)>,
    token: Limiter<IpNet>,
    device: Limiter<IpNet>,
    user_code: Limiter<IpNet>,
    user_code_of: Limiter<Subject>,
    again: Limiter<(LineageId, IpNet)>,
    refusal: Limiter<LineageId>,
}

impl Limiters {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            login: Limiter::per_minute(limits.login_per_minute),
            magic_link: Limiter::per_minute(limits.magic_link_per_minute),
            token: Limiter::per_minute(limits.token_per_minute),
            device: Limiter::per_minute(limits.device_per_minute),
            user_code: Limiter::per_minute(limits.user_code_per_minute),
            user_code_of: Limiter::per_minute(limits.user_code_per_minute),
            again: Limiter::per_minute(limits.again_per_minute),
            refusal: Limiter::once_per_hour(),
        }
    }

    pub(crate) fn login(&self, network: IpNet, email: &str) -> Result<(), Fault> {
        self.login.check(&(network, email.to_lowercase()))
    }

    pub(crate) fn magic_link(&self, network: IpNet, email: &str) -> Result<(), Fault> {
        self.magic_link.check(&(network, email.to_lowercase()))
    }

    pub(crate) fn token(&self, network: IpNet) -> Result<(), Fault> {
        self.token.check(&network)
    }

    pub(crate) fn device(&self, network: IpNet) -> Result<(), Fault> {
        self.device.check(&network)
    }

    /// Whoever guesses user codes does it from many accounts or from many networks, not both.
    pub(crate) fn user_code(&self, network: IpNet, subject: &Subject) -> Result<(), Fault> {
        self.user_code.check(&network)?;
        self.user_code_of.check(subject)
    }

    pub(crate) fn again(&self, lineage: LineageId, network: IpNet) -> Result<(), Fault> {
        self.again.check(&(lineage, network))
    }

    /// False where a session's refusal was traced within the hour: a client that repeats itself must
    /// not fill the audit trail.
    pub(crate) fn is_first_refusal(&self, lineage: LineageId) -> bool {
        self.refusal.check(&lineage).is_ok()
    }

    /// Forgets keys that are back at their full allowance.
    pub(crate) fn forget_idle(&self) {
        self.login.0.retain_recent();
        self.magic_link.0.retain_recent();
        self.token.0.retain_recent();
        self.device.0.retain_recent();
        self.user_code.0.retain_recent();
        self.user_code_of.0.retain_recent();
        self.again.0.retain_recent();
        self.refusal.0.retain_recent();
    }
}

#[derive(Debug)]
struct Limiter<K: Hash + Eq + Clone>(DefaultKeyedRateLimiter<K>);

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn per_minute(requests: u32) -> Self {
        let requests = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
        Self(RateLimiter::keyed(Quota::per_minute(requests)))
    }

    fn once_per_hour() -> Self {
        Self(RateLimiter::keyed(Quota::per_hour(NonZeroU32::MIN)))
    }

    fn check(&self, key: &K) -> Result<(), Fault> {
        self.0.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(DefaultClock::default().now());
            Fault::TooMany {
                retry_after: wait.max(Duration::from_secs(1)),
            }
        })
    }
}
