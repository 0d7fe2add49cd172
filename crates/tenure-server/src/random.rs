//! Random bytes, from the one generator of the process.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tenure_core::secret::Secret;

use crate::error::Fault;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Fault::unavailable("the random generator failed"))?;
    Ok(bytes)
}

/// 256 random bits as 43 characters: codes, links, cookies.
pub(crate) fn secret() -> Result<Secret, Fault> {
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes::<32>()?)))
}
