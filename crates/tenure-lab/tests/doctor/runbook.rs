//! Incident I4: each line of its runbook as a live service with that fault, and its twin without it.

mod causes;
mod elsewhere;
mod patterns;

use axum::body::Body;
use axum::http::Response;
use serde_json::Value;

use crate::api::{Api, Asked, say};
use crate::mint::{Mint, Refusal};
use crate::place::{Diagnosed, Place};

/// The claims of the request's token, or the answer of a service that verifies as RFC 6750 says.
#[expect(
    clippy::result_large_err,
    reason = "an answer is what comes of it either way"
)]
fn guard(mint: &Mint, asked: &Asked) -> Result<Value, Response<Body>> {
    let Some(token) = asked.bearer().filter(|token| !token.is_empty()) else {
        let challenge = [("www-authenticate", "Bearer")];
        // In the words of npm express-jwt.
        let body =
            r#"{"code":"credentials_required","message":"No authorization token was found"}"#;
        return Err(say(401, &challenge, body));
    };
    mint.verify(token).map_err(|refusal| {
        invalid(match refusal {
            Refusal::Malformed => "jwt malformed",
            Refusal::UnknownKey => "no key fits",
            Refusal::Signature => "invalid signature",
            Refusal::Expired => "jwt expired",
        })
    })
}

fn invalid(why: &str) -> Response<Body> {
    let challenge = format!(r#"Bearer error="invalid_token", error_description="{why}""#);
    let body = format!(r#"{{"error":"invalid_token","message":"{why}"}}"#);
    say(401, &[("www-authenticate", &challenge)], &body)
}

fn fine() -> Response<Body> {
    say(200, &[], r#"{"items":[]}"#)
}

/// A service at which any token of the mint is enough.
async fn open_to_all(mint: &Mint) -> Api {
    let mint = mint.clone();
    Api::start(move |asked| guard(&mint, asked).map_or_else(|no| no, |_| fine())).await
}

/// Everything that somebody has, looked at together; the token is in `token.txt`.
async fn look(place: &Place, url: &str, more: &[&str]) -> Diagnosed {
    let given = ["--token-file", "token.txt", "--url", url];
    place.diagnose(&[&given[..], more].concat()).await
}
