//! `/admin/*`: what the adopter's own servers do, with an access token of their own client.

mod audit;
mod import;
mod operator;
mod sessions;
mod subjects;
mod users;

use axum::Router;

use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .merge(sessions::routes())
        .merge(subjects::routes())
        .merge(users::routes())
        .merge(import::routes())
        .merge(audit::routes())
}
