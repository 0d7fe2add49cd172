//! Signals that are meant for the program.

use std::fs::File;
use std::io;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// What somebody sends who means the program.
const MEANT: [(SignalKind, Signal); 6] = [
    (SignalKind::hangup(), Signal::HUP),
    (SignalKind::interrupt(), Signal::INT),
    (SignalKind::quit(), Signal::QUIT),
    (SignalKind::terminate(), Signal::TERM),
    (SignalKind::user_defined1(), Signal::USR1),
    (SignalKind::user_defined2(), Signal::USR2),
];

/// From now on they do not end this process.
pub(super) fn caught() -> io::Result<mpsc::UnboundedReceiver<Signal>> {
    let (tell, told) = mpsc::unbounded_channel();
    for (kind, name) in MEANT {
        let mut signals = signal(kind)?;
        let tell = tell.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if tell.send(name).is_err() {
                    return;
                }
            }
        });
    }
    Ok(told)
}

/// Sends `signal` to the program, unless a terminal has done that already.
pub(super) fn pass_on(signal: Signal, child: Option<u32>) -> io::Result<()> {
    let child = child.and_then(|child| Pid::from_raw(i32::try_from(child).ok()?));
    match child {
        Some(child) if !typed(signal) => Ok(kill_process(child, signal)?),
        _ => Ok(()),
    }
}

/// Ctrl-C and Ctrl-\ reach every process in the terminal's foreground, so the program has it, too.
fn typed(signal: Signal) -> bool {
    let foreground = || {
        let terminal = File::open("/dev/tty").ok()?;
        Some(tcgetpgrp(terminal).ok()? == getpgrp())
    };
    [Signal::INT, Signal::QUIT].contains(&signal) && foreground().unwrap_or(false)
}
