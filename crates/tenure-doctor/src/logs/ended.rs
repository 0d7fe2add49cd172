//! Why Tenure's service refuses refreshes of sessions that are over: the refusal names no reason, the end before it does.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::record::Record;

/// Sessions that are remembered at a time.
const SESSIONS: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// Milliseconds within which no session's time is over.
const YOUNG: u64 = 3_600_000;

/// What the service's log has said of sessions so far.
pub(super) struct Ends {
    sessions: LruCache<String, Session>,
    /// Several were ended at once, which are not named.
    at_once: Option<(String, Option<u64>)>,
}

#[derive(Default)]
struct Session {
    /// When it began, where the log tells.
    began: Option<u64>,
    ended: Option<String>,
}

impl Default for Ends {
    fn default() -> Self {
        Self {
            sessions: LruCache::new(SESSIONS),
            at_once: None,
        }
    }
}

impl Ends {
    /// A name and a sentence, where the record refuses a refresh and it is known why.
    pub(super) fn of(&mut self, record: &Record) -> Option<(String, String)> {
        let event = record.text(&["=event"])?;
        let reason = || record.text(&["=reason"]);
        let sid = record.text(&["=sid"]);
        match (event.as_str(), sid) {
            ("session_started", Some(sid)) => self.session(sid).began = record.time,
            ("session_ended", Some(sid)) => self.session(sid).ended = reason(),
            ("sessions_ended", _) => self.at_once = reason().map(|reason| (reason, record.time)),
            ("refresh", sid) => return self.refused(record, sid),
            _ => {}
        }
        None
    }

    fn session(&mut self, sid: String) -> &mut Session {
        self.sessions.get_or_insert_mut(sid, Session::default)
    }

    fn refused(&mut self, record: &Record, sid: Option<String>) -> Option<(String, String)> {
        let verdict = record.text(&["=verdict"])?;
        let why = match verdict.as_str() {
            "unknown_lineage" => record.text(&["=reason"]),
            "ended" => self.why(record, &sid?),
            _ => None,
        };
        let why = why.filter(|why| !matches!(why.as_str(), "logged_out" | "unknown"))?;
        let says = match why.as_str() {
            UNSAID => {
                "the service refused the refresh of a session that nothing in its log had ended"
                    .to_owned()
            }
            why => {
                format!("the service refused the refresh of a session that was ended before: {why}")
            }
        };
        Some((format!("tenure-ended-{why}"), says))
    }

    fn why(&self, record: &Record, sid: &str) -> Option<String> {
        let session = self.sessions.peek(sid)?;
        if session.ended.is_some() {
            return session.ended.clone();
        }
        let began = session.began?;
        let at_once = self.at_once.as_ref().filter(|(_, at)| *at >= Some(began));
        match at_once {
            Some((reason, _)) => {
                let young = record.time?.saturating_sub(began) <= YOUNG;
                young.then(|| reason.clone())
            }
            None => Some(UNSAID.to_owned()),
        }
    }
}

/// Its time was over, or another process ended it.
const UNSAID: &str = "unsaid";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::format;

    fn named(lines: &[&str]) -> Option<String> {
        let mut ends = Ends::default();
        let found = lines.iter().filter_map(|line| {
            let line = format!("{{\"timestamp\":\"2026-11-21T10:00:00Z\",{line}}}");
            ends.of(&format::read(&line))
        });
        found.last().map(|(name, _)| name)
    }

    const BEGAN: &str = r#""event":"session_started","sid":"a1""#;
    const REFUSED: &str = r#""event":"refresh","verdict":"ended","sid":"a1""#;

    #[test]
    fn a_refused_refresh_is_explained_by_the_end_before_it() {
        let ended =
            |reason: &str| format!(r#""event":"session_ended","sid":"a1","reason":"{reason}""#);
        let all = r#""event":"sessions_ended","reason":"revoked_by_admin","count":3"#;
        let name = |lines: &[&str]| named(lines);
        assert_eq!(
            name(&[BEGAN, &ended("theft_detected"), REFUSED]).as_deref(),
            Some("tenure-ended-theft_detected")
        );
        assert_eq!(
            name(&[BEGAN, all, REFUSED]).as_deref(),
            Some("tenure-ended-revoked_by_admin")
        );
        assert_eq!(
            name(&[BEGAN, REFUSED]).as_deref(),
            Some("tenure-ended-unsaid")
        );
        let earlier = r#""event":"refresh","verdict":"unknown_lineage","reason":"expired_idle""#;
        assert_eq!(
            name(&[earlier]).as_deref(),
            Some("tenure-ended-expired_idle")
        );
    }

    #[test]
    fn what_the_user_did_or_the_log_does_not_reach_back_to_is_no_finding() {
        let out = r#""event":"session_ended","sid":"a1","reason":"logged_out""#;
        assert_eq!(named(&[BEGAN, out, REFUSED]), None);
        assert_eq!(named(&[REFUSED]), None);
        assert_eq!(
            named(&[BEGAN, r#""event":"refresh","verdict":"again","sid":"a1""#]),
            None
        );
    }
}
