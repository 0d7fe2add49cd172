//! URLs that are given.

use url::Url;

use crate::failure::Failure;

/// A URL that requests can be sent to; `what` names it in the error, which never shows the URL.
pub(crate) fn address(text: &str, what: &str) -> Result<Url, Failure> {
    let wrong = |why: &str| Err(Failure::Usage(format!("{what} {why}")));
    match Url::parse(text) {
        Err(error) => wrong(&format!("cannot be read: {error}")),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            wrong("has to begin with http:// or https://")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            wrong("holds a user name or password; leave it out")
        }
        Ok(url) => Ok(url),
    }
}
