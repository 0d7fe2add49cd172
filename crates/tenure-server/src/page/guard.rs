//! Forms that only the browser they were made for can send, as they were made.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use tenure_core::secret::Secret;

use crate::browser;
use crate::config::Config;
use crate::error::Fault;
use crate::random;

const COOKIE: &str = "tenure-form";

/// A secret in a cookie of the browser, which tags the content of each form.
///
/// Another site can neither read nor set it, so it can send no form; nor can a form be sent with
/// another content than it was shown with. It works before anybody is signed in (login CSRF).
pub(crate) struct FormGuard {
    secret: Secret,
    is_new: bool,
}

impl FormGuard {
    /// The browser's guard; a new one where it has none, so that its open forms stay valid.
    pub(crate) fn of(config: &Config, headers: &HeaderMap) -> Result<Self, Fault> {
        match Self::presented(config, headers) {
            Some(guard) => Ok(guard),
            None => Ok(Self {
                secret: random::secret()?,
                is_new: true,
            }),
        }
    }

    /// The guard that the browser came with.
    pub(crate) fn presented(config: &Config, headers: &HeaderMap) -> Option<Self> {
        let value = browser::cookie(config, headers, COOKIE)?;
        let is_secret = URL_SAFE_NO_PAD
            .decode(value)
            .is_ok_and(|bytes| bytes.len() == 32);
        is_secret.then(|| Self {
            secret: Secret::new(value),
            is_new: false,
        })
    }

    /// The `csrf` field of a form with this content.
    pub(crate) fn tag(&self, content: &[&str]) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(content))
    }

    /// Whether a form with this content was made for this browser.
    pub(crate) fn admits(&self, content: &[&str], csrf: &str) -> bool {
        let Ok(presented) = URL_SAFE_NO_PAD.decode(csrf) else {
            return false;
        };
        let expected = self.mac(content);
        aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref(), &presented).is_ok()
    }

    /// The cookie to set, where the browser has none yet.
    pub(crate) fn cookie(&self, config: &Config) -> Result<Option<HeaderValue>, Fault> {
        self.is_new
            .then(|| browser::set_cookie(config, COOKIE, &self.secret, None))
            .transpose()
    }

    /// Every part with its length before it, so that no two contents read the same.
    fn mac(&self, content: &[&str]) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.expose().as_bytes());
        let mut mac = hmac::Context::with_key(&key);
        for part in content {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.sign()
    }
}

#[cfg(test)]
mod tests {
    use super::FormGuard;
    use crate::random;

    #[test]
    fn a_tag_admits_its_content_in_its_browser_only() {
        let guard = || FormGuard {
            secret: random::secret().unwrap(),
            is_new: true,
        };
        let (one, other) = (guard(), guard());
        let tag = one.tag(&["consent", "a=b"]);
        assert!(one.admits(&["consent", "a=b"], &tag));
        assert!(!other.admits(&["consent", "a=b"], &tag));
        for content in [["consent", "a=c"], ["sign-in", "a=b"], ["consenta", "=b"]] {
            assert!(!one.admits(&content, &tag), "{content:?}");
        }
        assert!(!one.admits(&["consent", "a=b"], ""));
    }
}
