//! A program in another language, steered line by line.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Far more than any step takes on a busy machine.
const DEADLINE: Duration = Duration::from_mins(2);

pub(crate) struct Program {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            stdin,
            stdout,
        }
    }

    /// Lets a step go on that waits for this word.
    pub(crate) async fn tell(&mut self, word: &str) {
        let line = format!("{word}\n");
        self.stdin.write_all(line.as_bytes()).await.unwrap();
    }

    /// The next line of output.
    pub(crate) async fn line(&mut self) -> String {
        let line = timeout(DEADLINE, self.stdout.next_line()).await;
        line.expect("it says nothing").unwrap().expect("it ended")
    }

    pub(crate) async fn heard(&mut self, word: &str) {
        assert_eq!(self.line().await, word);
    }

    /// Waits for something else, which the program has to bring about while it runs.
    pub(crate) async fn unless_it_ends(&mut self, event: impl Future<Output = ()>) {
        tokio::select! {
            () = event => {}
            status = self.child.wait() => panic!("it ended: {}", status.unwrap()),
            () = tokio::time::sleep(DEADLINE) => panic!("it does nothing"),
        }
    }

    /// Waits for the end, which must be a good one; the rest of the output.
    pub(crate) async fn ended(mut self) -> String {
        drop(self.stdin);
        let mut rest = String::new();
        let reading = async {
            while let Some(line) = self.stdout.next_line().await.unwrap() {
                rest.push_str(&line);
                rest.push('\n');
            }
            self.child.wait().await.unwrap()
        };
        let status = timeout(DEADLINE, reading).await.expect("it does not end");
        assert!(status.success(), "{status}; it said:\n{rest}");
        rest
    }
}
