//! `application/x-www-form-urlencoded` bodies and queries (RFC 6749 appendix B).

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts};
use http::request::Parts;
use http::{HeaderMap, Request, header};

use super::BODY_LIMIT;
use crate::error::Fault;

/// Parameters, each at most once; empty ones count as absent (RFC 6749 section 3.1).
#[derive(Clone, Default)]
pub(crate) struct Fields {
    values: BTreeMap<String, String>,
    resources: Vec<String>,
}

impl Fields {
    /// `resource` is the one parameter that may be repeated (RFC 8707 section 2).
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Fault> {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(text) {
            if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
                return Err(Fault::InvalidRequest(
                    "a parameter is not valid UTF-8".to_owned(),
                ));
            }
            if value.is_empty() {
                continue;
            }
            if name == "resource" {
                fields.resources.push(value.into_owned());
            } else if let Some(repeated) = fields.insert(name.into_owned(), value.into_owned()) {
                let why = format!("the parameter {repeated} is sent more than once");
                return Err(Fault::InvalidRequest(why));
            }
        }
        Ok(fields)
    }

    fn insert(&mut self, name: String, value: String) -> Option<String> {
        if self.values.contains_key(&name) {
            return Some(printable(&name));
        }
        self.values.insert(name, value);
        None
    }

    /// An optional parameter.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A required parameter.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        let missing = || Fault::InvalidRequest(format!("the parameter {name} is missing"));
        self.optional(name).ok_or_else(missing)
    }

    /// `resource` (RFC 8707).
    pub(crate) fn resources(&self) -> &[String] {
        &self.resources
    }
}

/// A name for an error message: RFC 6749 allows no quotes, backslashes or control characters there.
fn printable(name: &str) -> String {
    let shown = |c: &char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
    name.chars().filter(shown).take(40).collect()
}

/// The parameters of a POST body. A query string is refused: it would be logged everywhere.
pub(crate) struct Form {
    pub(crate) fields: Fields,
    pub(crate) headers: HeaderMap,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Fault;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        if parts.uri.query().is_some_and(|query| !query.is_empty()) {
            let why = "parameters belong into the body, not into the URL";
            return Err(Fault::InvalidRequest(why.to_owned()));
        }
        if !is_form(&parts.headers) {
            return Err(Fault::UnsupportedMediaType(
                "send Content-Type: application/x-www-form-urlencoded",
            ));
        }
        let body = super::body(body).await?;
        Ok(Self {
            fields: Fields::parse(&body)?,
            headers: parts.headers,
        })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}

/// The parameters of a query string.
pub(crate) struct QueryFields(pub(crate) Fields);

impl<S: Send + Sync> FromRequestParts<S> for QueryFields {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let query = parts.uri.query().unwrap_or_default();
        if query.len() > BODY_LIMIT {
            return Err(Fault::TooLarge);
        }
        Fields::parse(query.as_bytes()).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;
    use crate::error::Fault;

    #[test]
    fn a_repeated_parameter_is_refused_and_named() {
        let refused = Fields::parse(b"scope=a&scope=b").err();
        let why = "the parameter scope is sent more than once".to_owned();
        assert_eq!(refused, Some(Fault::InvalidRequest(why)));
    }

    #[test]
    fn an_empty_parameter_is_absent_and_resource_may_repeat() {
        let fields = Fields::parse(b"scope=&resource=https://a&resource=https://b").unwrap();
        assert_eq!(fields.optional("scope"), None);
        assert_eq!(fields.resources().len(), 2);
    }

    #[test]
    fn invalid_utf8_is_refused() {
        assert!(Fields::parse(b"scope=%ff%fe").is_err());
    }
}
