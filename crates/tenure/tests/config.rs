//! `tenure config`, and how a running service takes over a change.

mod support;

use support::Place;

const MASTER: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

#[test]
fn a_typo_is_exit_2_with_line_and_nearest_key() {
    let place = Place::new();
    place.write(
        "tenure.toml",
        "[clients.web]\nredirect_uri = [\"https://app.example.com/cb\"]\n",
    );
    for command in [
        &["serve"][..],
        &["config", "check"],
        &["config", "show"],
        &["user", "list"],
    ] {
        let ended = place.run(&[command, &["--dev", "--config", "tenure.toml"]].concat());
        assert_eq!(ended.code, 2, "{command:?}");
        assert_eq!(
            ended.stderr.trim(),
            "error: tenure.toml:2: clients.web.redirect_uri: is no key of this table; did you mean redirect_uris?"
        );
    }
}

#[test]
fn check_says_what_is_good_and_warns() {
    let place = Place::new();
    place.write("tenure.toml", "issuer = \"https://auth.example.com\"\n");
    let mut command = place.command(&["config", "check", "--config", "tenure.toml"]);
    let output = command
        .env("TENURE_MASTER_SECRET", MASTER)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(
        output.stdout,
        b"ok: issuer https://auth.example.com, 0 clients\n"
    );
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("no client is registered")
    );
}

#[test]
fn show_names_sources_and_hides_secrets() {
    let place = Place::new();
    place.write(
        "tenure.toml",
        "issuer = \"https://auth.example.com\"\n[limits]\nlogin_per_minute = 7\n",
    );
    let mut command = place.command(&[
        "config",
        "show",
        "--config",
        "tenure.toml",
        "--listen",
        "127.0.0.1:1",
    ]);
    let output = command
        .env("TENURE_MASTER_SECRET", MASTER)
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!shown.contains(MASTER));
    for (key, end) in [
        ("issuer", "tenure.toml:1"),
        ("limits.login_per_minute", "tenure.toml:3"),
        ("listen", "--listen"),
        ("master_secret", "TENURE_MASTER_SECRET"),
        ("keys.algorithm", "default"),
    ] {
        let line = shown
            .lines()
            .find(|line| line.split_whitespace().next() == Some(key));
        assert!(
            line.is_some_and(|line| line.ends_with(end)),
            "{key} in\n{shown}"
        );
    }
    assert!(!place.path("tenure-data").exists());
}

#[test]
fn a_bad_file_keeps_the_old_configuration_running() {
    let place = Place::new();
    place.write("tenure.toml", "[clients.web]\nname = \"One\"\n");
    let mut serving = place.serve_with_log(&["--dev", "--config", "tenure.toml"]);
    place.write("tenure.toml", "[clients.web]\nnmae = \"Two\"\n");
    let rejected = serving.wait_for_log("config_rejected");
    assert!(
        rejected.contains("tenure.toml:2: clients.web.nmae"),
        "{rejected}"
    );
    place.write(
        "tenure.toml",
        "[clients.web]\nname = \"Two\"\n[clients.app]\nname = \"Three\"\n",
    );
    assert!(
        serving
            .wait_for_log("config_reloaded")
            .contains("\"clients\":4")
    );
    serving.signal("HUP");
    serving.wait_for_log("config_reloaded");
    serving.stop();
}
