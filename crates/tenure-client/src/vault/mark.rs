//! What a vault's directory says about the session, beside the record and without a secret.

use tenure_core::session::VaultFault;

use super::home::Home;

const FILE: &str = "session-exists";
const PRESENT: &[u8] = b"A session is stored.\n";
const PAST: &[u8] = b"A session was stored.\n";

/// It tells a store that is locked from one that never held a session, and a store that lost what
/// it held from one where nobody signed in.
///
/// It is set after the first record with a session is stored, and taken back before one without is:
/// cut short, both leave a mark that claims less than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The vault was made.
    Made,
    /// There was a session once.
    Past,
    /// There is one.
    Present,
}

impl Mark {
    /// What is marked, if anything.
    pub(super) fn read(home: &Home) -> Result<Option<Self>, VaultFault> {
        Ok(home.read(FILE)?.map(|bytes| match bytes.as_slice() {
            b"" => Self::Made,
            PRESENT => Self::Present,
            // Where the writing of either was cut short, too.
            _ => Self::Past,
        }))
    }

    /// Marks it durably.
    pub(super) fn write(self, home: &Home) -> Result<(), VaultFault> {
        let bytes = match self {
            Self::Made => b"",
            Self::Past => PAST,
            Self::Present => PRESENT,
        };
        home.note(FILE, bytes)
    }
}
