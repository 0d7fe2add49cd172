//! Several sessions side by side.

mod support;

use support::Place;

#[test]
fn profiles_are_listed_with_their_sessions_and_removed_without() {
    let place = Place::new();
    assert_eq!(
        place.ok(&["profile", "list"]),
        "PROFILE  ISSUER  CLIENT  SESSION\n"
    );
    let serving = place.serve(&["--dev"]);
    for name in ["work", "ana@home"] {
        place.sign_in(&serving, &["--profile", name]);
    }
    place.ok(&["logout", "--profile", "work"]);
    let list = place.ok(&["profile", "list"]);
    let rows: Vec<Vec<_>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let url = serving.url.as_str();
    assert_eq!(rows[1], ["ana@home", url, "demo", "signed", "in"]);
    assert_eq!(rows[2], ["work", url, "demo", "signed", "out"]);

    let refused = place.run(&["profile", "remove", "ana@home"]);
    assert_eq!(refused.code, 2);
    let fix = "is signed in; sign out first: tenure logout --profile ana@home";
    assert!(refused.stderr.contains(fix), "{}", refused.stderr);
    assert_eq!(
        place.ok(&["profile", "remove", "work"]),
        "removed profile work\n"
    );
    assert!(!place.path("home/profiles/work").exists());
    let refused = place.run(&["profile", "remove", "work"]);
    assert_eq!(refused.code, 2);
    let fix = "there is no profile work; see: tenure profile list";
    assert!(refused.stderr.contains(fix), "{}", refused.stderr);
    serving.stop();
}

#[test]
fn a_sign_out_that_the_service_does_not_know_of_is_not_thrown_away() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    place.sign_in(&serving, &[]);
    serving.stop();
    place.ok(&["logout"]);
    let refused = place.run(&["profile", "remove", "default"]);
    assert_eq!(refused.code, 2);
    let fix = "has yet to tell its service of the sign-out: tenure logout --profile default";
    assert!(refused.stderr.contains(fix), "{}", refused.stderr);
}

#[test]
fn every_command_says_how_to_sign_in_to_its_profile() {
    let place = Place::new();
    for command in [
        &["status"][..],
        &["token"],
        &["call", "http://127.0.0.1:9/"],
    ] {
        let ended = place.run(&[command, &["--profile", "ci"]].concat());
        assert_eq!(ended.code, 3);
        let fix = "error: not signed in; sign in with: tenure login --profile ci\n";
        assert_eq!(ended.stderr, fix);
    }
}

#[test]
fn the_environment_names_the_profile_too() {
    let place = Place::new();
    let mut command = place.command(&["token"]);
    let output = command.env("TENURE_PROFILE", "ci").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("tenure login --profile ci"), "{said}");
}
