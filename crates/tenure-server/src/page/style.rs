//! The one style sheet, inside every page, allowed by its hash.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tenure_core::secret::sha256;

/// The text between `<style>` and `</style>`, to the byte.
pub(crate) const STYLE: &str = include_str!("../../templates/style.css");

/// A hash source (CSP level 3 section 2.3.1), without its quotes.
pub(super) fn hash() -> &'static str {
    static HASH: LazyLock<String> =
        LazyLock::new(|| format!("sha256-{}", STANDARD.encode(sha256(STYLE.as_bytes()))));
    &HASH
}
