//! JSON bodies of the first-party and admin routes.

use axum::body::Body;
use axum::extract::FromRequest;
use http::{Request, header};
use serde::de::DeserializeOwned;

use crate::error::Fault;

/// A JSON body. Types deny unknown fields, so that a typo is an answer and not a surprise.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Fault;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, Fault> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Fault::UnsupportedMediaType(
                "send Content-Type: application/json",
            ));
        }
        let body = super::body(request.into_body()).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            // serde_json names the field and the place, and quotes unknown names but no values of
            // known fields; what it quotes must still fit RFC 6749's character set.
            let why = error.to_string().replace(['"', '\\'], "'");
            let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
            Fault::InvalidRequest(format!("the JSON body: {why}"))
        })
    }
}
