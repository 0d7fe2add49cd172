//! A loopback port that no other test and no outgoing connection takes while it is reserved.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Below Linux's ephemeral ports (32768 and up): between a kill and a restart the kernel must not
/// lend the port to somebody's outgoing connection.
const FIRST: u16 = 18_000;
const COUNT: u16 = 12_000;

/// A reserved port, by a lock file that all test processes on the machine respect.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Takes a free port until the value is dropped.
    ///
    /// # Errors
    /// When the lock directory cannot be written or no port is left.
    pub fn reserve() -> io::Result<Self> {
        let start = std::process::id() % u32::from(COUNT);
        let candidates = (0..u32::from(COUNT)).map(|step| (start + step) % u32::from(COUNT));
        for number in candidates.filter_map(|index| u16::try_from(index).ok()) {
            if let Some(port) = Self::reserve_number(FIRST + number)? {
                return Ok(port);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "every port of the lab is taken",
        ))
    }

    /// Takes this port, unless somebody has reserved it or listens on it.
    pub(crate) fn reserve_number(number: u16) -> io::Result<Option<Self>> {
        let dir = std::env::temp_dir().join("tenure-lab-ports");
        fs::create_dir_all(&dir)?;
        let lock = File::create(dir.join(number.to_string()))?;
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok();
        let taken = lock.try_lock().is_ok() && free();
        Ok(taken.then_some(Self {
            number,
            _lock: lock,
        }))
    }

    /// Where a program that was given the port listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_reservations_never_share_a_port() {
        let first = Port::reserve().unwrap();
        let second = Port::reserve().unwrap();
        assert_ne!(first.address(), second.address());
        let listener = TcpListener::bind(first.address()).unwrap();
        drop(first);
        assert_ne!(
            Port::reserve().unwrap().address(),
            listener.local_addr().unwrap()
        );
    }
}
