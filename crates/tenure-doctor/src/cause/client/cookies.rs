//! Cookies that were set and do not come back: why a client keeps them to itself (RFC 6265bis, sections 5.5 to 5.7).

use url::{Host, Url};

use super::cors;
use crate::exchange::Answer;
use crate::logs::Browsed;
use crate::sign::{Sign, accepted, contains, refused};
use crate::{Clue, Evidence};

/// A call goes without the cookie that its own service set, and is refused.
pub(crate) static COOKIE_LEFT_OUT: Sign = Sign {
    name: "cookie-left-out",
    means: "calls go without the session cookie, which the service set in vain or takes from elsewhere, and are refused",
    find: |evidence| {
        left_out(evidence, |all, at, call| {
            taken_elsewhere(all, call).or_else(|| kept_back(all, at, call, &Set::of_service))
        })
    },
};

/// A call goes without a cookie that is another host's, or that might have been sent.
pub(crate) static COOKIE_WITHHELD: Sign = Sign {
    name: "cookie-withheld",
    means: "calls are refused without the session cookie, which belongs to another host of the site or which the page's calls leave out",
    find: |evidence| {
        left_out(evidence, |all, at, call| {
            kept_back(all, at, call, &|set, to, call| {
                set.of_another_host(to).or_else(|| set.withheld(to, call))
            })
        })
    },
};

type Why = fn(&[&Browsed], usize, &Browsed) -> Option<String>;

/// The first call without credentials that is turned away for such a reason, and was not answered well later.
fn left_out(evidence: &Evidence, why: Why) -> Vec<Clue> {
    let all: Vec<_> = evidence.logs.with_credentials().collect();
    let clue = all.iter().enumerate().find_map(|(at, call)| {
        let answer = call.answer.as_ref().filter(|it| away(call, it))?;
        let method = call.request.method != "OPTIONS";
        let bare = method && call.request.header("authorization").is_none();
        let later = || all.iter().skip(at + 1);
        let well =
            later().any(|one| one.is_like(call) && one.answer.as_ref().is_some_and(accepted));
        let why = why(&all, at, call).filter(|_| bare && !well)?;
        let status = answer.status;
        Some(call.clue(format!("{status} for a call without its cookie; {why}")))
    });
    clue.into_iter().collect()
}

/// Refused, sent to sign in once more, or back from signing in and not recognised.
fn away(call: &Browsed, answer: &Answer) -> bool {
    const PAGES: [&str; 4] = ["login", "signin", "sign-in", "sign_in"];
    let place = answer
        .header("location")
        .filter(|_| (300..400).contains(&answer.status));
    let place = place.and_then(|place| place.split(['?', '#']).next());
    let to_login = place.is_some_and(|place| PAGES.iter().any(|page| contains(place, page)));
    let back = contains(&call.request.url, "code=") && contains(&call.request.url, "state=");
    refused(answer)
        || matches!(answer.status, 419 | 440)
        || to_login
        || back && answer.status >= 400
}

/// The same service answers well where a cookie comes along.
fn taken_elsewhere(all: &[&Browsed], call: &Browsed) -> Option<String> {
    call.request.header("origin")?;
    let bare = call.request.header("cookie").is_none();
    let origin = |one: &Browsed| Some(Url::parse(&one.request.url).ok()?.origin());
    let api = origin(call)?;
    let works = all.iter().any(|one| {
        let cookie = one.request.header("cookie").is_some();
        cookie && origin(one).as_ref() == Some(&api) && one.answer.as_ref().is_some_and(accepted)
    });
    (bare && works).then(|| "with it the API answers well".to_owned())
}

/// Of the cookies that were set before, in the same file, the last that this call ought to have had.
fn kept_back(
    all: &[&Browsed],
    at: usize,
    call: &Browsed,
    why: &dyn Fn(&Set, &Url, &Browsed) -> Option<String>,
) -> Option<String> {
    let to = Url::parse(&call.request.url).ok()?;
    let sent = call.request.header("cookie").unwrap_or_default();
    let before = all.iter().take(at).filter(|one| one.file == call.file);
    let sets: Vec<_> = before.flat_map(|one| Set::all(one)).collect();
    let last = |set: &&Set| sets.iter().rfind(|it| it.name == set.name) == Some(*set);
    let missing = sets
        .iter()
        .filter(last)
        .filter(|set| set.is_session() && !set.is_among(sent));
    missing.rev().find_map(|set| {
        let why = why(set, &to, call)?;
        Some(format!("the cookie `{}` {why}", set.name))
    })
}

/// One cookie as it was set.
#[derive(PartialEq)]
struct Set {
    name: String,
    by: Url,
    /// The page that it was set for is of another site.
    foreign: bool,
    /// It answers a request that sends something, as a sign-in does.
    by_post: bool,
    domain: Option<String>,
    path: String,
    secure: bool,
    same_site: Option<String>,
}

impl Set {
    fn all(one: &Browsed) -> Vec<Self> {
        let Some((by, answer)) = Url::parse(&one.request.url).ok().zip(one.answer.as_ref()) else {
            return Vec::new();
        };
        let set = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        set.filter_map(|(_, value)| Self::read(value, &by, one))
            .collect()
    }

    /// Nothing where the cookie is taken back.
    fn read(value: &str, by: &Url, one: &Browsed) -> Option<Self> {
        let mut parts = value.split(';');
        let (name, _) = parts.next()?.split_once('=')?;
        let attributes: Vec<_> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
            .collect();
        let attribute = |wanted: &str| {
            let found = attributes.iter().rfind(|(name, _)| name == wanted);
            found.map(|(_, value)| *value)
        };
        let over = attribute("max-age").is_some_and(|age| age.starts_with(['0', '-']))
            || attribute("expires").is_some_and(|at| contains(at, "1970") || contains(at, "-70 "));
        let domain = attribute("domain").map(|it| it.trim_start_matches('.').to_ascii_lowercase());
        let directory = by
            .path()
            .rsplit_once('/')
            .map_or("", |(directory, _)| directory);
        let path = attribute("path").filter(|path| path.starts_with('/'));
        (!over).then(|| Self {
            name: name.trim().to_owned(),
            by: by.clone(),
            foreign: cross_site(one, by),
            by_post: one.request.method == "POST",
            domain: domain.filter(|domain| !domain.is_empty()),
            path: path.map_or_else(|| format!("{directory}/"), str::to_owned),
            secure: attribute("secure").is_some(),
            same_site: attribute("samesite").map(str::to_ascii_lowercase),
        })
    }

    fn is_among(&self, sent: &str) -> bool {
        let mut names = sent.split(';').filter_map(|pair| pair.split_once('='));
        names.any(|(name, _)| name.trim() == self.name)
    }

    /// By its name, or because it is set where somebody signs in.
    fn is_session(&self) -> bool {
        const OTHERS: [&str; 5] = ["csrf", "xsrf", "_ga", "locale", "consent"];
        const SESSIONS: [&str; 9] = [
            "sess", "sid", "auth", "token", "jwt", "login", "user", "remember", "identity",
        ];
        let holds = |words: &[&str]| words.iter().any(|word| contains(&self.name, word));
        !holds(&OTHERS) && (holds(&SESSIONS) || self.by_post)
    }

    /// Why a call to the service that set it goes without it.
    fn of_service(&self, to: &Url, call: &Browsed) -> Option<String> {
        let of_host = |domain: &String| domain_matches(to, domain);
        let same = self.by.host() == to.host() || self.domain.as_ref().is_some_and(of_host);
        if !same {
            return None;
        }
        let plain = |url: &Url| url.scheme() == "http" && !is_local(url);
        let prefixed = |prefix: &str| {
            self.name
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let host_rules = self.secure && self.domain.is_none() && self.path == "/";
        let none = self.same_site.as_deref() == Some("none");
        let wrong_domain = self
            .domain
            .as_ref()
            .filter(|domain| !domain_matches(&self.by, domain));
        Some(if self.secure && plain(&self.by) {
            "is `Secure` and was set over http: it is not kept".to_owned()
        } else if self.secure && plain(to) {
            "is `Secure`, and the call goes over http".to_owned()
        } else if prefixed("__Host-") && !host_rules || prefixed("__Secure-") && !self.secure {
            "breaks the rules of its prefix: it is not kept".to_owned()
        } else if let Some(domain) = wrong_domain {
            format!(
                "names the domain `{domain}`, to which its host does not belong: it is not kept"
            )
        } else if !path_matches(to.path(), &self.path) {
            format!("is for the path `{}` only", self.path)
        } else if none && !self.secure {
            "has SameSite=None without Secure: it is not kept".to_owned()
        } else {
            return self.across(to, call);
        })
    }

    /// What a page of another site or origin keeps back.
    fn across(&self, to: &Url, call: &Browsed) -> Option<String> {
        let strict = self.same_site.as_deref() == Some("strict");
        let none = self.same_site.as_deref() == Some("none");
        let shown = self
            .same_site
            .as_deref()
            .unwrap_or("lax, which is the default");
        if cross_site(call, to) && !none && (strict || !navigates(call)) {
            Some(format!(
                "has SameSite={shown}, and the call comes from another site"
            ))
        } else if self.foreign && !none && !strict {
            Some(format!(
                "was set for a page of another site with SameSite={shown}: it is not kept"
            ))
        } else {
            None
        }
    }

    /// It might be sent, and a page of another origin does not.
    fn withheld(&self, to: &Url, call: &Browsed) -> Option<String> {
        let page = call
            .request
            .header("origin")
            .and_then(|page| Url::parse(page).ok());
        let elsewhere = page.is_some_and(|page| page.origin() != to.origin());
        let own = self.by.host() == to.host() && path_matches(to.path(), &self.path);
        (own && elsewhere && !navigates(call)).then(|| {
            let why = "may be sent, but the page's call leaves credentials out, or the browser blocks cookies of third parties";
            why.to_owned()
        })
    }

    /// Why a call to another host of the site goes without it.
    fn of_another_host(&self, to: &Url) -> Option<String> {
        let site = |url: &Url| {
            cors::site(url)
                .split_once("://")
                .map(|(_, own)| own.to_owned())
        };
        let alone = self
            .domain
            .as_ref()
            .is_none_or(|domain| !domain_matches(to, domain));
        let other = self.by.host() != to.host() && site(&self.by) == site(to);
        (alone && other && !is_local(to)).then(|| {
            let domain = self.domain.as_deref().or(self.by.host_str());
            format!("is for {} alone", domain.unwrap_or_default())
        })
    }
}

fn navigates(call: &Browsed) -> bool {
    call.request.method == "GET" && call.request.header("sec-fetch-mode") == Some("navigate")
}

/// Whether a page of another site asked; by the browser's own word, else by the addresses.
fn cross_site(call: &Browsed, to: &Url) -> bool {
    if let Some(site) = call.request.header("sec-fetch-site") {
        return site == "cross-site";
    }
    let page = call
        .request
        .header("origin")
        .or_else(|| call.request.header("referer"));
    let page = page.and_then(|page| Url::parse(page).ok());
    page.is_some_and(|page| cors::site(&page) != cors::site(to))
}

/// Hosts whose plain http browsers trust (Secure Contexts, section 3.1).
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn domain_matches(url: &Url, domain: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    let below = host
        .strip_suffix(domain)
        .is_some_and(|before| before.ends_with('.'));
    host == domain || below && matches!(url.host(), Some(Host::Domain(_)))
}

fn path_matches(path: &str, cookie: &str) -> bool {
    let rest = path.strip_prefix(cookie.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
