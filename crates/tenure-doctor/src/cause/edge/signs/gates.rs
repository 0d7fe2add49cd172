//! Gates that ask for something else than a token, and challenges that do not arrive.

use super::super::arrived::{is_by_edge, is_edge, sent_with_token};
use super::page;
use crate::cause::Layer;
use crate::compare::same;
use crate::exchange::Answer;
use crate::layer;
use crate::probe::Probe;
use crate::sign::answer::{At, header, mentions};
use crate::sign::{Sign, accepted, answers, contains, found, refused, seen, together};
use crate::{Clue, Evidence, Source};

/// A challenge for Basic in answer to a Bearer token.
pub(crate) static BASIC_CHALLENGE: Sign = Sign {
    name: "edge-basic-challenge",
    means: "a Bearer token is answered with a challenge for user name and password",
    find: |evidence| {
        let client = sent_with_token(evidence).filter(|client| client.status == 401);
        let challenge = client.and_then(only_basic);
        found(challenge.map(|it| (Probe::Client, format!("401 with `{it}`"))))
    },
};

/// A proxy's own challenge for Basic, whatever was sent.
pub(crate) static BASIC_PAGE: Sign = Sign {
    name: "edge-basic-page",
    means: "a proxy itself asks for user name and password",
    find: |evidence| {
        page(evidence, |answer| {
            answer.status == 401 && is_by_edge(answer) && only_basic(answer).is_some()
        })
    },
};

/// The same in a browser's record, and the page is a proxy's own.
pub(crate) static BASIC_BROWSED: Sign = Sign {
    name: "edge-basic-browsed",
    means: "a proxy has answered a Bearer token with a challenge for user name and password",
    find: |evidence| {
        let asked = evidence.logs.unrecovered().filter_map(|(one, answer)| {
            let challenge = only_basic(answer)?;
            let mut fields = one.request.headers.iter();
            let bearer =
                fields.any(|(name, value)| name == "authorization" && contains(value, "bearer "));
            (bearer && is_by_edge(answer) && answer.status == 401)
                .then(|| one.clue(format!("401 with `{challenge}` for a Bearer token")))
        });
        asked.collect()
    },
};

/// The same, and past the edge the token is accepted.
pub(crate) static BASIC_PAST: Sign = Sign {
    name: "edge-basic-past",
    means: "the edge asks for user name and password, and the service accepts the token",
    find: |evidence| {
        if evidence.answer(Probe::Direct).is_some_and(accepted) {
            (BASIC_CHALLENGE.find)(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The same, made by a proxy and for every token.
pub(crate) static BASIC_GATE: Sign = Sign {
    name: "edge-basic-gate",
    means: "a proxy asks for user name and password whatever token is sent",
    find: |evidence| {
        let gate = || {
            let client = sent_with_token(evidence).filter(|client| client.status == 401)?;
            let forged = [Probe::Altered, Probe::Garbage];
            let (probe, answer) = forged
                .into_iter()
                .find_map(|probe| Some((probe, evidence.answer(probe)?)))?;
            let challenge = only_basic(client).filter(|_| same(client, answer))?;
            let by = layer::answered(client).filter(is_edge)?;
            let says = format!("{} asks any request for `{challenge}`", by.product);
            Some((probe, says))
        };
        found(gate())
    },
};

/// API Gateway's new name for a challenge of what is behind it.
pub(crate) static REMAPPED: Sign = Sign {
    name: "edge-remapped-challenge",
    means: "API Gateway has renamed the challenge of the service behind it, so clients do not find it",
    find: |evidence| header(evidence, "x-amzn-remapped-www-authenticate", "", At::Client),
};

/// The renamed challenge says what is wrong with the token, and no other does.
pub(crate) static REASON_RENAMED: Sign = Sign {
    name: "edge-reason-renamed",
    means: "the reason of the refusal stands only in the renamed challenge",
    find: |evidence| {
        together(evidence, [Probe::Client], |[client]| {
            let renamed = client.header("x-amzn-remapped-www-authenticate");
            let holds = refused(client)
                && client.header("www-authenticate").is_none()
                && mentions(renamed, "error=");
            holds.then(|| format!("{} without `www-authenticate`", client.status))
        })
    },
};

/// The challenge of the service is there under its own name.
pub(crate) static CHALLENGE_KEPT: Sign = Sign {
    name: "edge-challenge-kept",
    means: "the challenge of the service arrives under its own name",
    find: |evidence| {
        together(evidence, [Probe::Client], |[answer]| {
            answer.header("www-authenticate")?;
            Some("`www-authenticate` is on the answer".to_owned())
        })
    },
};

/// The client's request is redirected to a sign-in.
pub(crate) static LOGIN_REDIRECT: Sign = Sign {
    name: "edge-login-redirect",
    means: "an API request is redirected to a sign-in page in place of a 401",
    find: |evidence| {
        let sent = |probe| {
            let (status, place) = sent_to_login(evidence, probe)?;
            Some(Clue::new(
                format!("{status} to `{place}`"),
                Source::Probe(probe),
            ))
        };
        let probes = [Probe::Client, Probe::Bare].into_iter();
        probes.filter_map(sent).collect()
    },
};

/// What is no browser is sent to an authorization endpoint, and does not come back.
pub(crate) static API_SENT_TO_LOGIN: Sign = Sign {
    name: "edge-api-sent-to-login",
    means: "a client that is no browser is sent to an authorization endpoint in place of a 401",
    find: |evidence| {
        let Some(exchange) = evidence.exchange(Probe::Client) else {
            return Vec::new();
        };
        let Ok(answer) = &exchange.result else {
            return Vec::new();
        };
        let person = exchange.request.headers.iter().any(|(name, value)| {
            name == "cookie" || name == "accept" && contains(value, "text/html")
        });
        let leads = |answer: &Answer, place: &str| mentions(answer.header("location"), place);
        let gate = GATES.iter().any(|gate| leads(answer, gate))
            || leads(answer, "response_type=") && leads(answer, "client_id=");
        let path = url::Url::parse(&exchange.request.url).map(|url| url.path().to_owned());
        let returns = answers(evidence)
            .filter(|(probe, _)| matches!(probe, Probe::Hop(_)))
            .any(|(_, hop)| hop.status < 400 && path.as_ref().is_ok_and(|path| leads(hop, path)));
        match sent_to_login(evidence, Probe::Client) {
            Some((status, place)) if gate && !person && !returns => seen(
                true,
                format!("{status} to `{place}` for an API client"),
                Probe::Client,
            ),
            _ => Vec::new(),
        }
    },
};

/// Where gates lead that are made for people: oauth2-proxy, Cloudflare Access, App Service, authentik, Pomerium.
const GATES: [&str; 6] = [
    "/oauth2/start",
    "/oauth2/sign_in",
    "/cdn-cgi/access/login",
    "/.auth/login",
    "/outpost.goauthentik.io/start",
    "/.pomerium/sign_in",
];

/// Redirects by way of a sign-in lead back to where they began: somebody signs in, and the app does not notice.
pub(crate) static LOGIN_COMES_BACK: Sign = Sign {
    name: "edge-login-comes-back",
    means: "the redirects by way of the sign-in come back to where they began",
    find: |evidence| {
        let client = evidence.exchange(Probe::Client);
        let url = client.and_then(|client| url::Url::parse(&client.request.url).ok());
        let Some(path) = url.as_ref().map(url::Url::path).filter(|path| *path != "/") else {
            return Vec::new();
        };
        let back = answers(evidence).find(|(probe, hop)| {
            let location = hop.header("location").unwrap_or_default();
            let to = location.split(['?', '#']).next().unwrap_or_default();
            matches!(probe, Probe::Hop(_)) && (300..400).contains(&hop.status) && to.ends_with(path)
        });
        found(back.map(|(probe, _)| (probe, format!("redirected back to `{path}`"))))
    },
};

/// A gate that does not look at tokens redirects all requests to a sign-in.
pub(crate) static LOGIN_FOR_ALL: Sign = Sign {
    name: "edge-login-for-all",
    means: "with the token, without it and with a forged one the request is redirected to a sign-in",
    find: |evidence| {
        let sent = |probe: &Probe| sent_to_login(evidence, *probe).is_some();
        let forged = [Probe::Altered, Probe::Garbage];
        let mut forged = forged
            .iter()
            .filter(|probe| evidence.answer(**probe).is_some());
        let all = [Probe::Client, Probe::Bare].iter().all(sent) && forged.clone().all(sent);
        let last = forged.next_back().copied().filter(|_| all);
        match last {
            Some(last) if !LOGIN_COMES_BACK.holds(evidence) => {
                seen(true, "redirected to a sign-in three times of 3", last)
            }
            _ => Vec::new(),
        }
    },
};

/// A forward proxy wants its own password (RFC 9110, section 15.5.8).
pub(crate) static PROXY_ASKS: Sign = Sign {
    name: "edge-proxy-asks",
    means: "the proxy on the way out of the client's network asks for user name and password (407)",
    find: |evidence| page(evidence, |answer| answer.status == 407),
};

/// A proxy's own page answers a Bearer token with a challenge for a password.
pub(crate) static BASIC_BY_PROXY: Sign = Sign {
    name: "edge-basic-by-proxy",
    means: "the page of a proxy answers a Bearer token with a challenge for user name and password",
    find: |evidence| {
        let bearer = evidence.exchange(Probe::Client).is_some_and(|exchange| {
            let mut sent = exchange.request.headers.iter();
            sent.any(|(name, value)| name == "authorization" && contains(value, "bearer "))
        });
        let by_proxy = |client: &&Answer| {
            client.status == 401
                && layer::answered(client).is_some_and(|by| by.layer == Layer::Proxy)
        };
        let client = evidence.answer(Probe::Client).filter(by_proxy);
        let asks = client.and_then(only_basic).filter(|_| bearer);
        found(asks.map(|it| (Probe::Client, format!("401 with `{it}` on a proxy's page"))))
    },
};

/// The challenge, where all challenges of an answer are for a password (RFC 7617, RFC 7616, RFC 4559).
fn only_basic(answer: &Answer) -> Option<&str> {
    let mut challenges = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.as_str());
    let first = challenges.next()?;
    let password = |value: &str| {
        let scheme = value.split_ascii_whitespace().next().unwrap_or_default();
        let scheme = scheme.trim_end_matches(',');
        let known = ["basic", "digest", "negotiate", "ntlm"];
        known.iter().any(|one| scheme.eq_ignore_ascii_case(one)) && !contains(value, "bearer")
    };
    (password(first) && challenges.all(password)).then_some(first)
}

/// Where a probe was redirected to, if that is a sign-in, and not what it asked for with a slash more or less.
fn sent_to_login(evidence: &Evidence, probe: Probe) -> Option<(u16, &str)> {
    let exchange = evidence.exchange(probe)?;
    let (status, place) = login(exchange.result.as_ref().ok()?)?;
    let asked = url::Url::parse(&exchange.request.url).ok()?;
    let to = asked.join(place).ok()?;
    let plain = |url: &url::Url| url.path().trim_end_matches('/').to_owned();
    (plain(&asked) != plain(&to)).then_some((status, place))
}

/// Where an answer redirects to, if that is a sign-in.
pub(super) fn login(answer: &Answer) -> Option<(u16, &str)> {
    let location = answer.header("location")?;
    let redirect = matches!(answer.status, 302 | 303 | 307);
    let path = location.split(['?', '#']).next().unwrap_or(location);
    let places = [
        "/oauth2/start",
        "/oauth2/sign_in",
        "/oauth2/authorize",
        "/authorize",
        "/login",
        "/signin",
        "/sign-in",
        "/sign_in",
        "/log-in",
        "/auth/realms/",
        "/protocol/openid-connect/auth",
        "/cdn-cgi/access/login",
        "/saml",
        "/sso",
        "/api/oidc/authorization",
        "accounts.google.com/o/oauth2",
        "login.microsoftonline.com",
        "/.auth/login",
        "/outpost.goauthentik.io/start",
        "/_oauth",
    ];
    (redirect && places.iter().any(|place| contains(path, place))).then_some((answer.status, path))
}
