//! The packages for other languages as their users meet them: installed, and against the service.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

mod documents;
mod language;
mod package;
mod program;

use tenure_lab::deployment::Deployment;
use tenure_lab::proxy::{Fault, Hold};

use self::language::Language;

const TOKEN: &str = "/oauth2/token";

/// Each story in each language.
macro_rules! in_each_language {
    ($($story:ident,)*) => {
        mod python {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::story(super::Language::Python, async |on| super::$story(on).await).await;
            })*
        }
        mod kotlin {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::story(super::Language::Kotlin, async |on| super::$story(on).await).await;
            })*
        }
    };
}

in_each_language! {
    the_examples_of_the_documents_run,
    a_caller_cancelled_in_the_middle_of_a_refresh_loses_nothing,
    a_keystore_that_the_program_brings_holds_the_session,
    an_http_client_that_the_program_brings_carries_everything,
    errors_say_what_to_do,
    hand_written_routes_keep_the_session_too,
    the_state_can_be_followed,
    the_adapter_repeats_a_refused_request_once_where_it_can,
}

/// Without `shut_down` the interpreter would end under a thread that wants it back, and abort.
#[tokio::test(flavor = "multi_thread")]
async fn a_python_program_may_end_in_the_middle_of_a_request() {
    let ends = async |stage: &Stage| {
        stage.scenario("ends_during_a_request").ended().await;
    };
    story(Language::Python, ends).await;
}

/// A language and a service of its own.
struct Stage {
    language: Language,
    deployment: Deployment,
}

async fn story(language: Language, told: impl AsyncFnOnce(&Stage)) {
    if let Some(why) = language.obstacle() {
        tenure_lab::skip(&why).unwrap();
        return;
    }
    let deployment = Deployment::start().await.unwrap();
    let stage = Stage {
        language,
        deployment,
    };
    told(&stage).await;
    assert_eq!(stage.deployment.proxy.pending(), 0, "the script was played");
}

async fn the_examples_of_the_documents_run(stage: &Stage) {
    let examples = documents::examples(stage.language);
    assert!(examples.len() >= 2, "the README's and the guide's");
    for example in examples {
        let ended = stage.example(&example).ended().await;
        assert!(
            ended.lines().any(|line| line == "demo@example.com"),
            "{}: {ended}",
            example.name
        );
    }
}

async fn a_caller_cancelled_in_the_middle_of_a_refresh_loses_nothing(stage: &Stage) {
    let hold = Hold::default();
    let deployment = &stage.deployment;
    deployment
        .proxy
        .next(TOKEN, Fault::HoldAnswer(hold.clone()), 1);
    let mut program = stage.scenario("cancelled_caller");
    // The service has rotated the token by now, and nobody has heard of it.
    program.unless_it_ends(hold.arrived(1)).await;
    program.tell("cancel").await;
    program.heard("cancelled").await;
    hold.release();
    let token = program.line().await;
    program.ended().await;
    let mut later = stage.scenario("reopened");
    assert_eq!(later.line().await, token, "the answer was saved");
    later.ended().await;
    assert!(deployment.is_active(&token).await.unwrap());
    assert_eq!(stage.refreshes(), statuses(&[200]));
}

async fn a_keystore_that_the_program_brings_holds_the_session(stage: &Stage) {
    let mut program = stage.scenario("foreign_vault");
    let token = program.line().await;
    program.ended().await;
    assert!(stage.deployment.is_active(&token).await.unwrap());
    assert_eq!(stage.refreshes(), statuses(&[]));
}

async fn an_http_client_that_the_program_brings_carries_everything(stage: &Stage) {
    let mut program = stage.scenario("foreign_transport");
    let token = program.line().await;
    program.ended().await;
    assert!(stage.deployment.is_active(&token).await.unwrap());
    assert_eq!(stage.refreshes(), statuses(&[200]));
}

async fn errors_say_what_to_do(stage: &Stage) {
    stage.scenario("errors").ended().await;
}

async fn hand_written_routes_keep_the_session_too(stage: &Stage) {
    let mut program = stage.scenario("hand_written_routes");
    let token = program.line().await;
    program.ended().await;
    assert!(stage.deployment.is_active(&token).await.unwrap());
    assert_eq!(stage.refreshes(), statuses(&[]));
    let answers = stage.deployment.exchanges("/api/auth/refresh");
    assert!(matches!(answers.as_slice(), [refresh] if refresh.status == Some(200)));
}

async fn the_state_can_be_followed(stage: &Stage) {
    stage.scenario("states").ended().await;
}

async fn the_adapter_repeats_a_refused_request_once_where_it_can(stage: &Stage) {
    for scenario in stage.language.adapters() {
        let proxy = &stage.deployment.proxy;
        let before = proxy.log().len();
        let refused = Fault::status(401, &[("WWW-Authenticate", "Bearer")], "").unwrap();
        for path in ["/api/auth/me", "/twice", "/once"] {
            proxy.next(path, refused.clone(), 1);
        }
        let scope = r#"Bearer error="insufficient_scope""#;
        let forbidden = Fault::status(403, &[("WWW-Authenticate", scope)], "").unwrap();
        proxy.next("/forbidden", forbidden, 1);
        stage.scenario(scenario).ended().await;
        let log = proxy.log().split_off(before);
        let answers = |path: &str| -> Vec<_> {
            let of_path = log.iter().filter(|exchange| exchange.path == path);
            of_path.map(|exchange| exchange.status).collect()
        };
        assert_eq!(answers("/api/auth/me"), statuses(&[401, 200]), "{scenario}");
        assert_eq!(answers("/twice"), statuses(&[401, 404]), "{scenario}");
        assert_eq!(answers("/once"), statuses(&[401]), "{scenario}");
        assert_eq!(answers("/forbidden"), statuses(&[403]), "{scenario}");
        assert_eq!(answers(TOKEN), statuses(&[200, 200]), "{scenario}");
    }
}

impl Stage {
    /// The answers that came through from the token endpoint.
    fn refreshes(&self) -> Vec<Option<u16>> {
        let exchanges = self.deployment.exchanges(TOKEN);
        exchanges.iter().map(|exchange| exchange.status).collect()
    }
}

fn statuses(statuses: &[u16]) -> Vec<Option<u16>> {
    statuses.iter().copied().map(Some).collect()
}
