//! The pages that people see: rendered here, complete without scripts, foreign resources or tracking.

mod guard;
mod problem;
pub(crate) mod style;

pub(crate) use guard::FormGuard;
pub(crate) use problem::Problem;
pub(crate) use style::STYLE;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::error::Fault;

/// Asks for e-mail and password.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage<'a> {
    pub(crate) client: &'a str,
    pub(crate) email: &'a str,
    pub(crate) problem: Option<&'a str>,
    pub(crate) form: FormFields<'a>,
    /// Offers to send a link instead.
    pub(crate) link: bool,
}

/// Asks whether a client may have what it asks for.
#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage<'a> {
    pub(crate) client: &'a str,
    pub(crate) email: &'a str,
    pub(crate) permissions: &'a [String],
    /// Where the browser goes next, as far as that tells a person something.
    pub(crate) destination: &'a str,
    pub(crate) form: FormFields<'a>,
}

/// Says that a link is on its way.
#[derive(Template)]
#[template(path = "link_sent.html")]
pub(crate) struct LinkSentPage<'a> {
    pub(crate) email: &'a str,
    pub(crate) minutes: u64,
}

/// Asks for a press of a button, because mail scanners open links too.
#[derive(Template)]
#[template(path = "link.html")]
pub(crate) struct LinkPage<'a> {
    pub(crate) token: &'a str,
    pub(crate) csrf: &'a str,
}

/// Asks for the code that a device shows.
#[derive(Template)]
#[template(path = "device.html")]
pub(crate) struct DevicePage<'a> {
    pub(crate) user_code: &'a str,
    pub(crate) problem: Option<&'a str>,
}

/// Asks whether a device may have what it asks for.
#[derive(Template)]
#[template(path = "device_confirm.html")]
pub(crate) struct DeviceConfirmPage<'a> {
    pub(crate) client: &'a str,
    pub(crate) email: &'a str,
    /// As the device shows it.
    pub(crate) user_code: &'a str,
    pub(crate) permissions: &'a [String],
    pub(crate) csrf: &'a str,
}

/// Says what was decided about a device.
#[derive(Template)]
#[template(path = "device_done.html")]
pub(crate) struct DeviceDonePage<'a> {
    pub(crate) client: &'a str,
    pub(crate) allowed: bool,
}

/// The hidden fields of a form about an authorization request.
pub(crate) struct FormFields<'a> {
    /// The request, as a query string.
    pub(crate) authorization: &'a str,
    pub(crate) csrf: &'a str,
}

/// Answers with a page whose forms may lead to this server and to `form_targets`.
pub(crate) fn respond(
    status: StatusCode,
    page: &impl Template,
    form_targets: &[String],
) -> Result<Response, Fault> {
    let html = page
        .render()
        .map_err(|error| Fault::unavailable(error.to_string()))?;
    let policy = HeaderValue::from_str(&content_security_policy(form_targets))
        .map_err(|_| Fault::unavailable("a page has no valid policy"))?;
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((status, headers, Html(html)).into_response())
}

fn content_security_policy(form_targets: &[String]) -> String {
    let mut policy = format!(
        "default-src 'none'; style-src '{}'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
        style::hash()
    );
    for target in form_targets {
        policy.push(' ');
        policy.push_str(target);
    }
    policy
}
