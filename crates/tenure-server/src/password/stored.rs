//! Stored hashes: argon2id of our own, and those of the systems that users come from.

use std::num::NonZeroU32;

use argon2::password_hash::phc::PasswordHash;
use argon2::{ARGON2ID_IDENT, Argon2, Params, PasswordHasher as _, PasswordVerifier as _};
use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use tenure_core::secret::Secret;

use crate::random;

/// Of no password that anybody has; its parameters are those of a new hash.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz\
    $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// An imported hash must not cost more than this, or one sign-in stops all others.
const MOST_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_BCRYPT_COST: u32 = 15;
const MOST_ITERATIONS: u32 = 5_000_000;

/// A stored hash, by kind.
pub(super) enum StoredHash {
    Argon2(Box<PasswordHash>),
    Bcrypt(String),
    Pbkdf2(Pbkdf2),
    /// Stands in where there is no account.
    Nobody,
}

pub(super) struct Pbkdf2 {
    algorithm: pbkdf2::Algorithm,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// A new hash; `None` where memory or randomness runs out.
pub(super) fn hash(password: &Secret) -> Option<String> {
    let salt: [u8; 16] = random::bytes().ok()?;
    let hash = Argon2::default().hash_password_with_salt(password.expose().as_bytes(), &salt);
    hash.ok().map(|hash| hash.to_string())
}

impl StoredHash {
    /// Knows argon2 and PBKDF2 in PHC format, bcrypt, and Django's and passlib's PBKDF2.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.starts_with("$argon2") {
            return argon2(text);
        }
        if ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            return bcrypt(text);
        }
        if let Some(rest) = text.strip_prefix("pbkdf2_") {
            return Pbkdf2::django(rest).map(Self::Pbkdf2);
        }
        if let Some(rest) = text.strip_prefix("$pbkdf2-") {
            return Pbkdf2::phc(rest).map(Self::Pbkdf2);
        }
        Err("is none of argon2, bcrypt and PBKDF2 hashes")
    }

    pub(super) fn nobody() -> Self {
        Self::parse(NOBODY).unwrap_or(Self::Nobody)
    }

    pub(super) fn is_of(&self, password: &Secret) -> bool {
        let password = password.expose();
        match self {
            Self::Argon2(hash) => Argon2::default()
                .verify_password(password.as_bytes(), hash.as_ref())
                .is_ok(),
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Pbkdf2(Pbkdf2 {
                algorithm,
                iterations,
                salt,
                hash,
            }) => pbkdf2::verify(*algorithm, *iterations, salt, password.as_bytes(), hash).is_ok(),
            Self::Nobody => false,
        }
    }

    /// True where a new hash would not be stronger.
    pub(super) fn is_current(&self) -> bool {
        let Self::Argon2(hash) = self else {
            return false;
        };
        hash.algorithm == ARGON2ID_IDENT
            && hash.version == Some(argon2::Version::V0x13.into())
            && Params::try_from(hash.as_ref()).is_ok_and(|params| {
                params.m_cost() >= Params::DEFAULT_M_COST
                    && params.t_cost() >= Params::DEFAULT_T_COST
            })
    }
}

fn argon2(text: &str) -> Result<StoredHash, &'static str> {
    let hash = PasswordHash::new(text).map_err(|_| "is no argon2 hash in PHC format")?;
    let params = Params::try_from(&hash).map_err(|_| "has argon2 parameters out of range")?;
    if params.m_cost() > MOST_KIB || params.t_cost() > MOST_PASSES {
        return Err("costs too much: at most 256 MiB and 16 passes");
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err("lacks the salt or the hash");
    }
    Ok(StoredHash::Argon2(Box::new(hash)))
}

fn bcrypt(text: &str) -> Result<StoredHash, &'static str> {
    let cost = text.get(4..6).and_then(|cost| cost.parse::<u32>().ok());
    if text.parse::<bcrypt::HashParts>().is_err() {
        return Err("is no bcrypt hash of 60 characters");
    }
    if !cost.is_some_and(|cost| (4..=MOST_BCRYPT_COST).contains(&cost)) {
        return Err("has a bcrypt cost outside 4 to 15");
    }
    Ok(StoredHash::Bcrypt(text.to_owned()))
}

impl Pbkdf2 {
    /// `sha256$iterations$salt$base64`; the salt is the text itself.
    fn django(rest: &str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = rest.split('$').collect();
        let [algorithm, iterations, salt, hash] = parts.as_slice() else {
            return Err("is no PBKDF2 hash of the form pbkdf2_sha256$iterations$salt$hash");
        };
        let hash = STANDARD
            .decode(hash)
            .map_err(|_| "has a hash that is not base64")?;
        Self::new(algorithm, iterations, salt.as_bytes().to_vec(), hash)
    }

    /// `sha256$i=iterations[,l=length]$salt$hash`; passlib leaves out `i=` and writes `.` for `+`.
    fn phc(rest: &str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = rest.split('$').collect();
        let [algorithm, parameters, salt, hash] = parts.as_slice() else {
            return Err("is no PBKDF2 hash of the form $pbkdf2-sha256$i=iterations$salt$hash");
        };
        let first = parameters.split(',').next().unwrap_or_default();
        let iterations = first.strip_prefix("i=").unwrap_or(first);
        let decode = |text: &str| {
            let text = text.replace('.', "+");
            STANDARD_NO_PAD
                .decode(text)
                .map_err(|_| "has a salt or hash that is not base64")
        };
        Self::new(algorithm, iterations, decode(salt)?, decode(hash)?)
    }

    fn new(
        algorithm: &str,
        iterations: &str,
        salt: Vec<u8>,
        hash: Vec<u8>,
    ) -> Result<Self, &'static str> {
        let algorithm = match algorithm {
            "sha256" => pbkdf2::PBKDF2_HMAC_SHA256,
            "sha512" => pbkdf2::PBKDF2_HMAC_SHA512,
            _ => return Err("is PBKDF2 with another hash than SHA-256 and SHA-512"),
        };
        let iterations: NonZeroU32 = iterations
            .parse()
            .map_err(|_| "has a number of iterations that is no number")?;
        if iterations.get() > MOST_ITERATIONS {
            return Err("costs too much: at most 5,000,000 iterations");
        }
        if !(16..=64).contains(&hash.len()) {
            return Err("has a hash that is not 16 to 64 bytes long");
        }
        Ok(Self {
            algorithm,
            iterations,
            salt,
            hash,
        })
    }
}

#[cfg(test)]
mod tests;
