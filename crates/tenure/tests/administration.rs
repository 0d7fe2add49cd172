//! Accounts, keys and the audit trail, managed beside a running service.

mod support;

use support::Place;

#[test]
fn an_account_is_added_listed_changed_and_disabled() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    place.ok_with(&["user", "add", "ann@example.com"], "first password\n");
    place.ok(&["user", "add", "bob@example.com", "--no-password"]);
    let said = place.ok_with(
        &["user", "password", "ann@example.com"],
        "second password\n",
    );
    assert_eq!(
        said,
        "changed the password of ann@example.com; 0 sessions ended\n"
    );
    place.ok(&["user", "disable", "ann@example.com"]);
    let list = place.ok(&["user", "list"]);
    let line = |email: &str| {
        list.lines()
            .find(|line| line.starts_with(email))
            .unwrap()
            .to_owned()
    };
    assert!(line("ann@").contains(" disabled  password "), "{list}");
    assert!(line("bob@").contains(" enabled   mail "), "{list}");
    assert!(line("demo@").contains(" demo "), "{list}");
    place.ok(&["user", "enable", "ann@example.com"]);

    let trail = place.ok(&["audit", "--user", "ann@example.com", "--since", "1h"]);
    let events: Vec<_> = trail
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(
        events,
        [
            "user_added",
            "password_changed",
            "sessions_ended",
            "account_disabled",
            "sessions_ended",
            "account_enabled"
        ]
    );
    serving.stop();
}

#[test]
fn a_bad_account_is_refused_with_the_reason() {
    let place = Place::new();
    place.serve(&["--dev"]).stop();
    for (args, stdin, wanted) in [
        (
            &["user", "add", "demo@example.com"][..],
            "long enough\n",
            "there is an account with this e-mail",
        ),
        (
            &["user", "add", "no-address"],
            "long enough\n",
            "the e-mail address",
        ),
        (
            &["user", "add", "ann@example.com"],
            "short\n",
            "a password has 8 to 1024 bytes",
        ),
        (
            &["user", "add", "ann@example.com"],
            "",
            "no password on stdin",
        ),
        (
            &["user", "disable", "nobody@example.com"],
            "",
            "there is no such account",
        ),
        (
            &["audit", "--user", "nobody@example.com"],
            "",
            "no account has this address",
        ),
        (
            &["audit", "--since", "yesterday"],
            "",
            "write an age such as 2h",
        ),
    ] {
        let ended = place.run_with(args, stdin);
        assert_ne!(ended.code, 0, "{args:?}");
        assert!(ended.stderr.contains(wanted), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn a_rotation_publishes_keys_before_they_sign() {
    let place = Place::new();
    place.serve(&["--dev"]).stop();
    let states = |table: &str| {
        let state = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            format!("{} {}", words[0], words[3])
        };
        table.lines().skip(1).map(state).collect::<Vec<_>>()
    };
    assert_eq!(
        states(&place.ok(&["keys", "list"])),
        ["sign active", "mac active"]
    );
    let rotated = ["sign active", "sign next", "mac active", "mac next"];
    assert_eq!(states(&place.ok(&["keys", "rotate"])), rotated);
    let again = place.run(&["keys", "rotate"]);
    assert_eq!(states(&again.stdout), rotated);
    assert!(
        again.stderr.contains("published for 1d"),
        "{}",
        again.stderr
    );
}
