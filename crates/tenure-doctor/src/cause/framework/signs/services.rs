//! What services that answer in place of the API say.

use serde_json::Value;

use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::{At, header, mentions, text};
use crate::sign::{Sign, contains, of_client, refused, together};

/// 403 with a code of Supabase Auth for a dead token or session.
pub(crate) static SUPABASE_403: Sign = Sign {
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
        of_client(evidence, |answer| {
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
pub(crate) static SQL_RIGHTS: Sign = Sign {
    name: "postgrest-rights",
    means: "the database, not the verifier of tokens, refuses: its role lacks a right",
    find: |evidence| {
        of_client(evidence, |answer| {
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
pub(crate) static OAUTH2_PROXY_MARKS: Sign = Sign {
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
pub(crate) static SIGN_IN_PAGE_403: Sign = Sign {
    name: "oauth2-proxy-sign-in-403",
    means: "oauth2-proxy answers 403 with its page to sign in",
    find: |evidence| {
        of_client(evidence, |answer| {
            let page = contains(&answer.body, ">oauth2 proxy</a>")
                || contains(&answer.body, "/oauth2/start");
            (answer.status == 403 && page && contains(&answer.body, "sign in"))
                .then(|| "403 with oauth2-proxy's page to sign in".to_owned())
        })
    },
};

/// A bare `Forbidden`, where without a token a login follows.
pub(crate) static DENIED_NOT_SENT_TO_LOGIN: Sign = Sign {
    name: "denied-not-sent-to-login",
    means: "with the token 403, without it the way to a login",
    find: |evidence| {
        together(evidence, [Probe::Client, Probe::Bare], |[own, bare]| {
            let login = (300..400).contains(&bare.status)
                || contains(&bare.body, "sign in")
                || contains(&bare.body, "/oauth2/start");
            let page = own.body.trim_start().starts_with('<') || own.body.trim() == "Forbidden";
            let holds = own.status == 403 && page && contains(&own.body, "forbidden") && login;
            let status = bare.status;
            holds.then(|| format!("403 `Forbidden` with the token, {status} without: a login"))
        })
    },
};

/// AWS' load balancer says 401 itself.
pub(crate) static BALANCER_401: Sign = Sign {
    name: "load-balancer-401",
    means: "AWS' load balancer says 401 itself",
    find: |evidence| {
        of_client(evidence, |answer| {
            let own = mentions(answer.header("server"), "awselb");
            (own && answer.status == 401).then(|| "401 with `server: awselb`".to_owned())
        })
    },
};
