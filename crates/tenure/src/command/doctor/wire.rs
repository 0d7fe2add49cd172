//! What sends requests.

use tenure_core::time::Timestamp;
use tenure_doctor::probe::{Live, Options};
use tenure_server::Clock;

use crate::failure::Failure;

/// Over the network, by the clock of this machine.
pub(crate) fn wire(options: Options) -> Result<Live, Failure> {
    Live::new(options, now).map_err(Failure::Usage)
}

fn now() -> Timestamp {
    Clock::system().host()
}
