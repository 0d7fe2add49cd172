//! `tenure doctor drift` from outside.

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::fs;

use support::Place;
use tenure_doctor::Evidence;
use tenure_doctor::drift::{Nature, Subject, compare};

fn evidence(place: &Place) -> Evidence {
    let text = fs::read_to_string(place.path("evidence.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn two_services_with_two_secrets_are_told_without_the_secrets() {
    let place = Place::new();
    let compose = "services:\n  auth:\n    image: a\n    environment: {JWT_SECRET: planted-one}\n  api:\n    image: b\n    environment: {JWT_SIGNING_KEY: planted-two}\n";
    place.write("compose.yaml", compose);
    let ended = place.run(&[
        "doctor",
        "drift",
        "compose.yaml",
        "--evidence-out",
        "evidence.json",
    ]);
    let text = fs::read_to_string(place.path("evidence.json")).unwrap();
    assert!(!format!("{text}{}{}", ended.stdout, ended.stderr).contains("planted"));
    let found = compare(&evidence(&place).beliefs);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].about, found[0].nature),
        (Subject::Secret, Nature::Different)
    );
}

#[test]
fn a_running_service_is_asked_for_what_it_believes() {
    let place = Place::new();
    let serving = place.serve(&["--dev"]);
    place.write(
        "api.toml",
        &format!("[auth]\nissuer = \"{}/\"\n", serving.url),
    );
    place.run(&[
        "doctor",
        "drift",
        "api.toml",
        "--discovery",
        &serving.url,
        "--evidence-out",
        "evidence.json",
    ]);
    let found = compare(&evidence(&place).beliefs);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].about, found[0].nature),
        (Subject::Issuer, Nature::TrailingSlash)
    );
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_that_cannot_ask_aws_says_which_can() {
    let ended = Place::new().run(&["doctor", "drift", "--aws"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--features aws"), "{}", ended.stderr);
}

#[cfg(feature = "aws")]
mod aws {
    use std::io::{BufRead as _, BufReader};
    use std::net::{Ipv4Addr, TcpListener};
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};

    use serde_json::Value;
    use tenure_doctor::drift::{Holder, Subject, compare};

    use super::evidence;
    use super::support::{self, Place};

    const TEMPLATE: &str = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: memories}}\n  Authorizer:\n    Type: AWS::ApiGateway::Authorizer\n    Properties:\n      Name: cognito\n      Type: COGNITO_USER_POOLS\n      RestApiId: !Ref Api\n      IdentitySource: method.request.header.Authorization\n      ProviderARNs: [!Sub 'arn:aws:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/{{resolve:ssm:/auth/user-pool-id}}']\n";

    /// A program of the lab's Python environment.
    fn python(program: &str) -> PathBuf {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.join("../tenure-lab/foreign/.venv/bin").join(program)
    }

    /// PyPI `ministack`; killed and reaped when dropped.
    struct Emulator(Child, String);

    impl Drop for Emulator {
        fn drop(&mut self) {
            // It may have ended by itself.
            let _gone = self.0.kill();
            let _gone = self.0.wait();
        }
    }

    fn emulator(place: &Place) -> Emulator {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut child = Command::new(python("ministack"))
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("SERVICES", "cognito-idp,ssm,apigateway,cloudformation")
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .env("HOME", place.path("."))
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = lines.any(|line| line.is_ok_and(|line| line.contains("Running on http://")));
        assert!(ready, "ministack ended");
        // Nobody reads what it says from here on; it must not wait for that.
        std::thread::spawn(move || lines.for_each(drop));
        Emulator(child, format!("http://127.0.0.1:{port}"))
    }

    /// Deploys the template with one pool, and moves the parameter on to another: the ids of both.
    fn stack(place: &Place, emulator: &Emulator) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/stack.py");
        let mut stack = Command::new(python("python"));
        let stack = stack
            .arg(script)
            .arg(&emulator.1)
            .arg(place.path("template.yaml"));
        serde_json::from_slice(&stack.output().unwrap().stdout).unwrap()
    }

    #[test]
    fn a_parameter_that_moved_on_is_told_from_the_gateway_that_did_not() {
        if !python("ministack").exists() {
            support::skip("ministack is missing; run cargo xtask setup");
            return;
        }
        let place = Place::new();
        place.write("template.yaml", TEMPLATE);
        let emulator = emulator(&place);
        let stack = stack(&place, &emulator);
        let (old, new) = (
            stack["old"].as_str().unwrap(),
            stack["new"].as_str().unwrap(),
        );
        place.write(".env", &format!("EXPO_PUBLIC_COGNITO_USER_POOL_ID={new}\n"));
        let args = [
            "doctor",
            "drift",
            ".env",
            "template.yaml",
            "--aws",
            "--evidence-out",
            "evidence.json",
        ];
        let mut command = place.command(&args);
        command.envs([
            ("AWS_ENDPOINT_URL", emulator.1.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("ssm:GetParameter /auth/user-pool-id"),
            "{said}"
        );
        let found = compare(&evidence(&place).beliefs);
        let pools: Vec<_> = found
            .iter()
            .filter(|one| one.about == Subject::UserPool)
            .collect();
        assert_eq!(pools.len(), 1, "{found:?}");
        let side = |holder| {
            [&pools[0].left, &pools[0].right]
                .into_iter()
                .flatten()
                .find(|one| one.held_by == holder)
                .unwrap()
        };
        assert_eq!(side(Holder::Deployed).value, old);
        for holder in [Holder::Client, Holder::Template, Holder::Parameters] {
            assert_eq!(side(holder).value, new, "{holder:?}");
        }
        assert!(
            side(Holder::Template)
                .note
                .as_deref()
                .unwrap()
                .starts_with("not pinned")
        );
    }

    #[test]
    fn reads_that_are_too_many_are_counted_and_left_out() {
        let place = Place::new();
        let lines =
            (0..250).map(|n| format!("s{n}: {{USER_POOL_ID: '{{{{resolve:ssm:/pool/{n}}}}}'}}\n"));
        place.write("app.yaml", &lines.collect::<String>());
        let mut command = place.command(&["doctor", "drift", "app.yaml", "--aws", "--json"]);
        // Port 1 refuses each at once.
        command.envs([
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.matches("  ssm:GetParameter").count(), 200, "{said}");
        assert!(said.contains("200 reads were made; 52 more"), "{said}");
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .contains("52 more")
        );
    }
}
