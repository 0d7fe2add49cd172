//! What only the causes of client and transport ask.

pub(super) mod carriers;
pub(in crate::cause) mod console;
pub(super) mod scheme;
pub(super) mod spoiled;
pub(super) mod word;

use crate::cause::client::request::{self, Scheme};
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::answer::{At, texts};
use crate::sign::token::presented;
use crate::sign::{accepted, found, probes};
use crate::{Clue, Evidence};

texts! {
    /// Kong's jwt plugin, `handler.lua`.
    MULTIPLE_TOKENS_KONG = "kong-multiple-tokens", At::Client, "multiple tokens provided",
        "Kong says that the request carries several tokens";
    /// Spring Security, `DefaultBearerTokenResolver`.
    MULTIPLE_TOKENS_SPRING = "spring-multiple-tokens", At::Client, "found multiple bearer tokens in the request",
        "Spring Security says that the request carries several tokens";
    /// Auth0's `oauth2-bearer` for Node.js, `get-token.ts`.
    MULTIPLE_TOKENS_AUTH0 = "auth0-multiple-tokens", At::Client, "more than one method used for authentication",
        "Auth0's middleware says that the request carries several tokens";
    /// A request was logged with the word that JavaScript makes of a missing token.
    LOGGED_UNDEFINED = "bearer-undefined", At::Client, "bearer undefined",
        "a request was sent with `Bearer undefined`";
    /// The same of a null.
    LOGGED_NULL = "bearer-null", At::Client, "bearer null",
        "a request was sent with `Bearer null`";
    /// nginx, the page of its status 494.
    HEADER_TOO_LARGE_NGINX = "nginx-header-too-large", At::Client, "request header or cookie too large",
        "nginx says that a header field is too large";
    /// nginx's error log, which names the field.
    LOGGED_TOO_LONG_HEADER = "nginx-too-long-authorization", At::Client, "client sent too long header line: \"authorization",
        "nginx logged an Authorization header that was too long";
    /// Apache httpd, which answers 400.
    HEADER_TOO_LARGE_APACHE = "apache-header-too-large", At::Client, "size of a request header field exceeds server limit",
        "Apache says that a header field is too large";
    /// Tomcat's log and page.
    HEADER_TOO_LARGE_TOMCAT = "tomcat-header-too-large", At::Client, "request header is too large",
        "Tomcat says that the header is too large";
    /// Node.js, Jetty, gunicorn: the phrase of 431 (RFC 6585, section 5).
    HEADER_FIELDS_TOO_LARGE = "header-fields-too-large", At::Client, "request header fields too large",
        "a server says that the header fields are too large";
    /// Netty, `TooLongHttpHeaderException`.
    HEADER_TOO_LARGE_NETTY = "netty-header-too-large", At::Client, "http header is larger than",
        "Netty says that the header is too large";
    /// Puma, `puma_http11.c`.
    HEADER_TOO_LARGE_PUMA = "puma-header-too-long", At::Client, "allowed length (was",
        "Puma says that an element of the request is too long";
    /// Kestrel, `CoreStrings.resx`.
    HEADER_TOO_LARGE_KESTREL = "kestrel-header-too-long", At::Client, "request headers too long",
        "Kestrel says that the header is too large";
    /// HTTP.sys, which answers 400.
    HEADER_TOO_LARGE_IIS = "http-sys-header-too-long", At::Client, "the size of the request headers is too long",
        "HTTP.sys says that the header is too large";
    /// aws-jwt-verify, `assertStringEquals` of `token_use`.
    TOKEN_USE_NOT_ALLOWED = "token-use-not-allowed", At::Client, "token use not allowed",
        "aws-jwt-verify says that the token is of the other kind (`token_use`)";
}

/// Refused with 400, 401, 403 or 422: what APIs answer to credentials that they do not take.
pub(super) fn turned_away(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 401 | 403 | 422)
}

/// The client's request is turned away, and one of these probes is accepted.
pub(super) fn flips(evidence: &Evidence, tried: &[(Probe, &str)]) -> Vec<Clue> {
    let steady = |answer: &Answer| {
        turned_away(answer) && !probes::is_passing(answer) && !probes::answers_vary(evidence)
    };
    // Where a forged token is accepted in the client's own spelling, this very token is refused, as by a cached policy.
    let forged = evidence.answer(Probe::Altered).is_some_and(accepted);
    let client = evidence.answer(Probe::Client);
    let Some(client) = client.filter(|it| steady(it) && !forged) else {
        return Vec::new();
    };
    found(tried.iter().find_map(|(probe, how)| {
        let answer = evidence.answer(*probe).filter(|it| accepted(it))?;
        let (own, other) = (client.status, answer.status);
        Some((
            *probe,
            format!("{own} as the client sends it, {other} {how}"),
        ))
    }))
}

fn is_bearer(evidence: &Evidence) -> bool {
    request::scheme(evidence) == Some(Scheme::Bearer)
}

fn is_blemished(evidence: &Evidence) -> bool {
    presented(evidence).is_some_and(|token| !token.blemishes.is_empty())
}
