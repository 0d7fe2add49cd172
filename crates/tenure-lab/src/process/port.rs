//! A loopback port that no other test and no outgoing connection takes while it is reserved.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Below Linux's ephemeral ports (32768 and up): between a kill and a restart the kernel must not
/// lend the port to somebody's outgoing connection.
const FIRST: u16 = 18_000;
const COUNT: u16 = 12_000;

/// A reserved port, by a lock file that all test processes on the machine respect.
#[derive(Debug)]
pub(super) struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// # Errors
    /// When the lock directory cannot be written or no port is left.
    pub(super) fn reserve() -> io::Result<Self> {
        let dir = std::env::temp_dir().join("tenure-lab-ports");
        fs::create_dir_all(&dir)?;
        let start = std::process::id() % u32::from(COUNT);
        let candidates = (0..u32::from(COUNT)).map(|step| (start + step) % u32::from(COUNT));
        for number in candidates.filter_map(|index| u16::try_from(index).ok()) {
            let number = FIRST + number;
            let lock = File::create(dir.join(number.to_string()))?;
            let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok();
            if lock.try_lock().is_ok() && free() {
                return Ok(Self {
                    number,
                    _lock: lock,
                });
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "every port of the lab is taken",
        ))
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_reservations_never_share_a_port() {
        let first = Port::reserve().unwrap();
        let second = Port::reserve().unwrap();
        assert_ne!(first.number(), second.number());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, first.number())).unwrap();
        drop(first);
        assert_ne!(
            Port::reserve().unwrap().number(),
            listener.local_addr().unwrap().port()
        );
    }
}
