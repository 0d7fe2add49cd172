//! What a browser does not let through: preflights (Fetch, section 4.8), answers without CORS header
//! fields, cookies of another site.

use url::Url;

use super::request;
use crate::compare::same;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::mentions;
use crate::sign::{
    Sign, accepted, answers, client_answers, contains, first_of, refused, seen, together,
};
use crate::{Clue, Evidence, Source};

/// The request works, its preflight is refused as a request without a token is.
pub(crate) static PREFLIGHT_BY_AUTH: Sign = Sign {
    name: "preflight-by-auth",
    means: "the preflight, which browsers send without credentials, is asked for credentials, while the request itself works",
    find: |evidence| {
        let works = [Probe::Client, Probe::Origin]
            .iter()
            .any(|probe| evidence.answer(*probe).is_some_and(accepted));
        if works {
            refused_preflight(evidence)
        } else {
            Vec::new()
        }
    },
};

/// The same, where it is not known that the request works.
pub(crate) static PREFLIGHT_AS_BARE: Sign = Sign {
    name: "preflight-as-bare",
    means: "the preflight, which browsers send without credentials, is asked for credentials",
    find: refused_preflight,
};

/// 401, or the very refusal of a request without a token. A gateway's router, which has no route for OPTIONS, is another thing.
fn refused_preflight(evidence: &Evidence) -> Vec<Clue> {
    together(evidence, [Probe::Preflight], |[preflight]| {
        let bare = [Probe::Bare, Probe::BareOrigin].iter().any(|probe| {
            evidence.answer(*probe).is_some_and(|bare| {
                bare.status == preflight.status && bare.body == preflight.body
                    || same(bare, preflight)
            })
        });
        let asks = preflight.status == 401 || preflight.status == 403 && bare;
        let holds = no_route(preflight) || asks && !by_amazon(preflight);
        holds.then(|| format!("{} for the preflight (OPTIONS)", preflight.status))
    })
}

/// Amazon API Gateway (REST) asks for credentials where a method has no route of its own.
pub(super) fn no_route(answer: &Answer) -> bool {
    let kind = answer.header("x-amzn-errortype");
    answer.status == 403 && mentions(kind, "missingauthenticationtoken")
}

fn by_amazon(answer: &Answer) -> bool {
    ["x-amzn-errortype", "apigw-requestid", "x-amz-apigw-id"]
        .iter()
        .any(|name| answer.header(name).is_some())
}

/// The preflight is sent to a login page.
pub(crate) static PREFLIGHT_REDIRECTED: Sign = Sign {
    name: "preflight-redirected",
    means: "the preflight is redirected, which browsers do not follow",
    find: |evidence| {
        together(evidence, [Probe::Preflight], |[answer]| {
            let redirected = (300..400).contains(&answer.status);
            redirected.then(|| format!("{} for the preflight (OPTIONS)", answer.status))
        })
    },
};

/// A success may be read by the page, a refusal may not.
pub(crate) static CORS_ON_SUCCESS_ONLY: Sign = Sign {
    name: "cors-on-success-only",
    means: "a success carries `Access-Control-Allow-Origin`, a refusal of the same request does not",
    find: |evidence| {
        // Where the preflight is refused, that comes first.
        let preflight = evidence.answer(Probe::Preflight);
        if preflight.is_some_and(|answer| !accepted(answer)) {
            return Vec::new();
        }
        let pairs = [
            (Probe::Origin, Probe::BareOrigin),
            (Probe::Client, Probe::Bare),
        ];
        let clue = pairs.into_iter().find_map(|(with, without)| {
            let [good, bad] = evidence.all_answered([with, without])?;
            let holds = readable(good) && withheld(bad);
            let (good, bad) = (good.status, bad.status);
            let says = format!("{good} with `access-control-allow-origin`, {bad} without it");
            holds.then(|| Clue::new(says, Source::Probe(without)))
        });
        clue.or_else(|| super::browsed::cors_on_success_only(evidence))
            .into_iter()
            .collect()
    },
};

/// Nobody was refused: the client's own request works each time, and no log or record tells of a refusal.
pub(crate) static NOBODY_REFUSED: Sign = Sign {
    name: "nobody-refused",
    means: "the client's own request works, and nobody is known to have been refused",
    find: |evidence| {
        let own: Vec<_> = client_answers(evidence).collect();
        let works = !own.is_empty() && own.iter().all(|(_, answer)| accepted(answer));
        let mut statuses = evidence.logs.files.iter().flat_map(|file| &file.statuses);
        let logged = statuses.any(|(status, _)| matches!(status, 401 | 403));
        let mut browsed = evidence.logs.browsed.iter();
        let seen_by_page = browsed.any(|one| one.answer.as_ref().is_some_and(refused));
        seen(
            works && !logged && !seen_by_page,
            "the client's own request works",
            Probe::Client,
        )
    },
};

/// Somebody was refused.
pub(crate) static SOMEBODY_REFUSED: Sign = Sign {
    name: "somebody-refused",
    means: "a refusal without CORS fields stands beside successes with them, and somebody was refused",
    find: |evidence| {
        if NOBODY_REFUSED.holds(evidence) {
            Vec::new()
        } else {
            (CORS_ON_SUCCESS_ONLY.find)(evidence)
        }
    },
};

/// The preflight allows the page, and the refusal of the request that follows cannot be read by it.
pub(crate) static REFUSAL_WITHOUT_CORS: Sign = Sign {
    name: "refusal-without-cors",
    means: "the preflight is allowed, and the refusal that follows lacks `Access-Control-Allow-Origin`",
    find: |evidence| {
        let allowed = evidence.answer(Probe::Preflight).is_some_and(readable);
        if !allowed || NOBODY_REFUSED.holds(evidence) {
            return Vec::new();
        }
        first_of(
            evidence,
            &[Probe::Origin, Probe::BareOrigin],
            |_, answer| {
                let status = answer.status;
                withheld(answer).then(|| format!("{status} without `access-control-allow-origin`"))
            },
        )
    },
};

/// Pages of other origins use this API; their refusals were not looked at yet.
pub(crate) static CORS_USED: Sign = Sign {
    name: "cors-used",
    means: "a page of another origin may read a success",
    find: |evidence| {
        together(evidence, [Probe::Origin], |[answer]| {
            let holds = readable(answer) && !evidence.sent(Probe::BareOrigin);
            holds.then(|| "a success may be read by the page".to_owned())
        })
    },
};

/// Refusals carry the field.
pub(crate) static CORS_ON_REFUSAL: Sign = Sign {
    name: "cors-on-refusal",
    means: "a refusal carries `Access-Control-Allow-Origin`, too",
    find: |evidence| {
        together(evidence, [Probe::BareOrigin], |[answer]| {
            let holds = refused(answer) && allows(answer);
            holds.then(|| "the refusal can be read by the page".to_owned())
        })
    },
};

fn allows(answer: &Answer) -> bool {
    answer.header("access-control-allow-origin").is_some()
}

/// A success that the page may read.
pub(super) fn readable(answer: &Answer) -> bool {
    accepted(answer) && allows(answer)
}

/// A refusal that the browser keeps from the page.
pub(super) fn withheld(answer: &Answer) -> bool {
    refused(answer) && !allows(answer)
}

/// The session is a cookie, by which the request works.
pub(crate) static COOKIE_SESSION: Sign = Sign {
    name: "cookie-session",
    means: "the request works by its cookie",
    find: |evidence| {
        let Some((sent, answer)) = request::client(evidence) else {
            return Vec::new();
        };
        let cookie = sent.header("authorization").is_none() && !request::carriers(sent).is_empty();
        let needed = evidence
            .answer(Probe::Bare)
            .is_some_and(|bare| !accepted(bare));
        seen(
            cookie && accepted(answer) && needed,
            format!("{} with the cookie", answer.status),
            Probe::Client,
        )
    },
};

/// A page of another origin may not send, or not use, cookies.
pub(crate) static CREDENTIALS_NOT_ALLOWED: Sign = Sign {
    name: "credentials-not-allowed",
    means: "the answer to a page of another origin does not allow credentials, so the browser withholds it",
    find: |evidence| {
        let Some((sent, answer)) = request::asked(evidence, Probe::Origin) else {
            return Vec::new();
        };
        let elsewhere = ends(evidence).is_some_and(|(page, api)| page.origin() != api.origin());
        let cookie = sent.header("cookie").is_some();
        let allowed = answer
            .header("access-control-allow-credentials")
            .is_some_and(|value| value.trim() == "true");
        let star = answer.header("access-control-allow-origin") == Some("*");
        seen(
            elsewhere && cookie && accepted(answer) && (!allowed || star),
            "no `access-control-allow-credentials: true` for the page's own origin",
            Probe::Origin,
        )
    },
};

/// A cookie is set so that browsers do not send it from the page.
pub(crate) static SAME_SITE_BLOCKS: Sign = Sign {
    name: "same-site-blocks",
    means: "a cookie is set so that browsers do not send it with requests of the page",
    find: |evidence| {
        let Some((page, api)) = ends(evidence).filter(|(page, api)| site(page) != site(api)) else {
            return Vec::new();
        };
        let mut clues = Vec::new();
        for (probe, answer) in answers(evidence) {
            let set = answer
                .headers
                .iter()
                .filter(|(name, _)| name == "set-cookie");
            for (_, cookie) in set {
                if let Some(why) = blocked(cookie) {
                    let name = cookie.split('=').next().unwrap_or_default();
                    let says = format!(
                        "the cookie `{name}` {why}; {} is another site than {}",
                        site(&page),
                        site(&api)
                    );
                    clues.extend(seen(true, says, probe));
                }
            }
        }
        clues
    },
};

/// Why a cookie is not sent with requests of another site (RFC 6265bis, section 5.6.7).
pub(super) fn blocked(cookie: &str) -> Option<&'static str> {
    if contains(cookie, "samesite=none") {
        let secure = contains(cookie, "; secure") || contains(cookie, ";secure");
        return (!secure).then_some("has SameSite=None without Secure");
    }
    Some(if contains(cookie, "samesite=strict") {
        "has SameSite=Strict"
    } else if contains(cookie, "samesite=lax") {
        "has SameSite=Lax"
    } else {
        return None;
    })
}

/// The page's origin and the API's URL, where a browser is concerned.
fn ends(evidence: &Evidence) -> Option<(Url, Url)> {
    evidence.exchanges.iter().find_map(|exchange| {
        let origin = exchange.request.header("origin")?;
        Some((
            Url::parse(origin).ok()?,
            Url::parse(&exchange.request.url).ok()?,
        ))
    })
}

/// Scheme and the last two labels of the host: nearly what the public suffix list would say.
pub(super) fn site(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let address = matches!(url.host(), Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)));
    let labels: Vec<_> = host.rsplitn(3, '.').take(2).collect();
    if address || labels.len() < 2 {
        return format!("{}://{host}", url.scheme());
    }
    let own = labels.into_iter().rev().collect::<Vec<_>>().join(".");
    format!("{}://{own}", url.scheme())
}
