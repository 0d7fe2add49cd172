//! The request of each probe.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;
use tenure_core::secret::Secret;
use url::Url;

use super::{Probe, Refresh, Subject, alter, chain, may_name};
use crate::exchange::{Exchange, Sent};
use crate::token;

/// What a wire sends. `Debug` shows the method only.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The whole URL.
    pub url: Url,
    /// Header fields in their order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The address to connect to, where it is not the name's own.
    pub to: Option<SocketAddr>,
}

/// The request of a probe; nothing where what is at hand, or what is allowed, does not suffice.
///
/// `so_far` holds the answers that redirects, metadata and refreshes build upon, as they were on the wire.
pub fn request(probe: Probe, subject: &Subject, so_far: &[Exchange]) -> Option<Request> {
    let request = Asked { subject, so_far }.request(probe)?;
    let asked_for = matches!(
        probe,
        Probe::Refresh | Probe::RefreshAgain(_) | Probe::Introspection
    );
    let allowed = asked_for || subject.unsafe_methods || request.is_safe();
    (allowed && request.can_be_sent()).then_some(request)
}

impl Request {
    fn get(url: Url) -> Self {
        Self {
            method: "GET".to_owned(),
            url,
            headers: vec![
                ("accept".to_owned(), "*/*".to_owned()),
                ("user-agent".to_owned(), AGENT.to_owned()),
            ],
            body: Vec::new(),
            to: None,
        }
    }

    /// What is noted of it.
    pub fn sent(&self) -> Sent {
        Sent {
            method: self.method.clone(),
            url: self.url.to_string(),
            headers: self.headers.clone(),
            body_bytes: self.body.len() as u64,
        }
    }

    fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// HTTP has no way to send a control character in a field: such a client fails before it sends.
    fn can_be_sent(&self) -> bool {
        let field = |(name, value): &(String, String)| {
            name.parse::<HeaderName>().is_ok() && HeaderValue::from_bytes(value.as_bytes()).is_ok()
        };
        matches!(self.url.scheme(), "http" | "https")
            && Method::from_bytes(self.method.as_bytes()).is_ok()
            && self.headers.iter().all(field)
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(field, _)| field != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(field, _)| field != name);
        self
    }

    fn at(mut self, url: Url) -> Self {
        self.url = url;
        self
    }

    fn moved(self, change: impl Fn(&Url) -> Option<Url>) -> Option<Self> {
        let url = change(&self.url)?;
        Some(self.at(url))
    }

    fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    fn to(mut self, address: SocketAddr) -> Self {
        self.to = Some(address);
        self
    }

    fn body(self, kind: &str, body: Vec<u8>) -> Self {
        Self {
            body,
            ..self.with("content-type", kind)
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (…)", self.method)
    }
}

const AGENT: &str = concat!("tenure-doctor/", env!("CARGO_PKG_VERSION"));
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

struct Asked<'a> {
    subject: &'a Subject,
    so_far: &'a [Exchange],
}

impl Asked<'_> {
    fn request(&self, probe: Probe) -> Option<Request> {
        match probe {
            Probe::Hop(n) => self.hop(n),
            Probe::KeptHop(n) => self.kept_hop(n),
            Probe::Discovery => Some(Request::get(chain::discovery(self.issuer()?)?)),
            Probe::Jwks => Some(Request::get(self.jwks()?)),
            Probe::Userinfo => self.userinfo(),
            Probe::Introspection => self.introspection(),
            Probe::Refresh => self.refresh(None),
            Probe::RefreshAgain(n) => self.refresh(Some(n)),
            Probe::Client => self.client(),
            Probe::Again(n) => (n <= self.subject.repeats).then(|| self.client()).flatten(),
            Probe::Address(ip) => self.address(ip),
            Probe::Direct => Some(self.client()?.to(self.subject.direct?)),
            Probe::Echo => Some(
                self.get_with_token()?
                    .at(parse(self.subject.echo.as_ref())?),
            ),
            Probe::OtherEndpoint => Some(
                self.get_with_token()?
                    .at(parse(self.subject.other_endpoint.as_ref())?),
            ),
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
        let headers = self.subject.headers.iter();
        Some(headers.fold(request, |request, (name, value)| {
            request.with(&name.to_ascii_lowercase(), value.expose())
        }))
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
    fn get_with_token(&self) -> Option<Request> {
        let client = self.client()?;
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
        Some(
            self.get_with_token()?
                .method(&dropped.method)
                .at(dropped.url),
        )
    }

    fn issuer(&self) -> Option<&str> {
        self.subject.target.issuer.as_deref()
    }

    fn jwks(&self) -> Option<Url> {
        let discovery = self.so_far.iter().find(|e| e.probe == Probe::Discovery)?;
        let Some(named) = chain::member(discovery, "jwks_uri") else {
            return chain::well_known(self.issuer()?, "jwks.json");
        };
        let issuer = Url::parse(&discovery.request.url).ok()?;
        Url::parse(&named).ok().filter(|url| may_name(&issuer, url))
    }

    /// Only at the issuer's own host: metadata must not be able to send the token elsewhere.
    fn userinfo(&self) -> Option<Request> {
        let discovery = self.so_far.iter().find(|e| e.probe == Probe::Discovery)?;
        let url = Url::parse(&chain::member(discovery, "userinfo_endpoint")?).ok()?;
        let issuer = Url::parse(self.issuer()?).ok()?;
        let same = url.origin() == issuer.origin();
        let token = token::cleaned(self.subject.token.as_ref()?.expose());
        (self.subject.userinfo && same)
            .then(|| Request::get(url).with("authorization", format!("Bearer {token}")))
    }

    fn introspection(&self) -> Option<Request> {
        let given = self.subject.introspection.as_ref()?;
        let token = token::cleaned(self.subject.token.as_ref()?.expose());
        let body = form([("token", token.as_str())]);
        let credentials = format!("{}:{}", given.client_id, given.client_secret.expose());
        let request = Request::get(Url::parse(&given.url).ok()?).method("POST");
        Some(
            request
                .with("accept", "application/json")
                .with(
                    "authorization",
                    format!("Basic {}", STANDARD.encode(credentials)),
                )
                .body(FORM, body),
        )
    }

    /// `again` counts from 1; it needs the answer of the one before.
    fn refresh(&self, again: Option<u8>) -> Option<Request> {
        let given = self.subject.refresh.as_ref()?;
        let token = match again {
            Some(n) => chain::refreshed(self.so_far, n, given).ok()?,
            None => None,
        };
        let (kind, body) = refresh_body(given, token)?;
        let request = Request::get(Url::parse(&given.url).ok()?)
            .method("POST")
            .body(kind, body);
        Some(
            given
                .headers
                .iter()
                .fold(request, |request, (name, value)| {
                    request.with(&name.to_ascii_lowercase(), value.expose())
                }),
        )
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The body with the token replaced, where there is a newer one.
fn refresh_body(given: &Refresh, token: Option<String>) -> Option<(&'static str, Vec<u8>)> {
    let mut fields = Value::Object(given.form.clone().or_else(|| given.json.clone())?);
    if let Some(token) = token {
        let pointer = format!("/{}", given.token_field.replace('.', "/"));
        *fields.pointer_mut(&pointer)? = Value::String(token);
    }
    if given.form.is_none() {
        return Some(("application/json", serde_json::to_vec(&fields).ok()?));
    }
    let texts: Vec<_> = fields
        .as_object()?
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            )
        })
        .collect();
    let pairs = texts
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    Some((FORM, form(pairs)))
}

fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
        .into_bytes()
}

fn parse(url: Option<&String>) -> Option<Url> {
    Url::parse(url?).ok()
}
