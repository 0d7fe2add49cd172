//! `/api/auth/*`: JSON for apps with their own login screen. The tokens are those of the OAuth routes.

mod client;
mod cookie;
mod login;
mod logout;
mod magic;
mod magic_link;
mod magic_page;
mod magic_redeem;
mod me;
mod refresh;
mod sessions;
mod signed_in;

use axum::Router;

use crate::error::Fault;
use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .merge(login::routes())
        .merge(refresh::routes())
        .merge(logout::routes())
        .merge(me::routes())
        .merge(sessions::routes())
        .merge(magic_link::routes())
        .merge(magic_redeem::routes())
        .merge(magic_page::routes())
}

/// The name that a person or an app gave a device.
pub(super) fn checked_label(label: Option<String>) -> Result<Option<String>, Fault> {
    const LONGEST: usize = 100;
    let fits =
        |text: &String| text.chars().count() <= LONGEST && !text.chars().any(char::is_control);
    if label.as_ref().is_none_or(fits) {
        return Ok(label.filter(|text| !text.trim().is_empty()));
    }
    let why = "device_label has at most 100 characters, none of them a control character";
    Err(Fault::InvalidRequest(why.to_owned()))
}
