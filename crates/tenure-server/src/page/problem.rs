//! The page that says what went wrong and what to do.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use tenure_store::StoreError;

use super::respond;
use crate::error::Fault;

/// Something went wrong that a person has to be told.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    retry_after: Option<HeaderValue>,
    title: &'static str,
    text: String,
}

impl Problem {
    /// A request that makes no sense, whoever sent it.
    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            retry_after: None,
            title: "This sign-in request is not valid",
            text: text.into(),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let (title, text) = match &fault {
            Fault::Unavailable { .. } => (
                "We cannot sign you in right now",
                "The trouble is on our side. Please try again in a moment.",
            ),
            Fault::TooMany { .. } => (
                "Too many attempts",
                "Please wait a minute, and then try again.",
            ),
            _ => (
                "This sign-in request is not valid",
                "Go back to the app that sent you here, and start again.",
            ),
        };
        let answer = fault.into_response();
        Self {
            status: answer.status(),
            retry_after: answer.headers().get(header::RETRY_AFTER).cloned(),
            title,
            text: text.to_owned(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Fault::from(error).into()
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    text: &'a str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let page = ProblemPage {
            title: self.title,
            text: &self.text,
        };
        let mut response = match respond(self.status, &page, &[]) {
            Ok(response) => response,
            Err(fault) => return fault.into_response(),
        };
        if let Some(retry_after) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, retry_after);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http::header;

    use super::Problem;
    use crate::error::Fault;

    #[test]
    fn our_own_trouble_says_when_to_come_back_and_tells_no_details() {
        let problem = Problem::from(Fault::unavailable("disk /dev/sda1 is full"));
        assert!(!problem.text.contains("/dev/sda1"));
        let answer = problem.into_response();
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    }
}
