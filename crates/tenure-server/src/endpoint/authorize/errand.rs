//! What somebody signs in for.

use super::redirect;
use super::request::{Parameters, Refusal, Request};
use crate::endpoint::device::UserCode;
use crate::state::AppState;

/// Where the browser goes on to after it has been signed in.
pub(crate) enum Errand {
    /// An app asked for it.
    App(Box<Request>),
    /// A device waits at its verification page; with its user code, where that is known.
    Device(Option<UserCode>),
}

/// The address of the verification page, from the root of this server.
const DEVICE: &str = "device";

impl Errand {
    /// From [`Errand::text`], which has been in the hands of a browser.
    pub(super) fn check(state: &AppState, text: &str) -> Result<Self, Refusal> {
        let Some(query) = text.strip_prefix(DEVICE) else {
            let request = Request::check(state, Parameters::parse(text.as_bytes()))?;
            return Ok(Self::App(Box::new(request)));
        };
        let user_code = query.strip_prefix("?user_code=").and_then(UserCode::parse);
        Ok(Self::Device(user_code))
    }

    /// The query of the authorization request, or the address of the verification page: no parameter
    /// of a request begins like that.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::App(request) => request.parameters.text(),
            Self::Device(None) => DEVICE.to_owned(),
            Self::Device(Some(user_code)) => format!("{DEVICE}?user_code={user_code}"),
        }
    }

    /// What the page says it is for.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::App(request) => &request.client.name,
            Self::Device(_) => "your device",
        }
    }

    pub(super) fn login_hint(&self) -> Option<&str> {
        match self {
            Self::App(request) => request.login_hint.as_deref(),
            Self::Device(_) => None,
        }
    }

    pub(super) fn form_targets(&self) -> Vec<String> {
        match self {
            Self::App(request) => redirect::form_targets(&request.client, &request.return_to.uri),
            Self::Device(_) => Vec::new(),
        }
    }
}
