//! What the log itself shows to be no trouble: a proxy's question that each client answers, and what happens once among
//! many who are served.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use lru::LruCache;

use super::record::Record;
use super::{LogFile, LogFinding, Pattern, names};

/// Clients and addresses that a proxy has asked, as remembered at a time.
const ASKED: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();
/// Questions that one good answer settles: schemes with a challenge take two.
const ROUNDS: u64 = 2;
/// Of so many who are served, one is turned away; so often at most.
const AMONG: u64 = 50;
const FEW: u64 = 2;

/// The figure by which a finding tells that it is no trouble.
pub(super) const PASSED: &str = "passed";

/// What stands in the lines of answers.
pub(super) struct Passing {
    texts: BTreeMap<&'static str, Stood>,
    open: LruCache<String, u64>,
    asked: u64,
    met: u64,
}

#[derive(Default)]
struct Stood {
    refusals: u64,
    questions: u64,
}

impl Default for Passing {
    fn default() -> Self {
        Self {
            texts: BTreeMap::new(),
            open: LruCache::new(ASKED),
            asked: 0,
            met: 0,
        }
    }
}

impl Passing {
    /// A known text in the line of an answer.
    pub(super) fn text(&mut self, name: &'static str, status: Option<u16>) {
        let stood = self.texts.entry(name).or_default();
        match status {
            Some(407) => stood.questions += 1,
            Some(400 | 401 | 403) => stood.refusals += 1,
            _ => {}
        }
    }

    /// A request was answered. Gives how many questions of a proxy (RFC 9110, section 15.5.8) have been met by that.
    pub(super) fn answered(&mut self, record: &Record, status: u16) -> u64 {
        if status != 407 && (self.asked == 0 || status >= 300) {
            return 0;
        }
        let part = |names| record.text(names).unwrap_or_default();
        let request = format!("{} {}", part(names::ADDRESS), part(names::PATH));
        if status == 407 {
            self.asked += 1;
            *self.open.get_or_insert_mut(request, u64::default) += 1;
            return 0;
        }
        let met = self.open.pop(&request).unwrap_or_default().min(ROUNDS);
        self.met += met;
        met
    }

    /// Marks the findings that are no trouble. Where writes are refused, `forged_only` says that those were forged.
    pub(super) fn mark(&self, findings: &mut [LogFinding], files: &[LogFile], forged_only: bool) {
        let statuses = files.iter().flat_map(|file| &file.statuses);
        let served = statuses.filter(|(status, _)| (200..400).contains(*status));
        let served: u64 = served.map(|(_, count)| count).sum();
        let all_met = self.asked > 0 && (self.asked - self.met) * 10 <= self.asked;
        for finding in findings {
            let once = finding.count <= FEW && finding.count * AMONG <= served;
            let stood = finding
                .text()
                .and_then(|text| Some((text, self.texts.get(text)?)));
            let passed = match stood {
                Some(("csrf", _)) if forged_only => true,
                Some((_, stood)) if stood.questions == finding.count => all_met,
                Some((text, stood)) => {
                    once && stood.refusals == finding.count && is_of_requests(text)
                }
                None => once && finding.pattern == Pattern::Refusals,
            };
            if passed {
                finding.figures.insert(PASSED.to_owned(), "true".to_owned());
            }
        }
    }
}

/// Of a request, and not of a session: a session ends once only.
fn is_of_requests(text: &str) -> bool {
    ["log-says-", "gateway-", "edge-"]
        .iter()
        .any(|family| text.starts_with(family))
        || text.contains("client")
}
