//! The credential helpers, as git and docker call them. Git itself is in the lab's tests.

mod support;

use support::{Place, Serving};

const NOT_FOUND: &str = "credentials not found in native keychain\n";

fn signed_in() -> (Place, Serving, String) {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    place.sign_in(&serving, &[]);
    let token = place.ok(&["token"]).trim().to_owned();
    (place, serving, token)
}

/// The part after `http://`.
fn host(serving: &Serving) -> &str {
    serving.url.trim_start_matches("http://")
}

#[test]
fn git_gets_the_token_for_allowed_hosts_only() {
    let (place, serving, token) = signed_in();
    let get = |protocol: &str, host: &str, more: &str| {
        let asked = format!("protocol={protocol}\nhost={host}\n{more}\n");
        let args = [
            "credential",
            "git",
            "--for",
            "https://git.example.com",
            "get",
        ];
        place.ok_with(&args, &asked)
    };
    let expected = format!("username=oauth2\npassword={token}\npassword_expiry_utc=");
    assert!(get("https", "git.example.com", "").starts_with(&expected));
    assert!(
        get("http", host(&serving), "").starts_with(&expected),
        "the issuer"
    );
    let named = get("https", "git.example.com", "username=ana\n");
    assert!(named.starts_with(&format!("username=ana\npassword={token}\n")));
    for (protocol, host) in [
        ("http", "git.example.com"),
        ("https", "git.example.com:8443"),
        ("https", "git.example.com.evil.example"),
        ("https", "evil.example"),
        ("ssh", "git.example.com"),
        ("https", "git.example.com@evil.example"),
        ("https", ""),
    ] {
        assert_eq!(get(protocol, host, ""), "", "{protocol}://{host}");
    }
    serving.stop();
}

#[test]
fn git_gets_a_bearer_token_where_the_server_takes_nothing_else() {
    let (place, serving, token) = signed_in();
    let args = ["credential", "git", "get"];
    let asked = format!(
        "capability[]=authtype\nprotocol=http\nhost={}\nwwwauth[]=Bearer realm=\"git\"\n\n",
        host(&serving)
    );
    let said = place.ok_with(&args, &asked);
    let expected =
        format!("capability[]=authtype\nauthtype=Bearer\nephemeral=1\ncredential={token}\n");
    assert!(said.starts_with(&expected), "{said}");
    serving.stop();
}

#[test]
fn what_git_invents_later_is_ignored_and_nothing_is_stored() {
    let (place, serving, token) = signed_in();
    let asked = format!(
        "protocol=http\nhost={}\nusername=u\npassword={token}\n\n",
        host(&serving)
    );
    for operation in ["store", "capability", "new-operation"] {
        assert_eq!(place.ok_with(&["credential", "git", operation], &asked), "");
    }
    serving.stop();
}

#[test]
fn without_a_session_git_is_told_for_the_named_hosts_and_not_bothered_for_others() {
    let place = Place::new();
    let args = [
        "credential",
        "git",
        "--for",
        "https://git.example.com",
        "get",
    ];
    let ended = place.run_with(&args, "protocol=https\nhost=git.example.com\n\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""));
    assert!(ended.stderr.contains("tenure login"), "{}", ended.stderr);
    assert_eq!(
        place.ok_with(&args, "protocol=https\nhost=other.example\n\n"),
        ""
    );
    let args = ["credential", "git", "--for", "git.example.com", "get"];
    let ended = place.run(&args);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("write an origin such as"),
        "{}",
        ended.stderr
    );
    let args = [
        "credential",
        "git",
        "--for",
        "http://git.example.com",
        "get",
    ];
    let ended = place.run_with(&args, "protocol=http\nhost=git.example.com\n\n");
    assert_ne!(ended.code, 0);
    assert_eq!(ended.stdout, "");
}

#[test]
fn docker_gets_the_token_under_the_name_that_it_asks_for() {
    let (place, serving, token) = signed_in();
    let link = place.path("docker-credential-tenure");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tenure"), &link).unwrap();
    let docker = |operation: &str, stdin: &str| {
        place.run_as(
            &link,
            &[operation],
            stdin,
            &[("TENURE_ALLOW", "https://r.example.com")],
        )
    };
    for server in ["r.example.com", "https://r.example.com/v2/", host(&serving)] {
        let ended = docker("get", &format!("{server}\n"));
        let expected = format!(
            "{{\"ServerURL\":\"{server}\",\"Username\":\"oauth2\",\"Secret\":\"{token}\"}}\n"
        );
        assert_eq!((ended.code, ended.stdout), (0, expected));
    }
    for server in [
        "evil.example",
        "http://r.example.com",
        "r.example.com:5000",
        "",
    ] {
        let ended = docker("get", server);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (1, NOT_FOUND),
            "{server}"
        );
    }
    assert_eq!(
        docker("list", "").stdout,
        "{\"https://r.example.com\":\"oauth2\"}\n"
    );
    let offer = |server: &str| {
        let secret = "somebody's password";
        docker(
            "store",
            &format!(r#"{{"ServerURL":"{server}","Username":"u","Secret":"{secret}"}}"#),
        )
    };
    assert_eq!(offer("r.example.com").code, 0);
    let refused = offer("evil.example");
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .stdout
            .contains("tenure keeps no password for evil.example")
    );
    assert_eq!(docker("erase", "r.example.com").code, 0);
    assert_eq!(
        place.ok(&["token"]).trim(),
        token,
        "docker logout ends no session"
    );
    serving.stop();
}

#[test]
fn docker_shows_what_is_wrong() {
    let place = Place::new();
    let args = [
        "credential",
        "docker",
        "--for",
        "https://r.example.com",
        "get",
    ];
    let ended = place.run_with(&args, "r.example.com");
    assert_eq!(ended.code, 3);
    assert!(
        ended.stdout.contains("sign in with: tenure login"),
        "{}",
        ended.stdout
    );
}
