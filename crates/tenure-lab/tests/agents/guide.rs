//! docs/guides/cli.md, command by command.

use crate::shell::Shell;
use crate::support::serve;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use tenure_lab::deployment::Deployment;

const GUIDE: &str = include_str!("../../../../docs/guides/cli.md");

/// The contents of the blocks that are marked as shell.
fn blocks() -> Vec<&'static str> {
    let parts = GUIDE.split("```sh\n").skip(1);
    parts
        .map(|part| part.split_once("```").unwrap().0)
        .collect()
}

/// One script of all blocks: what an earlier one exports is there for the later ones.
#[tokio::test]
async fn every_command_of_the_guide_works() {
    let deployment = Deployment::start().await.unwrap();
    let shell = Shell::new(&deployment);
    // An empty repository is all that the guide wants of its git server.
    let (address, _serving) = serve("127.0.0.1:0", |request| async move {
        let authorized = request.headers().contains_key("authorization");
        let answer = Response::builder().header("www-authenticate", "Basic realm=\"git\"");
        let kind = "application/x-git-upload-pack-advertisement";
        // A git without a reference to tell of (gitprotocol-http).
        let empty = "001e# service=git-upload-pack\n00000000";
        let empty = if authorized { empty } else { "" };
        answer
            .status(if authorized { 200 } else { 401 })
            .header("content-type", kind)
            .body(Full::new(Bytes::from(empty)))
            .unwrap()
    })
    .await;
    let blocks = blocks();
    let commands = blocks.concat().matches("tenure ").count();
    assert!(
        blocks.len() >= 10 && commands >= 15,
        "{commands} in {}",
        blocks.len()
    );
    let marked = blocks
        .iter()
        .enumerate()
        .map(|(number, block)| format!("echo block {number}\n{block}\n"));
    let script = marked
        .collect::<String>()
        .replace("http://127.0.0.1:8420", &deployment.issuer())
        .replace("https://git.example.com", &format!("http://{address}"));
    let ended = shell
        .run("bash", &["-euo", "pipefail", "-c", &script], "")
        .await;
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    for wanted in [
        "signed in at",
        "\"access_token\":\"",
        "True\n",
        "removed profile ci",
        "signed out",
    ] {
        assert!(
            ended.stdout.contains(wanted),
            "{wanted} in {}",
            ended.stdout
        );
    }
}
