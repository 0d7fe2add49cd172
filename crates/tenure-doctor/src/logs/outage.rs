//! Answers of a proxy that found nobody behind it, up to the end of a file.

use super::findings::Moment;

/// So many, and nothing else after the first.
const ENOUGH: u64 = 5;

/// The last answers of a file, where each is a gateway's own.
#[derive(Debug, Default)]
pub(super) struct Outage {
    count: u64,
    /// An issuer's routes are among what was asked for.
    of_issuer: bool,
    first: Option<Moment>,
}

impl Outage {
    /// An answer from behind the proxy.
    pub(super) fn over(&mut self) {
        *self = Self::default();
    }

    /// Any answer.
    pub(super) fn answered(&mut self, status: u16, path: Option<&str>, now: Moment) {
        if !matches!(status, 502 | 504) {
            return self.over();
        }
        self.count += 1;
        self.first.get_or_insert(now);
        let of_issuer = |path: &str| {
            let parts = ["/api/auth/", "/.well-known/", "/realms/"];
            path.ends_with("/token") || parts.iter().any(|part| path.contains(part))
        };
        self.of_issuer |= path.is_some_and(of_issuer);
    }

    /// A name, a sentence and the first place, where nobody is behind the proxy at the end.
    pub(super) fn finish(&self) -> Option<(&'static str, String, Moment)> {
        let first = self.first.filter(|_| self.count >= ENOUGH)?;
        let count = self.count;
        Some(if self.of_issuer {
            let says = format!(
                "the last {count} answers, of the issuer too, are 502 or 504: nobody is behind the proxy"
            );
            ("issuer-behind-proxy-gone", says, first)
        } else {
            let says =
                format!("the last {count} answers are 502 or 504: nobody is behind the proxy");
            ("service-behind-proxy-gone", says, first)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment {
        at: None,
        file: 0,
        line: 1,
    };

    #[test]
    fn an_outage_that_lasts_is_told_from_one_that_is_over() {
        let mut outage = Outage::default();
        for _ in 0..4 {
            outage.answered(502, Some("/oauth2/token"), NOW);
        }
        assert!(outage.finish().is_none());
        outage.answered(504, Some("/orders"), NOW);
        assert_eq!(outage.finish().unwrap().0, "issuer-behind-proxy-gone");
        outage.answered(401, None, NOW);
        assert!(outage.finish().is_none());
    }
}
