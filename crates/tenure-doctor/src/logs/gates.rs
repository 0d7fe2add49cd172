//! Programs that are sent to a page for people: each of their requests is answered by a redirect, and followed by a page
//! for signing in.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::findings::{Moment, near};
use super::names;
use super::record::Record;

/// Clients that are remembered at a time.
const CLIENTS: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();
/// Milliseconds between the redirect and the page.
const TOGETHER: u64 = 10_000;
/// Redirects from which it is no single stranger.
const ENOUGH: u64 = 3;
/// Words of such a page's path.
const PAGES: [&str; 6] = [
    "/login",
    "/signin",
    "/sign-in",
    "/sign_in",
    "/authorize",
    "/oauth2/start",
];

/// What programs were answered.
pub(super) struct Gates {
    clients: LruCache<String, Client>,
}

#[derive(Default)]
struct Client {
    redirected: Option<Moment>,
    sent: u64,
    /// Answered well by something else than such a page.
    served: bool,
    first: Option<Moment>,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            clients: LruCache::new(CLIENTS),
        }
    }
}

impl Gates {
    /// A request was answered.
    pub(super) fn answered(&mut self, record: &Record, status: u16, now: Moment) {
        if !(200..400).contains(&status) {
            return;
        }
        let Some(agent) = record.text(names::AGENT) else {
            return;
        };
        let browser = agent.starts_with("Mozilla/") || agent.starts_with("Opera/");
        if browser || agent.contains("probe") || agent.contains("HealthChecker") {
            return;
        }
        let path = record.text(names::PATH).unwrap_or_default();
        let address = record.text(names::ADDRESS).unwrap_or_default();
        let key = format!("{address} {agent}");
        let client = self.clients.get_or_insert_mut(key, Client::default);
        let path = path.split('?').next().unwrap_or_default().to_lowercase();
        let page = PAGES.iter().any(|page| path.contains(page));
        match status {
            302 | 303 | 307 if !page => client.redirected = Some(now),
            200 if page => {
                let sent = client.redirected.take();
                if let Some(sent) = sent.filter(|sent| near(sent, &now, TOGETHER)) {
                    client.sent += 1;
                    client.first.get_or_insert(sent);
                }
            }
            _ => client.served |= status < 300 && !page,
        }
    }

    /// A name, a sentence and the first place, where programs get nothing but such a page.
    pub(super) fn finish(&self) -> Option<(&'static str, String, Moment)> {
        let turned: Vec<_> = self
            .clients
            .iter()
            .map(|(_, client)| client)
            .filter(|client| client.sent > 0 && !client.served)
            .collect();
        let sent: u64 = turned.iter().map(|client| client.sent).sum();
        let first = turned
            .iter()
            .filter_map(|client| client.first)
            .min_by_key(|first| first.line)?;
        let says = format!(
            "{sent} requests of programs were answered by a redirect to a page for signing in, and none of these programs got anything else"
        );
        (sent >= ENOUGH).then_some(("api-sent-to-login-logged", says, first))
    }
}
