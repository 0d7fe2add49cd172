//! What reading a log costs the doctor.
//!
//! `logs-bench [GIGABYTES]` (5 if nobody says) makes a stream of pino lines while it is read, counts its
//! lines with memchr, which is the limit that the stream itself sets, and then has the doctor read the
//! same stream. It prints MB/s per core (CPU time, so that neighbours count less), the ratio of both, and
//! the peak of resident memory. It ends with 1 where the goal of 300 MB/s was missed or the answer is wrong.

mod stream;

use std::io::Read;
use std::process::ExitCode;

use memchr::memchr_iter;
use rustix::time::{ClockId, clock_gettime};
use tenure_doctor::logs::{Analyst, Pattern};

use crate::stream::Stream;

/// MB/s of one core.
const GOAL: f64 = 300.0;
/// KiB that the doctor may take beyond what the process had.
const MEMORY: u64 = 64 * 1024;

fn main() -> anyhow::Result<ExitCode> {
    let gigabytes: u64 = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 5,
    };
    let bytes = gigabytes * 1_000_000_000;
    let (lines, limit) = timed(bytes, || count(Stream::new(bytes)))?;
    let before = peak()?;
    let mut analyst = Analyst::new();
    let ((), read) = timed(bytes, || {
        analyst.read("generated.log", Stream::new(bytes));
        Ok(())
    })?;
    let logs = analyst.finish();
    let memory = peak()?;
    let taken = memory.saturating_sub(before);
    say(&format!("lines          {lines}\n"))?;
    say(&format!("counted        {limit:.0} MB/s\n"))?;
    say(&format!(
        "analysed       {read:.0} MB/s, {:.2} of the limit, goal {GOAL:.0} MB/s\n",
        read / limit
    ))?;
    say(&format!(
        "peak memory    {} KiB, {taken} KiB of it for the analysis\n",
        memory
    ))?;
    let file = logs.files.first();
    anyhow::ensure!(
        file.is_some_and(|file| file.lines.abs_diff(lines) <= 1),
        "lines were lost"
    );
    let found: Vec<_> = logs
        .findings
        .iter()
        .map(|finding| finding.pattern)
        .collect();
    anyhow::ensure!(
        found == [Pattern::Refusals],
        "the stream is healthy, and yet: {found:?}"
    );
    Ok(ExitCode::from(u8::from(read < GOAL || taken > MEMORY)))
}

/// What `work` answers, and MB of the stream per second of CPU.
fn timed<T>(bytes: u64, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        std::time::Duration::new(
            time.tv_sec.cast_unsigned(),
            u32::try_from(time.tv_nsec).unwrap_or_default(),
        )
    };
    let begun = now();
    let answer = work()?;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = bytes as f64 / 1e6 / (now().saturating_sub(begun)).as_secs_f64();
    Ok((answer, rate))
}

fn count(mut stream: Stream) -> anyhow::Result<u64> {
    let mut buffer = vec![0; 2 << 20];
    let mut lines = 0;
    loop {
        let read = stream.read(&mut buffer)?;
        let filled = buffer.get(..read).unwrap_or_default();
        if filled.is_empty() {
            return Ok(lines);
        }
        lines += memchr_iter(b'\n', filled).count() as u64;
    }
}

/// KiB of resident memory at its highest (`/proc/self/status`).
fn peak() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.and_then(|line| line.split_whitespace().next());
    Ok(text.unwrap_or_default().parse()?)
}

fn say(text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    std::io::stdout().write_all(text.as_bytes())
}
