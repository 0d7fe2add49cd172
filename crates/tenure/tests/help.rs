//! The help texts, as users read them.

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use support::tenure;

fn help(of: &[&str]) -> String {
    let output = tenure()
        .args(of)
        .arg("--help")
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_program_explains_itself() {
    insta::assert_snapshot!(help(&[]));
}

#[test]
fn serve_explains_itself() {
    insta::assert_snapshot!(help(&["serve"]));
}

#[test]
fn login_explains_itself() {
    insta::assert_snapshot!(help(&["login"]));
}

#[test]
fn exec_explains_itself() {
    insta::assert_snapshot!(help(&["exec"]));
}

#[test]
fn the_credential_helpers_explain_themselves() {
    insta::assert_snapshot!(help(&["credential", "git"]));
}

#[test]
fn an_unknown_command_is_exit_2() {
    let output = tenure().arg("sevre").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("'serve'")
    );
}
