//! What only frameworks and the services around them say.

use serde_json::Value;

use crate::cause::Layer;
use crate::exchange::Answer;
use crate::layer;
use crate::probe::Probe;
use crate::sign::answer::{At, from_cache, header, text, texts};
use crate::sign::{Sign, accepted, answers, client_answers, contains, logs, refused, seen};
use crate::{Clue, Evidence};

texts! {
    /// What oauth2-proxy logs when it cannot read a bearer token.
    OAUTH2_PROXY_LOGGED = "oauth2-proxy-jwt-session", At::Client, "error retrieving session from token in authorization header", "oauth2-proxy cannot make a session of the bearer token";
    /// Spring Security's debug log.
    ERROR_SECURED_GET = "spring-error-secured-get", At::Client, "securing get /error", "Spring guards its own page for errors";
    /// The same for POST.
    ERROR_SECURED_POST = "spring-error-secured-post", At::Client, "securing post /error", "Spring guards its own page for errors";
    /// Tomcat's log of an error that nobody caught.
    SERVLET_FAILED = "servlet-failed", At::Client, "servlet.service() for servlet [dispatcherservlet]", "a controller of Spring failed";
    /// Spring's word for a path that nothing serves.
    NO_RESOURCE = "spring-no-resource", At::Client, "no static resource", "Spring finds nothing at the path";
    /// The flag in Envoy's access log.
    EXT_AUTHZ_FLAG = "envoy-uaex", At::Client, "uaex", "Envoy's authorization service did not let the request pass";
    /// Response code details of a real denial.
    EXT_AUTHZ_DENIED = "envoy-ext-authz-denied", At::Client, "ext_authz_denied", "Envoy's authorization service denies";
    /// Response code details in Envoy's access log.
    EXT_AUTHZ_ERROR = "envoy-ext-authz-error", At::Client, "ext_authz_error", "Envoy could not reach its authorization service";
    /// nginx' error log.
    AUTH_REQUEST_STATUS = "nginx-auth-request-status", At::Client, "auth request unexpected status", "the subrequest of auth_request ended in neither 2xx nor 401 or 403";
    /// Traefik's log.
    FORWARD_AUTH_BODY = "traefik-forward-auth-body", At::Client, "request body is too large, maxbodysize", "a body exceeds the limit of ForwardAuth";
    /// Traefik names its middleware so.
    FORWARD_AUTH_NAMED = "traefik-forward-auth", At::Client, "forwardauth", "Traefik's ForwardAuth is in the way";
    /// Envoy's RBAC filter, in its answer.
    RBAC_DENIED = "envoy-rbac", At::Client, "rbac: access denied", "a policy of the mesh refuses";
    /// The same in its access log.
    RBAC_LOGGED = "envoy-rbac-logged", At::Client, "rbac_access_denied", "a policy of the mesh refuses";
    /// Supabase Auth's code, in its log.
    BAD_JWT_LOGGED = "supabase-bad-jwt", At::Client, "bad_jwt", "Supabase Auth cannot use the token";
}

/// An error that logs tell of and that nobody got over since: the client's request, where it was sent, fails.
macro_rules! lasting {
    ($($name:ident = $text:literal, $means:literal;)*) => {
        $(pub(super) static $name: Sign = Sign {
            name: concat!($text, "-lasts"),
            means: $means,
            find: |evidence| match client(evidence) {
                Some(answer) if accepted(answer) => Vec::new(),
                _ => logs::text(evidence, $text),
            },
        };)*
    };
}

lasting! {
    EXT_AUTHZ_LASTS = "envoy-ext-authz-error", "Envoy could not reach its authorization service, and the request still fails";
    AUTH_REQUEST_LASTS = "nginx-auth-request-status", "the subrequest of auth_request failed, and the request still does";
    FORWARD_BODY_LASTS = "traefik-forward-auth-body", "a body exceeded the limit of ForwardAuth, and the request still fails";
}

/// What only logs are searched for: a word against forged requests, in the words of Spring, Django, Express,
/// Laravel and Rails; and Traefik's word of a call that failed.
pub(crate) const LOGGED: &[(&str, &str)] = &[
    ("csrf", "invalid csrf token"),
    ("csrf", "csrf verification failed"),
    ("csrf", "csrf failed:"),
    ("csrf", "csrf cookie not set"),
    ("csrf", "csrf token missing"),
    ("csrf", "csrf token mismatch"),
    ("csrf", "ebadcsrftoken"),
    ("csrf", "invalidauthenticitytoken"),
    ("traefik-forward-auth-call", "error calling http"),
];

/// The client's own answer.
pub(super) fn client(evidence: &Evidence) -> Option<&Answer> {
    evidence.answer(Probe::Client)
}

/// 403 with a code of Supabase Auth for a dead token or session.
pub(super) static SUPABASE_403: Sign = Sign {
    name: "supabase-403",
    means: "Supabase Auth says 403 of a dead token or session",
    find: |evidence| {
        let codes = [
            "bad_jwt",
            "session_not_found",
            "session_expired",
            "user_banned",
            "user_not_found",
        ];
        own(evidence, |answer| {
            let code = supabase_code(answer).filter(|code| codes.contains(&code.as_str()))?;
            (answer.status == 403).then(|| format!("403 with the code `{code}`"))
        })
    },
};

/// The code in the body's `error_code`, in `code` beside a version of the API, or in a header field.
fn supabase_code(answer: &Answer) -> Option<String> {
    if let Some(code) = answer.header("x-sb-error-code") {
        return Some(code.to_owned());
    }
    let body: Value = serde_json::from_str(&answer.body).ok()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let versioned = answer.header("x-supabase-api-version").is_some();
    text("error_code").or_else(|| text("code").filter(|code| versioned || code == "bad_jwt"))
}

/// `PostgREST`'s error with an SQLSTATE about rights.
pub(super) static SQL_RIGHTS: Sign = Sign {
    name: "postgrest-rights",
    means: "the database, not the verifier of tokens, refuses: its role lacks a right",
    find: |evidence| {
        own(evidence, |answer| {
            let state = sql_state(answer)?;
            let about_rights = state == "42501"
                || ["28", "0L", "0P"]
                    .iter()
                    .any(|class| state.starts_with(class));
            (refused(answer) && about_rights)
                .then(|| format!("{} with SQLSTATE {state}", answer.status))
        })
    },
};

/// `code` of an error that has `PostgREST`'s four members.
fn sql_state(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_str(&answer.body).ok()?;
    let whole = ["code", "details", "hint", "message"]
        .iter()
        .all(|name| body.get(name).is_some());
    let code = body.get("code").and_then(Value::as_str)?;
    (whole && code.len() == 5).then(|| code.to_owned())
}

/// A cookie or a path of oauth2-proxy in the answers with and without a token.
pub(super) static OAUTH2_PROXY_MARKS: Sign = Sign {
    name: "oauth2-proxy-marks",
    means: "oauth2-proxy is in the way",
    find: |evidence| {
        let mut clues = Vec::new();
        for at in [At::Client, At::Bare] {
            clues.extend(header(evidence, "set-cookie", "_oauth2_proxy", at));
            clues.extend(header(evidence, "location", "/oauth2/start", at));
            clues.extend(header(evidence, "location", "/oauth2/sign_in", at));
            clues.extend(header(evidence, "location", "%2foauth2%2fcallback", at));
            clues.extend(text(evidence, "", ">oauth2 proxy</a>", at));
        }
        clues
    },
};

/// oauth2-proxy's page to sign in, in answer to a token.
pub(super) static SIGN_IN_PAGE_403: Sign = Sign {
    name: "oauth2-proxy-sign-in-403",
    means: "oauth2-proxy answers 403 with its page to sign in",
    find: |evidence| {
        own(evidence, |answer| {
            let page = contains(&answer.body, ">oauth2 proxy</a>")
                || contains(&answer.body, "/oauth2/start");
            (answer.status == 403 && page && contains(&answer.body, "sign in"))
                .then(|| "403 with oauth2-proxy's page to sign in".to_owned())
        })
    },
};

/// A bare `Forbidden`, where without a token a login follows.
pub(super) static DENIED_NOT_SENT_TO_LOGIN: Sign = Sign {
    name: "denied-not-sent-to-login",
    means: "with the token 403, without it the way to a login",
    find: |evidence| {
        let (Some(own), Some(bare)) = (client(evidence), evidence.answer(Probe::Bare)) else {
            return Vec::new();
        };
        let login = (300..400).contains(&bare.status)
            || contains(&bare.body, "sign in")
            || contains(&bare.body, "/oauth2/start");
        let page = own.body.trim_start().starts_with('<') || own.body.trim() == "Forbidden";
        let holds = own.status == 403 && page && contains(&own.body, "forbidden") && login;
        seen(
            holds,
            format!(
                "403 `Forbidden` with the token, {} without: a login",
                bare.status
            ),
            Probe::Bare,
        )
    },
};

/// `FastAPI`'s words for a missing header, with 403.
pub(super) static FASTAPI_403: Sign = Sign {
    name: "fastapi-403",
    means: "FastAPI says 403 where credentials are missing",
    find: |evidence| worded_403(evidence, &[r#""detail":"not authenticated""#]),
};

/// Django REST framework's words for a missing header, with 403.
pub(super) static DRF_403: Sign = Sign {
    name: "drf-403",
    means: "Django REST framework says 403 where credentials are missing",
    find: |evidence| worded_403(evidence, &["authentication credentials were not provided."]),
};

/// Its words for a token that is no good, with 403.
pub(super) static DRF_INVALID_403: Sign = Sign {
    name: "drf-invalid-403",
    means: "Django REST framework says 403 of a token that is not good",
    find: |evidence| {
        let words = [
            "given token not valid for any token type",
            r#"{"detail":"invalid token."}"#,
            "incorrect authentication credentials.",
            r#"{"detail":"token has expired"#,
            r#""code":"token_not_valid""#,
        ];
        own(evidence, |answer| {
            let word = words
                .iter()
                .find(|word| contains(&tight(&answer.body), &tight(word)))?;
            (answer.status == 403).then(|| format!("403 with `{word}`"))
        })
    },
};

/// 403 with one of these in the answer to the client, or to a request without a token.
fn worded_403(evidence: &Evidence, words: &[&str]) -> Vec<Clue> {
    let mut clues = Vec::new();
    for (probe, answer) in answers(evidence) {
        let asked = matches!(probe, Probe::Client | Probe::Bare | Probe::BareOrigin);
        let body = tight(&answer.body);
        let word = words.iter().find(|word| contains(&body, &tight(word)));
        if let (true, 403, Some(word)) = (asked, answer.status, word) {
            clues.extend(seen(true, format!("403 with `{word}`"), probe));
        }
    }
    clues
}

/// Without blanks: JSON is written with and without them.
fn tight(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The client's own request carries no credentials.
pub(super) static SENDS_NO_TOKEN: Sign = Sign {
    name: "sends-no-token",
    means: "the client's own request has no Authorization header",
    find: |evidence| {
        let own = evidence
            .exchanges
            .iter()
            .find(|exchange| exchange.probe == Probe::Client);
        let none = own.is_some_and(|exchange| {
            !exchange
                .request
                .headers
                .iter()
                .any(|(name, _)| name == "authorization")
        });
        seen(
            none && evidence.tokens.is_empty(),
            "the request has no Authorization header",
            Probe::Client,
        )
    },
};

/// The token is refused in other words than no token is.
pub(super) static NOT_AS_BARE: Sign = Sign {
    name: "not-as-bare",
    means: "the answer without a token is not that with it",
    find: |evidence| {
        let (Some(own), Some(bare)) = (client(evidence), evidence.answer(Probe::Bare)) else {
            return Vec::new();
        };
        seen(
            !crate::compare::same(own, bare),
            format!("{} with the token, {} without", own.status, bare.status),
            Probe::Bare,
        )
    },
};

/// What Spring Security writes unless told otherwise, in the answer to any probe.
pub(super) static SPRING_MARKS: Sign = Sign {
    name: "spring-marks",
    means: "Spring wrote the answer",
    find: |evidence| {
        let marked = answers(evidence).find(|(_, answer)| {
            let has = |name: &str, value: &str| {
                answer
                    .header(name)
                    .is_some_and(|found| contains(found, value))
            };
            let fields = has(
                "cache-control",
                "no-cache, no-store, max-age=0, must-revalidate",
            ) && has("x-content-type-options", "nosniff")
                && has("expires", "0");
            let words = has("www-authenticate", "resource_metadata=")
                || has("www-authenticate", "attempting to decode the jwt")
                || has(
                    "www-authenticate",
                    "tools.ietf.org/html/rfc6750#section-3.1",
                );
            fields || words || is_boot_error(answer)
        });
        marked.map_or_else(Vec::new, |(probe, answer)| {
            seen(
                true,
                format!("{} with the marks of Spring", answer.status),
                probe,
            )
        })
    },
};

/// A 401 that says nothing at all: the challenge that RFC 9110 asks for is missing too.
pub(super) static SILENT_401: Sign = Sign {
    name: "silent-401",
    means: "401 without a body and without a challenge: not the verifier of tokens said so",
    find: |evidence| {
        own(evidence, |answer| {
            let silent =
                answer.body.trim().is_empty() && answer.header("www-authenticate").is_none();
            (answer.status == 401 && silent)
                .then(|| "401 without a body and a challenge".to_owned())
        })
    },
};

/// Spring Boot's error document.
fn is_boot_error(answer: &Answer) -> bool {
    let Ok(body) = serde_json::from_str::<Value>(&answer.body) else {
        return false;
    };
    ["timestamp", "status", "error", "path"]
        .iter()
        .all(|name| body.get(name).is_some())
}

/// The token is verified, and then the answer is the one for nobody: the error page asks again.
pub(super) static VERIFIED_THEN_NOBODY: Sign = Sign {
    name: "verified-then-nobody",
    means: "a forged token is refused as such, the good one as if there were none",
    find: |evidence| {
        let (Some(own), Some(bare), Some(altered)) = (
            client(evidence),
            evidence.answer(Probe::Bare),
            evidence.answer(Probe::Altered),
        ) else {
            return Vec::new();
        };
        let holds = refused(own)
            && crate::compare::same(own, bare)
            && refused(altered)
            && !crate::compare::same(own, altered);
        seen(
            holds,
            format!(
                "{} with the token as without it, but another answer to an altered one: it is read, and forgotten",
                own.status
            ),
            Probe::Altered,
        )
    },
};

/// The refusal itself names a missing token against forged requests.
pub(super) static CSRF_REFUSAL: Sign = Sign {
    name: "csrf-refusal",
    means: "the refusal asks for a token against forged requests (CSRF)",
    find: |evidence| {
        own(evidence, |answer| {
            let word = forgery_word(&answer.body)?;
            let tenure = layer::answered(answer).is_some_and(|by| by.layer == Layer::Tenure);
            (!tenure && matches!(answer.status, 400 | 403 | 419 | 422))
                .then(|| format!("{} with `{word}` in its body", answer.status))
        })
    },
};

/// Statuses with which frameworks refuse what they take for forged.
pub(super) static CSRF_STATUS: Sign = Sign {
    name: "csrf-status",
    means: "the status is one with which frameworks refuse what they take for forged",
    find: |evidence| {
        own(evidence, |answer| {
            matches!(answer.status, 400 | 403 | 419 | 422)
                .then(|| format!("{} for the client's request", answer.status))
        })
    },
};

/// The word by which a body speaks of forged requests. Pages carry such tokens in their forms too.
fn forgery_word(body: &str) -> Option<&'static str> {
    let said = [
        "csrf verification failed",
        "csrf failed",
        "csrf cookie",
        "csrf token missing",
        "csrf token mismatch",
        "csrf token is",
        "csrf token from",
        "csrf token not",
        "missing csrf",
        "invalid csrf",
        "ebadcsrftoken",
        "invalidauthenticitytoken",
        "cross-site post form submissions are forbidden",
    ];
    let document = body.trim_start().starts_with('{');
    let anywhere = ["csrf", "xsrf"].iter().filter(|_| document);
    said.iter()
        .chain(anywhere)
        .find(|word| contains(body, word))
        .copied()
}

/// A log speaks of a missing token against forged requests.
pub(super) static CSRF_LOGGED: Sign = Sign {
    name: "csrf-logged",
    means: "a log speaks of a missing token against forged requests (CSRF)",
    find: |evidence| logs::text(evidence, "csrf"),
};

/// The method writes, and its refusal does not look at the token, while reading is allowed with it.
pub(super) static WRITES_REFUSED: Sign = Sign {
    name: "writes-refused",
    means: "reading is allowed with the token, and writing refused",
    find: |evidence| {
        let (Some(own), Some(other)) = (client(evidence), evidence.answer(Probe::OtherMethod))
        else {
            return Vec::new();
        };
        let holds = method(evidence).is_some_and(writes) && own.status == 403 && accepted(other);
        seen(
            holds,
            format!("403 for the method that writes, {} for GET", other.status),
            Probe::OtherMethod,
        )
    },
};

/// The client's method is one that writes.
pub(super) static WRITES: Sign = Sign {
    name: "writes",
    means: "the client's request writes",
    find: |evidence| match method(evidence) {
        Some(method) => seen(
            writes(method),
            format!("the client's method is {method}"),
            Probe::Client,
        ),
        None => Vec::new(),
    },
};

fn method(evidence: &Evidence) -> Option<&str> {
    let own = evidence
        .exchanges
        .iter()
        .find(|exchange| exchange.probe == Probe::Client)?;
    Some(&own.request.method)
}

fn writes(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH" | "DELETE")
}

/// Without a token the endpoint answers, with this token it refuses.
pub(super) static WORSE_WITH_TOKEN: Sign = Sign {
    name: "worse-with-token",
    means: "the endpoint answers everybody, and refuses this token",
    find: |evidence| {
        let (Some(own), Some(bare)) = (client(evidence), evidence.answer(Probe::Bare)) else {
            return Vec::new();
        };
        let page = bare
            .header("content-type")
            .is_some_and(|kind| contains(kind, "text/html"));
        let holds = refused(own) && accepted(bare) && !page && from_cache(bare).is_none();
        seen(
            holds,
            format!("{} with the token, {} without it", own.status, bare.status),
            Probe::Bare,
        )
    },
};

/// An altered token is refused where none is needed: so a bad one is what is refused.
pub(super) static FORGED_REFUSED: Sign = Sign {
    name: "forged-refused",
    means: "an altered token is refused",
    find: |evidence| match evidence.answer(Probe::Altered) {
        Some(altered) => seen(
            refused(altered),
            format!("{} with an altered signature", altered.status),
            Probe::Altered,
        ),
        None => Vec::new(),
    },
};

/// 403 without a body from Envoy, whatever the token.
pub(super) static EMPTY_ENVOY_403: Sign = Sign {
    name: "empty-envoy-403",
    means: "Envoy says 403 without a word",
    find: |evidence| {
        own(evidence, |answer| {
            let envoy = answer
                .header("server")
                .is_some_and(|server| contains(server, "envoy") || contains(server, "istio"));
            let upstream = answer.header("x-envoy-upstream-service-time").is_some();
            (envoy && !upstream && answer.status == 403 && answer.body.trim().is_empty())
                .then(|| "403 without a body, and nothing behind Envoy was asked".to_owned())
        })
    },
};

/// nginx' own page for an error of its own.
pub(super) static NGINX_500: Sign = Sign {
    name: "nginx-500",
    means: "nginx itself says 500",
    find: |evidence| {
        own(evidence, |answer| {
            let nginx = contains(&answer.body, "<center>nginx")
                || contains(&answer.body, "<center>openresty");
            (answer.status == 500 && nginx).then(|| "500 with nginx' own page".to_owned())
        })
    },
};

/// Neither product nor words: 500 without a body.
pub(super) static EMPTY_500: Sign = Sign {
    name: "empty-500",
    means: "500 without a body",
    find: |evidence| {
        own(evidence, |answer| {
            (answer.status == 500
                && answer.body.trim().is_empty()
                && answer.header("server").is_none())
            .then(|| "500 without a body and without a server's name".to_owned())
        })
    },
};

/// Traefik logged that its authentication server did not answer.
pub(super) static FORWARD_AUTH_DOWN: Sign = Sign {
    name: "forward-auth-down",
    means: "Traefik's ForwardAuth could not reach its authentication server",
    find: |evidence| {
        if client(evidence).is_some_and(accepted) {
            return Vec::new();
        }
        let named = logs::text(evidence, "traefik-forward-auth");
        let called = logs::text(evidence, "traefik-forward-auth-call");
        if named.is_empty() { named } else { called }
    },
};

/// Traefik's access log: a middleware answered 500, the origin was not asked.
pub(super) static MIDDLEWARE_500: Sign = Sign {
    name: "traefik-middleware-500",
    means: "a middleware of Traefik said 500 without asking the origin",
    find: |evidence| logs::text(evidence, "traefik-middleware-500"),
};

/// The same with 401.
pub(super) static MIDDLEWARE_401: Sign = Sign {
    name: "traefik-middleware-401",
    means: "a middleware of Traefik said 401 without asking the origin",
    find: |evidence| logs::text(evidence, "traefik-middleware-401"),
};

/// A small body passes, a large one gets an empty 401.
pub(super) static LARGE_BODY_401: Sign = Sign {
    name: "large-body-401",
    means: "a large body is answered with an empty 401, a small one is not",
    find: |evidence| {
        let (Some(small), Some(large)) = (
            evidence.answer(Probe::SmallBody),
            evidence.answer(Probe::LargeBody),
        ) else {
            return Vec::new();
        };
        let silent = large.body.trim().is_empty() && large.header("www-authenticate").is_none();
        seen(
            !refused(small) && small.status < 500 && large.status == 401 && silent,
            format!("{} for 1 KiB of body, an empty 401 for 9 KiB", small.status),
            Probe::LargeBody,
        )
    },
};

/// The policy refuses, and a bad token is refused by the mesh's verifier in other words.
pub(super) static POLICY_AFTER_TOKEN: Sign = Sign {
    name: "policy-after-token",
    means: "the mesh's verifier refuses a bad token itself, so the policy is what refuses this request",
    find: |evidence| {
        let altered = evidence.answer(Probe::Altered);
        let told =
            altered.is_some_and(|answer| answer.status == 401 && contains(&answer.body, "jwt"));
        let denied = client(evidence).is_some_and(|own| contains(&own.body, "rbac: access denied"));
        seen(
            told && denied,
            "403 by the policy with the token, 401 by the verifier with an altered one",
            Probe::Altered,
        )
    },
};

/// AWS' load balancer says 401 itself.
pub(super) static BALANCER_401: Sign = Sign {
    name: "load-balancer-401",
    means: "AWS' load balancer says 401 itself",
    find: |evidence| {
        own(evidence, |answer| {
            let own = answer
                .header("server")
                .is_some_and(|server| contains(server, "awselb"));
            (own && answer.status == 401).then(|| "401 with `server: awselb`".to_owned())
        })
    },
};

/// 403 beside `invalid_token`, for which RFC 6750 asks for 401.
pub(super) static INVALID_TOKEN_403: Sign = Sign {
    name: "invalid-token-403",
    means: "the challenge says `invalid_token`, for which RFC 6750 asks for 401, and the status is 403",
    find: |evidence| {
        own(evidence, |answer| {
            let challenge = answer.header("www-authenticate")?;
            (answer.status == 403 && contains(challenge, "invalid_token"))
                .then(|| format!("403 with `{challenge}`"))
        })
    },
};

/// An empty body: the challenge is all that is said.
pub(super) static EMPTY_BODY: Sign = Sign {
    name: "empty-refusal",
    means: "the refusal has no body",
    find: |evidence| {
        own(evidence, |answer| {
            (refused(answer) && answer.body.trim().is_empty())
                .then(|| format!("{} without a body", answer.status))
        })
    },
};

/// The words of axum-jwt-auth for whatever it has no other word for.
pub(super) static INTERNAL_ERROR_500: Sign = Sign {
    name: "internal-error-500",
    means: "500 with the words that axum-jwt-auth has for a key that it does not know",
    find: |evidence| {
        own(evidence, |answer| {
            (answer.status == 500 && answer.body.trim() == "Internal error")
                .then(|| "500 with `Internal error`".to_owned())
        })
    },
};

/// Its words for other faults, to requests that differ.
pub(super) static AXUM_WORDS: Sign = Sign {
    name: "axum-jwt-auth-words",
    means: "without a token the answer has axum-jwt-auth's words",
    find: |evidence| match evidence.answer(Probe::Bare) {
        Some(bare) => seen(
            bare.status == 401 && bare.body.trim() == "Missing token",
            "401 with `Missing token`",
            Probe::Bare,
        ),
        None => Vec::new(),
    },
};

/// Something in front of the service answered.
pub(super) static ANSWERED_IN_FRONT: Sign = Sign {
    name: "answered-in-front",
    means: "what answered stands in front of the service",
    find: |evidence| {
        own(evidence, |answer| {
            let by = layer::answered(answer)?;
            matches!(
                by.layer,
                Layer::Cdn | Layer::Waf | Layer::Proxy | Layer::GatewayRouter
            )
            .then(|| format!("{} answered: {}", by.product, by.mark))
        })
    },
};

/// One clue for the first of the client's own answers of which something is to be said.
pub(super) fn own(evidence: &Evidence, says: impl Fn(&Answer) -> Option<String>) -> Vec<Clue> {
    client_answers(evidence)
        .find_map(|(exchange, answer)| Some((says(answer)?, exchange.probe)))
        .map_or_else(Vec::new, |(says, probe)| seen(true, says, probe))
}
