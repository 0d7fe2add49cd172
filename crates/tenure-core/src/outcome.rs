//! What answers mean: the refresh endpoint's for the session, an API's for the access token.

mod api;
mod dialect;
mod refresh;

pub use api::{ApiAnswer, ApiVerdict, judge};
pub use dialect::{Dialect, ErrorPattern, Refusal};
pub use refresh::{
    Answer, Granted, LONGEST_RETRY_AFTER, Outcome, Trouble, classify, date, retry_after,
};
