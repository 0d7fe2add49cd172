//! Programs that run with the session's token.

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use support::{Ended, Place, Serving};

fn signed_in() -> (Place, Serving) {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    place.sign_in(&serving, &[]);
    (place, serving)
}

/// Runs a script of the shell under `tenure exec` with these options.
fn script(place: &Place, options: &[&str], script: &str) -> Ended {
    place.run(&[&["exec"], options, &["--", "sh", "-c", script]].concat())
}

#[test]
fn a_program_finds_the_token_in_its_environment_and_nowhere_else() {
    let (place, serving) = signed_in();
    let token = place.ok(&["token"]);
    let said = script(
        &place,
        &[],
        "echo $TENURE_ACCESS_TOKEN; tr '\\0' ' ' </proc/$$/cmdline",
    );
    let (first, command_line) = said.stdout.split_once('\n').unwrap();
    assert_eq!(first, token.trim());
    assert!(command_line.starts_with("sh -c "), "{command_line}");
    assert!(!command_line.contains(token.trim()));
    let said = script(
        &place,
        &["--env", "API_TOKEN"],
        "echo $API_TOKEN:$TENURE_ACCESS_TOKEN",
    );
    assert_eq!(said.stdout, format!("{}:\n", token.trim()));
    serving.stop();
}

#[test]
fn a_program_ends_as_it_would_alone() {
    let (place, serving) = signed_in();
    for options in [&[][..], &["--socket"]] {
        assert_eq!(script(&place, options, "exit 7").code, 7);
        let missing = place.run(&[&["exec"], options, &["--", "no-such-program"]].concat());
        assert_eq!(missing.code, 127);
        assert!(missing.stderr.contains("no-such-program cannot be started"));
        let directory = place.run(&[&["exec"], options, &["--", "/"]].concat());
        assert_eq!(directory.code, 126);
    }
    assert_eq!(
        script(&place, &["--socket"], "kill -TERM $$").code,
        128 + 15
    );
    // Without a socket the program has taken the process over.
    assert_eq!(script(&place, &[], "kill -TERM $$").code, -1);
    serving.stop();
}

#[test]
fn without_a_session_no_program_runs() {
    let place = Place::new();
    for options in [&[][..], &["--socket"]] {
        let said = script(
            &place,
            &[options, &["--profile", "ci"]].concat(),
            "echo ran",
        );
        assert_eq!((said.code, said.stdout.as_str()), (3, ""));
        let fix = "error: not signed in; sign in with: tenure login --profile ci\n";
        assert_eq!(said.stderr, fix);
    }
    let said = script(&place, &["--env", "A=B"], "echo ran");
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    assert!(
        said.stderr.contains("use letters, digits and _"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_program_that_calls_tenure_gets_the_same_profile() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    place.sign_in(&serving, &["--profile", "work"]);
    let token = place.ok(&["token", "--profile", "work"]);
    let inner = format!("{} token", env!("CARGO_BIN_EXE_tenure"));
    let said = script(&place, &["--profile", "work"], &inner);
    assert_eq!(said.stdout, token);
    serving.stop();
}

#[test]
fn the_socket_has_a_fresh_token_and_goes_with_the_program() {
    let (place, serving) = signed_in();
    let token = place.ok(&["token"]);
    let runtime = place.path("run");
    std::fs::create_dir(&runtime).unwrap();
    let curl = "curl --silent --show-error --include --unix-socket $TENURE_SOCKET http://tenure";
    let asking = format!(
        "stat -c %a $TENURE_SOCKET $(dirname $TENURE_SOCKET); {curl}/token; echo; {curl}/other"
    );
    let mut command = place.command(&["exec", "--socket", "--", "sh", "-c", &asking]);
    let output = command.env("XDG_RUNTIME_DIR", &runtime).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("600\n700\nHTTP/1.1 200 OK\r\n"), "{said}");
    for wanted in [
        "content-type: application/json",
        "cache-control: no-store",
        &format!("\"access_token\":\"{}\"", token.trim()),
        "\"token_type\":\"Bearer\"",
        "\"expires_in\":",
        "HTTP/1.1 404",
    ] {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    assert_eq!(std::fs::read_dir(&runtime).unwrap().count(), 0);
    serving.stop();
}

#[test]
fn a_session_that_ends_meanwhile_is_told_on_the_socket() {
    let place = Place::new();
    let client = "[clients.demo]\nfirst_party = true\nlifetimes.access = \"2s\"\n";
    place.write("tenure.toml", client);
    let serving = place.serve(&["--dev", "--config", "tenure.toml"]);
    place.sign_in(&serving, &[]);
    // The access token that is there may be used up to its end.
    let asking = format!(
        "{} logout; curl='curl --silent --include --unix-socket '$TENURE_SOCKET; \
         until $curl http://tenure/token >answer; grep -q login_required answer; do :; done; \
         cat answer",
        env!("CARGO_BIN_EXE_tenure")
    );
    let said = script(&place, &["--socket"], &asking);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let expected = "signed out\nHTTP/1.1 401 Unauthorized\r\n";
    assert!(said.stdout.starts_with(expected), "{}", said.stdout);
    serving.stop();
}

#[test]
fn a_token_that_an_api_refused_is_replaced_once() {
    let (place, serving) = signed_in();
    let token = place.ok(&["token"]).trim().to_owned();
    let refusing = r#"
        curl="curl --silent --unix-socket $TENURE_SOCKET http://tenure/token"
        tell() { $curl -H 'Content-Type: application/json' --data "{\"refused\":\"$1\"}"; }
        second=$(tell $FIRST | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
        echo $second; $curl | grep -o $second; tell $FIRST | grep -o $second; tell $second
    "#;
    let mut command = place.command(&["exec", "--socket", "--", "sh", "-c", refusing]);
    let output = command.env("FIRST", &token).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = said.lines().collect();
    let [second, now, again, last] = lines.as_slice() else {
        panic!("{said}");
    };
    assert_ne!(*second, token);
    assert_eq!(
        (now, again),
        (second, second),
        "one refresh, however often it is told"
    );
    assert!(last.starts_with("{\"error\":\"refused\""), "{last}");
    serving.stop();
}

#[test]
fn other_users_get_nothing_from_the_socket() {
    let (place, serving) = signed_in();
    let curl = "curl --silent --unix-socket $TENURE_SOCKET http://tenure/token";
    let asking = format!(
        "chmod 755 $(dirname $TENURE_SOCKET); chmod 666 $TENURE_SOCKET; \
         setpriv --reuid=65534 --clear-groups {curl}; echo stranger: $?; {curl}; echo own: $?"
    );
    let mut command = place.command(&["exec", "--socket", "--", "sh", "-c", &asking]);
    // A place that others can enter.
    let output = command.env("XDG_RUNTIME_DIR", "/tmp").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    // Only root can become somebody else.
    if said.starts_with("setpriv: ") || said.starts_with("stranger: 127") {
        support::skip("another user's access to the socket: needs root and setpriv");
    } else {
        let (stranger, own) = said.split_once("stranger: ").unwrap();
        assert_eq!(stranger, "");
        assert!(!own.starts_with('0'), "{own}");
        assert!(
            own.contains("\"access_token\"") && own.ends_with("own: 0\n"),
            "{own}"
        );
    }
    serving.stop();
}

#[test]
fn signals_reach_the_program_and_its_answer_comes_back() {
    let (place, serving) = signed_in();
    let runtime = place.path("run");
    std::fs::create_dir(&runtime).unwrap();
    for (signal, number) in [("HUP", 1), ("INT", 2), ("TERM", 15), ("USR1", 10)] {
        let program = format!(
            "trap 'exit {}' {signal}; echo ready; read line",
            number + 40
        );
        let mut command = place.command(&["exec", "--socket", "--", "sh", "-c", &program]);
        command
            .env("XDG_RUNTIME_DIR", &runtime)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _open = child.stdin.take();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        support::kill(child.id(), signal);
        assert_eq!(child.wait().unwrap().code(), Some(number + 40), "{signal}");
    }
    assert_eq!(std::fs::read_dir(&runtime).unwrap().count(), 0);
    serving.stop();
}

/// Starts its arguments in a terminal of their own, types Ctrl-C when they say so, and shows what
/// they print.
const TERMINAL: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b""
while b"ready" not in said:
    said += os.read(terminal, 1000)
os.write(terminal, b"\x03")
try:
    while True:
        said += os.read(terminal, 1000)
except OSError:
    pass
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// Counts the SIGINTs that come up to half a second after the first.
const COUNTING: &str = r#"
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print("ready", flush=True)
count = 0
signal.sigwait([signal.SIGINT])
while True:
    count += 1
    if signal.sigtimedwait([signal.SIGINT], 0.5) is None:
        break
print("interrupted", count)
"#;

#[test]
fn a_program_is_interrupted_once_by_the_keyboard() {
    let (place, serving) = signed_in();
    let tenure = env!("CARGO_BIN_EXE_tenure");
    for options in [&[][..], &["--socket"]] {
        let mut command = std::process::Command::new("python3");
        let output = command
            .args(["-c", TERMINAL, tenure, "exec"])
            .args(options)
            .args(["--", "python3", "-c", COUNTING])
            .env("TENURE_HOME", place.path("home"))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("interrupted 1\r\n"), "{options:?}: {said}");
        assert!(output.status.success());
    }
    serving.stop();
}
