//! The client's own request, where a transcript shows it and nothing could be asked.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::drift;
use crate::exchange::{Answer, Exchange};
use crate::probe::Probe;
use crate::token::{self, Role, Token};
use crate::{Evidence, Source, redact};

/// Exchanges of a transcript that are kept.
const MOST: usize = 64;

/// Requests that somebody sent by hand, and what came back; redacted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Called {
    /// The request that the story is about, its redirects, and the same without a token.
    pub exchanges: Vec<Exchange>,
    /// The token that it carries.
    pub token: Option<Token>,
}

impl Called {
    /// Of the requests of a file, the one that was turned away last, else the last.
    pub(super) fn of(file: &str, line: u64, all: &[Exchange]) -> Option<Self> {
        let failed = |it: &Exchange| {
            it.result
                .as_ref()
                .map_or(true, |answer| answer.status >= 300)
        };
        let last = all.iter().rposition(failed).or(all.len().checked_sub(1))?;
        let mut first = last;
        while let Some(before) = first.checked_sub(1).filter(|before| leads(all, *before)) {
            first = before;
        }
        let client = all.get(first)?;
        let hops = all.get(first + 1..=last).unwrap_or_default().iter();
        let hops = hops.zip(1..).map(|(hop, at)| (hop, Probe::Hop(at)));
        let bare = all.iter().find(|it| {
            let alike =
                it.request.url == client.request.url && it.request.method == client.request.method;
            alike && !carries(it) && carries(client)
        });
        let chosen = [(client, Probe::Client)].into_iter().chain(hops);
        let chosen = chosen.chain(bare.map(|bare| (bare, Probe::Bare)));
        let exchanges = chosen
            .map(|(exchange, probe)| shown(exchange, probe))
            .collect();
        let value = client.request.header("authorization").unwrap_or_default();
        let token = value
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let source = Source::Log(redact::id(file), line);
        Some(Self {
            exchanges,
            token: token.map(|(_, text)| token::read(text, Role::Presented, source)),
        })
    }

    pub(super) fn keep(all: &mut Vec<Exchange>, exchange: Exchange) {
        if all.len() == MOST {
            all.remove(0);
        }
        all.push(exchange);
    }
}

/// By the doctor's clock it was sent when its answer says: nobody knows the difference of the two clocks.
fn shown(exchange: &Exchange, probe: Probe) -> Exchange {
    let mut shown = redact::exchange(exchange);
    shown.probe = probe;
    if let Ok(Answer { headers, .. }) = &mut shown.result {
        headers.retain(|(name, _)| name != "date");
    }
    shown
}

fn carries(exchange: &Exchange) -> bool {
    ["authorization", "cookie"]
        .iter()
        .any(|name| exchange.request.header(name).is_some())
}

/// Whether the next request goes where this one was redirected to.
fn leads(all: &[Exchange], at: usize) -> bool {
    let to = || {
        let (one, next) = (all.get(at)?, all.get(at + 1)?);
        let answer = one
            .result
            .as_ref()
            .ok()
            .filter(|answer| (300..400).contains(&answer.status))?;
        let to = Url::parse(&one.request.url)
            .ok()?
            .join(answer.header("location")?)
            .ok()?;
        (to == Url::parse(&next.request.url).ok()?).then_some(())
    };
    to().is_some()
}

impl Evidence {
    /// With what a transcript shows as the client's request, where that was not sent otherwise.
    pub(crate) fn with_calls(&self) -> Option<Self> {
        let called = self
            .logs
            .called
            .as_ref()
            .filter(|_| self.exchanges.is_empty())?;
        let mut whole = self.clone();
        whole.exchanges.clone_from(&called.exchanges);
        let at = called.exchanges.first().map(|exchange| exchange.at);
        whole.now = at.filter(|at| at.0 > 0).unwrap_or(self.now);
        if let Some(token) = called
            .token
            .as_ref()
            .filter(|_| self.token(Role::Presented).is_none())
        {
            whole.beliefs.extend(drift::of_token(token));
            whole.tokens.push(token.clone());
        }
        Some(whole)
    }
}
