//! What the issuer is asked: documents, what it says of the token, refreshes.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::Url;

use super::{Asked, Request};
use crate::probe::{Probe, Refresh, chain, may_name};
use crate::token;

impl Asked<'_> {
    fn issuer(&self) -> Option<&str> {
        self.subject.target.issuer.as_deref()
    }

    pub(super) fn discovery(&self) -> Option<Request> {
        Some(Request::get(chain::discovery(self.issuer()?)?))
    }

    pub(super) fn jwks(&self) -> Option<Request> {
        let discovery = chain::of(self.so_far, Probe::Discovery)?;
        let Some(named) = chain::member(discovery, "jwks_uri") else {
            let usual = chain::well_known(self.issuer()?, "jwks.json")?;
            return Some(Request::get(usual));
        };
        let issuer = Url::parse(&discovery.request.url).ok()?;
        let named = Url::parse(&named).ok()?;
        may_name(&issuer, &named).then(|| Request::get(named))
    }

    /// Only at the issuer's own host: metadata must not be able to send the token elsewhere.
    pub(super) fn userinfo(&self) -> Option<Request> {
        let discovery = chain::of(self.so_far, Probe::Discovery)?;
        let url = Url::parse(&chain::member(discovery, "userinfo_endpoint")?).ok()?;
        let issuer = Url::parse(self.issuer()?).ok()?;
        let same = url.origin() == issuer.origin();
        let token = token::cleaned(self.subject.token.as_ref()?.expose());
        (self.subject.userinfo && same)
            .then(|| Request::get(url).with("authorization", format!("Bearer {token}")))
    }

    pub(super) fn introspection(&self) -> Option<Request> {
        let given = self.subject.introspection.as_ref()?;
        let token = token::cleaned(self.subject.token.as_ref()?.expose());
        let body = form([("token", token)]);
        let credentials = format!("{}:{}", given.client_id, given.client_secret.expose());
        let request = Request::get(Url::parse(&given.url).ok()?).method("POST");
        Some(
            request
                .with("accept", "application/json")
                .with(
                    "authorization",
                    format!("Basic {}", STANDARD.encode(credentials)),
                )
                .body(FORM, body),
        )
    }

    /// `again` is 0 for the first; each other one needs the answer of the one before.
    pub(super) fn refresh(&self, again: u8) -> Option<Request> {
        let given = self.subject.refresh.as_ref()?;
        let token = chain::refreshed(self.so_far, again, given).ok()?;
        let (kind, body) = refresh_body(given, token)?;
        let request = Request::get(Url::parse(&given.url).ok()?).method("POST");
        Some(request.body(kind, body).with_all(&given.headers))
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The body with the token replaced, where there is a newer one.
fn refresh_body(given: &Refresh, token: Option<String>) -> Option<(&'static str, Vec<u8>)> {
    let mut fields = Value::Object(given.form.clone().or_else(|| given.json.clone())?);
    if let Some(token) = token {
        let pointer = format!("/{}", given.token_field.replace('.', "/"));
        *fields.pointer_mut(&pointer)? = Value::String(token);
    }
    if given.form.is_none() {
        return Some(("application/json", serde_json::to_vec(&fields).ok()?));
    }
    let pairs = fields.as_object()?.iter().map(|(name, value)| {
        let other = || Cow::Owned(value.to_string());
        (name, value.as_str().map_or_else(other, Cow::Borrowed))
    });
    Some((FORM, form(pairs)))
}

fn form(fields: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>) -> Vec<u8> {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
        .into_bytes()
}
