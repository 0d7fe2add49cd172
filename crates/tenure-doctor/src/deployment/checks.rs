//! What the answers of a deployment mean for its users.

mod answers;
mod health;
mod keys;
mod metadata;

use tenure_core::time::Timestamp;
use url::Url;

use super::ask::{Looked, Route};
use super::{Check, CheckResult};
use crate::Source;
use crate::exchange::{Answer, Failure};
use crate::probe::is_loopback;

/// Every check that the answers allow; `now` is the doctor's clock. A function of its arguments.
pub fn checks(looked: &Looked, now: Timestamp) -> Vec<Check> {
    let view = View { looked, now };
    let Some(discovery) = looked.answer(Route::Discovery) else {
        return vec![view.silent()];
    };
    let mut checks = metadata::checks(&view, discovery);
    checks.extend(keys::checks(&view));
    checks.extend(health::checks(&view));
    checks.extend(answers::checks(&view));
    checks
}

/// What each family of checks looks at.
struct View<'a> {
    looked: &'a Looked,
    now: Timestamp,
}

impl View<'_> {
    fn answer(&self, route: Route) -> Option<&Answer> {
        self.looked.answer(route)
    }

    /// Whether the service runs on this machine, where plain HTTP is in order.
    fn is_loopback(&self) -> bool {
        Url::parse(&self.looked.base).is_ok_and(|url| is_loopback(&url))
    }

    fn silent(&self) -> Check {
        let failure = self
            .looked
            .answers
            .iter()
            .find_map(|(route, exchange)| match route {
                Route::Discovery => exchange.result.as_ref().err(),
                _ => None,
            });
        let why = match failure {
            Some(Failure::Timeout) => "no answer within the time allowed".to_owned(),
            Some(Failure::Refused) => "the port is closed".to_owned(),
            Some(Failure::Dns) => "the name has no address".to_owned(),
            Some(Failure::Tls(why)) => format!("TLS was not agreed on: {why}"),
            Some(Failure::Reset) => {
                "the connection ended before the answer was complete".to_owned()
            }
            Some(Failure::Malformed(_)) | None => "what came back is not HTTP".to_owned(),
            Some(Failure::Unreachable) => "there is no route to the address".to_owned(),
        };
        check("reachable", CheckResult::Bad, why, Route::Discovery)
    }
}

/// A check of an answer.
fn check(name: &str, result: CheckResult, says: impl Into<String>, route: Route) -> Check {
    Check::new(name, result, says, Source::Deployment(route.to_string()))
}

/// Good, or else.
fn judge(is_good: bool, otherwise: CheckResult) -> CheckResult {
    if is_good {
        CheckResult::Good
    } else {
        otherwise
    }
}
