//! What answers mean: the refresh endpoint's for the session, an API's for the access token.

mod api;
mod refresh;

pub use api::{ApiAnswer, ApiVerdict, judge};
pub use refresh::{
    Answer, Dialect, Granted, LONGEST_RETRY_AFTER, Outcome, Trouble, classify, date, retry_after,
};
