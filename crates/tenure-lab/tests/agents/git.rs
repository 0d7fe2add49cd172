//! The real git, with the session's token as its password.

mod server;

use tenure_lab::deployment::Deployment;

use crate::shell::Shell;
use server::{GitServer, Scheme};

/// A signed-in user whose git asks `tenure` for the passwords of one server, which has one
/// repository.
async fn user_of(deployment: &Deployment, scheme: Scheme) -> (Shell, GitServer) {
    let shell = Shell::new(deployment);
    shell.sign_in().await;
    let bare = shell.home.join("served/project.git");
    shell
        .ok(
            "git",
            &["init", "--quiet", "--bare", bare.to_str().unwrap()],
        )
        .await;
    let api = deployment.api().unwrap();
    let server = GitServer::start(shell.home.join("served"), api, scheme).await;
    let helper = format!(
        "!tenure credential git --profile default --for {}",
        server.url()
    );
    for (name, value) in [
        (
            format!("credential.{}.helper", server.url()),
            helper.as_str(),
        ),
        ("user.name".to_owned(), "Ana"),
        ("user.email".to_owned(), "ana@example.com"),
    ] {
        shell.ok("git", &["config", "--global", &name, value]).await;
    }
    (shell, server)
}

impl Shell {
    /// Clones, commits and pushes.
    async fn works_with(&self, server: &GitServer) {
        let url = format!("{}/project.git", server.url());
        self.ok("git", &["clone", "--quiet", &url, "work"]).await;
        let commit = [
            "-C",
            "work",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "signed in",
        ];
        self.ok("git", &commit).await;
        self.ok(
            "git",
            &["-C", "work", "push", "--quiet", "origin", "HEAD:main"],
        )
        .await;
        let log = self.ok(
            "git",
            &["-C", "served/project.git", "log", "--format=%s", "main"],
        );
        assert_eq!(log.await, "signed in\n");
    }
}

#[tokio::test]
async fn git_clones_and_pushes_with_the_token_as_password() {
    let deployment = Deployment::start().await.unwrap();
    let (shell, server) = user_of(&deployment, Scheme::Basic).await;
    shell.works_with(&server).await;
    assert_eq!(server.tokens(), [shell.token().await]);
    // Not even in git's own configuration or repository.
    let token = shell.token().await;
    let found = shell
        .run("grep", &["-r", &token, "work", "gitconfig"], "")
        .await;
    assert_eq!(found.code, 1, "{found:?}");
}

#[tokio::test]
async fn git_clones_and_pushes_with_a_bearer_token() {
    let deployment = Deployment::start().await.unwrap();
    let (shell, server) = user_of(&deployment, Scheme::Bearer).await;
    let version = shell.ok("git", &["version"]).await;
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .flat_map(str::parse::<u32>);
    if (numbers.next(), numbers.next()) < (Some(2), Some(46)) {
        tenure_lab::skip(&format!(
            "git with bearer tokens: needs git 2.46, has {version}"
        ))
        .unwrap();
        return;
    }
    shell.works_with(&server).await;
    assert_eq!(server.tokens(), [shell.token().await]);
}

#[tokio::test]
async fn a_server_that_takes_another_host_s_name_gets_nothing() {
    let deployment = Deployment::start().await.unwrap();
    let (shell, server) = user_of(&deployment, Scheme::Basic).await;
    let other = format!("http://localhost:{}/project.git", server.port());
    // The helper is asked for every host, and only speaks for its own.
    let helper = format!("!tenure credential git --for {}", server.url());
    let helper = format!("credential.helper={helper}");
    let cloned = shell
        .run(
            "git",
            &["-c", &helper, "clone", "--quiet", &other, "stolen"],
            "",
        )
        .await;
    assert_ne!(cloned.code, 0);
    assert!(server.tokens().is_empty(), "{:?}", server.tokens());
}

#[tokio::test]
async fn a_token_that_the_git_server_refuses_is_replaced_but_not_again_and_again() {
    let deployment = Deployment::start().await.unwrap();
    let (shell, server) = user_of(&deployment, Scheme::Basic).await;
    shell.works_with(&server).await;
    let first = shell.token().await;
    server.refuse(&first);

    let fetch = ["-C", "work", "fetch", "--quiet"];
    let told = shell.run("git", &fetch, "").await;
    assert_ne!(told.code, 0, "git tells the helper, and gives up");
    shell.ok("git", &fetch).await;
    let second = shell.token().await;
    assert_ne!(second, first);
    assert_eq!(server.tokens(), [first, second.clone()]);

    server.refuse(&second);
    let told = shell.run("git", &fetch, "").await;
    assert!(
        told.stderr.contains("issuer, audience and keys"),
        "{told:?}"
    );
    assert_eq!(shell.token().await, second, "a third would fare no better");
    assert_eq!(deployment.exchanges("/oauth2/token").len(), 1);
}
