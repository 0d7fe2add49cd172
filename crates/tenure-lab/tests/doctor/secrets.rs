//! Whatever the doctor is given and however it answers: no secret comes out.

mod loud;
mod planted;

use serde_json::Value;
use tenure_doctor::Fingerprint;
use tenure_lab::canary::Finding;
use tenure_lab::process::Ended;

use self::planted::Planted;

const FORMS: [&[&str]; 6] = [
    &[],
    &["--color=always"],
    &["--json"],
    &["--sarif"],
    &["--junit"],
    &["--markdown"],
];

fn rounds() -> u64 {
    if std::env::var_os("TENURE_FULL").is_some() {
        20
    } else {
        1
    }
}

impl Planted {
    /// All that came out of a command, searched.
    async fn leaks(&self, args: &[&str]) -> (Ended, Vec<Finding>) {
        let mut command = self.place.doctor(args);
        command
            .env("TENURE_LOG", "trace")
            .env("ACCESS_TOKEN", &self.token)
            .env("SHARED_SECRET", &self.secret);
        let ended = Ended::of(&mut command, &self.token).await.unwrap();
        let mut found = self.search.in_bytes("stdout", ended.stdout.as_bytes());
        found.extend(self.search.in_bytes("stderr", ended.stderr.as_bytes()));
        (ended, found)
    }

    async fn clean(&self, args: &[&str]) -> Ended {
        let (ended, found) = self.leaks(args).await;
        assert_eq!(found, [], "seed {}: {args:?}", self.seed);
        ended
    }
}

#[tokio::test]
async fn the_search_finds_what_is_planted() {
    let planted = Planted::new(fastrand::u64(..)).await;
    let found = planted
        .search
        .in_path(&planted.place.path("given"))
        .unwrap();
    for label in &planted.labels {
        assert!(found.iter().any(|it| it.label == *label), "{label}");
    }
    // What a service says reaches the doctor, and would be seen if it were printed as it is.
    let answer = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = answer
        .get(planted.api.at("/items"))
        .bearer_auth(&planted.token);
    let body = answer.send().await.unwrap().text().await.unwrap();
    let found = planted.search.in_bytes("body", body.as_bytes());
    assert!(found.iter().any(|it| it.label == "access token"), "{body}");
}

#[tokio::test]
async fn no_form_of_any_command_lets_a_secret_out() {
    for _ in 0..rounds() {
        let planted = Planted::new(fastrand::u64(..)).await;
        for command in planted.commands() {
            for form in FORMS {
                let kept = ["--evidence-out", "evidence.json"];
                let args: Vec<_> = command.iter().map(String::as_str).collect();
                let ended = planted.clean(&[&args[..], form, &kept].concat()).await;
                assert!(
                    [0, 1, 3].contains(&ended.code),
                    "{command:?}: {}",
                    ended.stderr
                );
                let evidence = planted.place.read("evidence.json");
                let found = planted.search.in_bytes("evidence", evidence.as_bytes());
                assert_eq!(found, [], "seed {}: {command:?}", planted.seed);
            }
        }
    }
}

#[tokio::test]
async fn a_report_of_everything_names_fingerprints_only() {
    for _ in 0..rounds() {
        let planted = Planted::new(fastrand::u64(..)).await;
        let everything = planted.everything();
        let everything: Vec<_> = everything.iter().map(String::as_str).collect();
        for form in [&[][..], &["--html"]] {
            let report = [&["report"], &everything[..], form].concat();
            let report = planted.clean(&report).await;
            assert_eq!(report.code, 0, "{}", report.stderr);
            let fingerprint = Fingerprint::of(&planted.token).to_string();
            assert!(report.stdout.contains(&fingerprint), "{}", report.stdout);
        }
        let json = [&everything[..], &["--json"]].concat();
        let json = planted.clean(&json).await;
        let json: Value = serde_json::from_str(&json.stdout).unwrap();
        // It has looked at all of it.
        for part in ["exchanges", "tokens", "keys", "beliefs"] {
            let seen = json["evidence"][part].as_array().unwrap();
            assert!(!seen.is_empty(), "{part}");
        }
        assert!(json["evidence"]["logs"]["files"].as_array().unwrap().len() >= 4);
    }
}

#[tokio::test]
async fn an_error_does_not_quote_what_it_could_not_read() {
    let planted = Planted::new(fastrand::u64(..)).await;
    let url = planted.api.at("/items");
    let with_password = url.replace("http://", &format!("http://ann:{}@", planted.password));
    let broken = [
        "given/broken.json",
        "given/broken.yaml",
        "given/broken.toml",
    ];
    let mut errors: Vec<Vec<&str>> = vec![
        vec!["token", &planted.token],
        vec!["probe", &with_password],
        vec!["probe", &url, "--token-file", &planted.token],
        vec!["probe", &url, "--header-file", "given/token.txt"],
        vec!["probe", &url, "--burn-refresh", "given/broken.json"],
        vec!["probe", &url, "--introspection", "given/broken.json"],
        vec!["config", "--config", "given/broken.toml"],
        vec!["config", &with_password],
        vec!["drift", "--discovery", &with_password],
        vec!["token", "--jwks", &with_password],
        vec![
            "token",
            "--token-file",
            "given/token.txt",
            "--jwks",
            "given/broken.json",
        ],
        vec![
            "token",
            "--token-file",
            "given/token.txt",
            "--pem",
            "given/hs.secret",
        ],
        vec!["report", "given/broken.json"],
        vec!["report", "given/traffic.har"],
    ];
    errors.extend(broken.map(|name| vec!["drift", name]));
    errors.extend(broken.map(|name| vec!["logs", name]));
    for args in errors {
        let (ended, found) = planted.leaks(&args).await;
        assert_eq!(
            found,
            [],
            "seed {}: {args:?}: {}",
            planted.seed,
            ended.stderr
        );
    }
}
