//! What happens without the last pass.

use tenure_core::secret::Secret;
use tenure_lab::crowd::User;
use tenure_lab::deployment::EMAIL;
use tenure_lab::postgres::{self, Postgres as Server};
use tenure_store::{Part, Postgres, PostgresOptions, Sqlite, SqliteOptions, Store};

use crate::site::{Place, Site, Target, sessions};

/// A copy that is killed while it follows, and a session that began after that.
struct Half {
    site: Site,
    early: User,
    late: User,
    url: String,
}

async fn half(server: &Server) -> Half {
    let url = server.url(&server.fresh_database().await.unwrap());
    let mut site = Site::new().await;
    let place = Place::sqlite("old");
    let mut old = site.serve(&place);
    let early = User::sign_in(&site.first_party()).await.unwrap();
    let target = Target::variable("NEW_STORE", url.clone());
    let mut copy = site.copy(&place, &target, "following: what begins");
    copy.kill9().unwrap();
    let late = User::sign_in(&site.first_party()).await.unwrap();
    old.terminate().unwrap();
    Half {
        site,
        early,
        late,
        url,
    }
}

/// The control: with the keys, but without the last pass, whoever signed in meanwhile is signed out.
#[tokio::test(flavor = "multi_thread")]
async fn a_switch_without_the_last_pass_signs_out_who_came_meanwhile() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let mut half = half(server).await;
    let old = Sqlite::open(&SqliteOptions::new(half.site.path("old"))).unwrap();
    let new = PostgresOptions::new(Secret::new(half.url.clone()));
    let new = Postgres::open(&new).await.unwrap();
    assert_eq!(
        (sessions(&old, EMAIL).await, sessions(&new, EMAIL).await),
        (2, 1)
    );
    // What the command does only after its last pass.
    let keys = old.export(Part::Keys, None, 100).await.unwrap();
    new.import(&keys.records).await.unwrap();
    drop((old, new));

    let place = Place::at("beside", &[("TENURE_STORE_URL", half.url.clone())]);
    let _server = half.site.serve(&place);
    let app = half.site.app();
    assert_eq!(half.early.refresh(&app).await.refreshed, 1);
    assert_eq!(half.late.refresh(&app).await.signed_out, ["unknown"]);
}

/// A server that is started too early cannot do that harm: it has keys of its own, and says that it
/// lacks theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_started_before_the_copy_is_complete_signs_nobody_out() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let mut half = half(server).await;
    let place = Place::at("beside", &[("TENURE_STORE_URL", half.url.clone())]);
    let mut early = half.site.serve(&place);
    for user in [&half.early, &half.late] {
        let refusal = half
            .site
            .app()
            .refresh(&user.token)
            .await
            .refused()
            .unwrap();
        assert_eq!(refusal.status, 503, "{refusal:?}");
    }
    early.terminate().unwrap();

    let copy = half
        .site
        .tenure(&Place::sqlite("old"), &["copy", "--to", "env:NEW_STORE"]);
    let copy = copy
        .env("NEW_STORE", &half.url)
        .ready_when("made keys of its own");
    assert_eq!(copy.start().unwrap().wait().unwrap().code(), Some(2));
    let _old = half.site.serve(&Place::sqlite("old"));
    for user in [&mut half.early, &mut half.late] {
        assert_eq!(user.refresh(&half.site.app()).await.refreshed, 1);
    }
}
