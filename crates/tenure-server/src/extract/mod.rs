//! What handlers take out of a request.

mod bearer;
mod caller;
mod client_auth;
mod form;
mod json;

pub(crate) use bearer::Bearer;
pub(crate) use caller::Caller;
pub(crate) use client_auth::{AuthenticatedClient, Credentials};
pub(crate) use form::{Fields, Form, QueryFields};
pub(crate) use json::JsonBody;

use std::error::Error as _;

use axum::body::{Body, Bytes, to_bytes};
use http_body_util::LengthLimitError;

use crate::error::Fault;

/// No real request to this service is longer.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// The whole body, if it is no longer than a real one.
pub(crate) async fn body(body: Body) -> Result<Bytes, Fault> {
    to_bytes(body, BODY_LIMIT).await.map_err(|error| {
        let cause = error.source().and_then(|cause| cause.downcast_ref());
        if matches!(cause, Some(LengthLimitError { .. })) {
            Fault::TooLarge
        } else {
            Fault::InvalidRequest("the body is malformed or was cut off".to_owned())
        }
    })
}
