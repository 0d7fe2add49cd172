//! Bytes on a port's established connections (`ss` of Debian's iproute2, which asks the kernel).

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Payload that whoever listens on the port has sent and received so far, over the connections that
/// are open now: the difference of two moments is right where connections are kept.
pub fn bytes(port: u16) -> Result<u64> {
    let filter = format!("( sport = :{port} )");
    let output = Command::new("ss")
        .args(["-tinHO", "state", "established", &filter])
        .output()
        .context("ss, of iproute2")?;
    ensure!(output.status.success(), "ss failed");
    Ok(sum(&String::from_utf8_lossy(&output.stdout)))
}

fn sum(sockets: &str) -> u64 {
    let counts = sockets.split_whitespace().filter_map(|field| {
        let sent = field.strip_prefix("bytes_sent:");
        sent.or_else(|| field.strip_prefix("bytes_received:"))
    });
    counts.filter_map(|count| count.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::{bytes, sum};

    #[test]
    fn both_directions_of_every_socket_count_and_nothing_else_does() {
        let sockets = "ESTAB 0 0 a b cubic bytes_sent:10 bytes_retrans:3 bytes_acked:9 bytes_received:5\n\
             ESTAB 0 0 a c cubic bytes_sent:1 bytes_acked:1\n";
        assert_eq!(sum(sockets), 16);
    }

    #[test]
    fn what_goes_through_a_connection_is_counted_at_its_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut here = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut there, _) = listener.accept().unwrap();
        here.write_all(&[1; 100]).unwrap();
        there.read_exact(&mut [0; 100]).unwrap();
        there.write_all(&[2; 50]).unwrap();
        here.read_exact(&mut [0; 50]).unwrap();
        assert_eq!(bytes(port).unwrap(), 150);
    }
}
