//! The client's request, and what each probe changes in it.

mod issuer;

use std::net::{IpAddr, SocketAddr};

use tenure_core::secret::Secret;
use url::Url;

use super::Request;
use crate::exchange::Exchange;
use crate::probe::{Probe, Subject, alter, chain};
use crate::token;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// What a probe is made of.
pub(super) struct Asked<'a> {
    pub(super) subject: &'a Subject,
    pub(super) so_far: &'a [Exchange],
}

impl Asked<'_> {
    pub(super) fn request(&self, probe: Probe) -> Option<Request> {
        match probe {
            Probe::Hop(n) => self.hop(n),
            Probe::KeptHop(n) => self.kept_hop(n),
            Probe::Discovery => self.discovery(),
            Probe::Jwks => self.jwks(),
            Probe::Userinfo => self.userinfo(),
            Probe::Introspection => self.introspection(),
            Probe::Refresh => self.refresh(0),
            Probe::RefreshAgain(n) => self.refresh(n),
            Probe::Client => self.client(),
            Probe::Again(n) => (n <= self.subject.repeats).then(|| self.client()).flatten(),
            Probe::Address(ip) => self.address(ip),
            Probe::Direct => Some(self.client()?.to(self.subject.direct?)),
            Probe::Echo => self.get_with_token(parse(self.subject.echo.as_ref())?),
            Probe::OtherEndpoint => {
                self.get_with_token(parse(self.subject.other_endpoint.as_ref())?)
            }
            _ => self.token_probe(probe).or_else(|| self.variant(probe)),
        }
    }

    /// The probes that change what is presented.
    fn token_probe(&self, probe: Probe) -> Option<Request> {
        let token = self.subject.token.as_ref().map(Secret::expose);
        let clean = token.map(token::cleaned);
        match probe {
            Probe::Bare => token.and(self.bare()),
            Probe::Empty => self.presenting("Bearer "),
            Probe::Undefined => self.presenting("Bearer undefined"),
            Probe::Null => self.presenting("Bearer null"),
            Probe::Garbage => self.presenting("Bearer x"),
            Probe::Altered => self.carrying(&alter::signature(token?)?),
            Probe::Old => self.carrying(self.subject.old_token.as_ref()?.expose()),
            Probe::OtherToken => self.carrying(self.subject.other_token.as_ref()?.expose()),
            Probe::Lower => self.presenting(&format!("bearer {}", clean?)),
            Probe::Upper => self.presenting(&format!("BEARER {}", clean?)),
            Probe::TokenScheme => self.presenting(&format!("Token {}", clean?)),
            Probe::Raw => self.presenting(&clean?),
            Probe::Trimmed => {
                let trimmed = self.presenting(&format!("Bearer {}", clean?))?;
                (Some(&trimmed) != self.client().as_ref()).then_some(trimmed)
            }
            _ => None,
        }
    }

    /// The probes that change something else.
    fn variant(&self, probe: Probe) -> Option<Request> {
        let salt = &self.subject.salt;
        let origin = self.subject.target.origin.as_deref();
        match probe {
            Probe::OtherPath => self.client()?.moved(|url| chain::other_path(url, salt)),
            Probe::BareOtherPath => self.bare()?.moved(|url| chain::other_path(url, salt)),
            Probe::Slash => self.client()?.moved(chain::toggle_slash),
            Probe::Fresh => self.client()?.moved(|url| chain::fresh(url, salt)),
            // Not the URL of `fresh`: a cache would give the answer of that.
            Probe::BareFresh => self
                .bare()?
                .moved(|url| chain::fresh(url, &format!("{salt}0"))),
            Probe::OtherMethod => {
                let got = self.subject.target.method == "GET";
                Some(self.client()?.method(if got { "HEAD" } else { "GET" }))
            }
            Probe::Preflight => self.preflight(origin?),
            Probe::Origin => Some(self.client()?.with("origin", origin?)),
            Probe::BareOrigin => Some(self.bare()?.with("origin", origin?)),
            Probe::SmallBody => self.padded(1024),
            Probe::LargeBody => self.padded(9 * 1024),
            Probe::LargeHeader => Some(
                self.client()?
                    .with("x-tenure-padding", "x".repeat(9 * 1024)),
            ),
            Probe::Browser => Some(
                self.client()?
                    .with("user-agent", BROWSER)
                    .with("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
            ),
            _ => None,
        }
    }

    /// As the client sends it. The token's outer line breaks go the way of every HTTP library: off.
    fn client(&self) -> Option<Request> {
        match &self.subject.token {
            Some(token) => self.carrying(token.expose()),
            None => self.bare(),
        }
    }

    fn bare(&self) -> Option<Request> {
        let target = &self.subject.target;
        let request = Request::get(Url::parse(&target.url).ok()?).method(&target.method);
        Some(request.with_all(&self.subject.headers))
    }

    fn carrying(&self, token: &str) -> Option<Request> {
        let carried = &self.subject.carried;
        let value = format!("{}{token}", carried.prefix);
        let value = value.trim_matches(['\r', '\n']);
        Some(self.bare()?.with(&carried.header, value))
    }

    fn presenting(&self, value: &str) -> Option<Request> {
        let bare = self.bare()?.without(&self.subject.carried.header);
        Some(bare.with("authorization", value))
    }

    /// For endpoints that the user named: the token goes there, the client's other fields do not.
    fn get_with_token(&self, url: Url) -> Option<Request> {
        let client = self.client()?.at(url);
        let own = |name: &str| {
            self.subject
                .headers
                .iter()
                .any(|(field, _)| field.eq_ignore_ascii_case(name))
        };
        let mut request = client.method("GET");
        request.headers.retain(|(name, _)| !own(name));
        Some(request)
    }

    fn address(&self, ip: IpAddr) -> Option<Request> {
        let request = self.client()?;
        let port = request.url.port_or_known_default()?;
        Some(request.to(SocketAddr::new(ip, port)))
    }

    /// As browsers ask (Fetch, section 4.8): without credentials, names in lower case and sorted.
    fn preflight(&self, origin: &str) -> Option<Request> {
        let target = &self.subject.target;
        let own = self
            .subject
            .headers
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase());
        let mut names: Vec<_> = own.chain([self.subject.carried.header.clone()]).collect();
        names.sort();
        names.dedup();
        let request = Request::get(Url::parse(&target.url).ok()?).method("OPTIONS");
        Some(
            request
                .with("origin", origin)
                .with("access-control-request-method", &target.method)
                .with("access-control-request-headers", names.join(",")),
        )
    }

    fn padded(&self, bytes: usize) -> Option<Request> {
        const FRAME: usize = r#"{"padding":""}"#.len();
        let body = format!(r#"{{"padding":"{}"}}"#, "x".repeat(bytes - FRAME));
        Some(self.client()?.body("application/json", body.into_bytes()))
    }

    /// As a client follows: without the token once host, port or scheme have changed.
    fn hop(&self, n: u8) -> Option<Request> {
        let (from, url) = chain::redirect(self.so_far, n)?;
        let keeps = Url::parse(&from.request.url).ok()?.origin() == url.origin();
        let mut request = Request::get(url).method(&chain::method_after(from)?);
        if keeps {
            // Not the client's own fields: after another host, they have been dropped for good.
            request.headers.clone_from(&from.request.headers);
        }
        Some(request)
    }

    /// With the token kept where [`Self::hop`] drops it.
    fn kept_hop(&self, n: u8) -> Option<Request> {
        let dropped = self.hop(n)?;
        let carries = dropped
            .headers
            .iter()
            .any(|(name, _)| *name == self.subject.carried.header);
        let own = Url::parse(&self.subject.target.url).ok()?;
        let host = dropped.url.host_str()?;
        let downgraded = own.scheme() == "https" && dropped.url.scheme() == "http";
        let mut allowed = self.subject.allowed_hosts.iter().map(String::as_str);
        let allowed = own.host_str() == Some(host) || allowed.any(|allowed| allowed == host);
        if carries || downgraded || !allowed {
            return None;
        }
        Some(self.get_with_token(dropped.url)?.method(&dropped.method))
    }
}

fn parse(url: Option<&String>) -> Option<Url> {
    Url::parse(url?).ok()
}
