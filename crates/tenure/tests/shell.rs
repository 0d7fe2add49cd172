//! Completion scripts and manual pages, read by the programs that they are for.

mod support;

use std::process::Command;

use support::Place;

/// Loads the script and asks bash what it would offer after `tenure doctor `.
const ASK: &str = r#"
source "$1"
complete -p tenure > /dev/null || exit 9
COMP_WORDS=(tenure doctor ""); COMP_CWORD=2; COMP_LINE="tenure doctor "; COMP_POINT=14
handler=$(complete -p tenure | sed 's/.* -F \([^ ]*\) .*/\1/')
"$handler" tenure "" doctor
printf '%s\n' "${COMPREPLY[@]}"
"#;

#[test]
fn bash_completes_the_commands_of_the_doctor() {
    let place = Place::new();
    place.write("tenure.bash", &place.run(&["completions", "bash"]).stdout);
    let output = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", ASK, "ask"])
        .arg(place.path("tenure.bash"))
        .output()
        .unwrap();
    let offered = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for command in [
        "token", "probe", "drift", "logs", "config", "report", "explain",
    ] {
        assert!(
            offered.lines().any(|line| line == command),
            "{command} in {offered}"
        );
    }
}

#[test]
fn each_shell_has_a_script() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.run(&["completions", shell]);
        assert_eq!(script.code, 0, "{shell}");
        assert!(script.stdout.contains("explain"), "{shell}");
    }
    assert_eq!(place.run(&["completions", "cmd"]).code, 2);
}

#[test]
fn man_reads_the_page_of_each_command() {
    let place = Place::new();
    assert_eq!(place.run(&["man", "pages"]).code, 0);
    let pages: Vec<_> = std::fs::read_dir(place.path("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for name in [
        "tenure.1",
        "tenure-serve.1",
        "tenure-doctor.1",
        "tenure-doctor-probe.1",
    ] {
        assert!(
            pages.contains(&place.path("pages").join(name)),
            "{name} in {pages:?}"
        );
    }
    for page in pages {
        let output = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-z"])
            .arg(&page)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.is_empty(),
            "{}: {said}",
            page.display()
        );
    }
}

#[test]
fn the_programs_page_goes_to_stdout() {
    let page = Place::new().run(&["man"]);
    assert_eq!(page.code, 0);
    assert!(page.stdout.contains(".TH"), "{}", page.stdout);
}
