//! What handlers take out of a request.

mod bearer;
mod caller;
mod client_auth;
mod form;
mod json;

pub(crate) use bearer::Bearer;
pub(crate) use caller::{Caller, RequestId};
pub(crate) use client_auth::{AuthenticatedClient, Credentials};
pub(crate) use form::{Fields, Form, QueryFields};
pub(crate) use json::JsonBody;

/// No real request to this service is longer.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;
