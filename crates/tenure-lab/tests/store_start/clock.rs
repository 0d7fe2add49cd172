//! A store whose clock disagrees with the server's.

use serde_json::Value;
use tenure_lab::postgres;

use crate::bench::{Bench, http};
use crate::running::{Running, login};

#[tokio::test]
async fn a_store_an_hour_ahead_makes_the_service_unready_until_the_clocks_agree() {
    let Some(server) = postgres::shared().unwrap() else {
        return;
    };
    let database = server.fresh_database().await.unwrap();
    let client = server.connect(&database).await.unwrap();
    // A function of that name that is found before PostgreSQL's own.
    let ahead = format!(
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS \
         'SELECT pg_catalog.clock_timestamp() + interval ''1 hour'''; \
         ALTER DATABASE {database} SET search_path = public, pg_catalog"
    );
    client.batch_execute(&ahead).await.unwrap();

    let bench = Bench::store(&server.url(&database));
    let running = Running::start(&bench).unwrap();
    let (status, ready) = running.ready().await;
    assert_eq!((status, &ready["ready"]), (503, &false.into()), "{ready}");
    assert_eq!(ready["clock"]["trusted"], false);
    let doubt = ready["clock"]["doubt"].as_str().unwrap();
    assert!(
        doubt.contains("s ahead of this machine's; synchronise both"),
        "{doubt}"
    );
    let answer = login(&running).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let ended = bench.run(&["store", "check"]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stderr.contains("error: the store's clock is 36"),
        "{ended:?}"
    );

    client
        .batch_execute("DROP FUNCTION public.clock_timestamp()")
        .await
        .unwrap();
    let (status, ready) = running.ready().await;
    assert_eq!(
        (status, &ready["clock"]["doubt"]),
        (200, &Value::Null),
        "{ready}"
    );
    assert!(login(&running).await.status().is_success());
    let metrics = http().get(format!("{}/metrics", running.server.url()));
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("tenure_clock_trusted{"), "{metrics}");
}
