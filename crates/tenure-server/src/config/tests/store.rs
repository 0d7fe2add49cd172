//! `[store]`: what leads where, and what must not be said together.

use std::path::PathBuf;
use std::time::Duration;

use tenure_store::{Advance, Place};

use super::{Case, GOOD};

fn case(lines: &str) -> Case {
    Case::new(&format!("{GOOD}[store]\n{lines}\n"))
}

fn place(lines: &str) -> Place {
    case(lines).loaded().config.store
}

#[test]
fn nothing_said_is_sqlite_in_the_data_directory() {
    let case = case("revocation_log = \"other/revocations.log\"");
    let Place::Sqlite(options) = case.loaded().config.store else {
        panic!("{:?}", case.loaded().config.store)
    };
    let directory = case.directory.path();
    assert_eq!(options.dir, directory.join("data"));
    assert_eq!(
        options.journal,
        Some(directory.join("other/revocations.log"))
    );
}

#[test]
fn a_url_leads_to_postgresql_with_its_options() {
    let Place::Postgres(options) = place(
        "url = \"postgres://u:hunter2@db/t\"\nrevocation_log = \"postgres://u@log/t\"\nadvance = \"asynchronous\"\npool = 7",
    ) else {
        panic!("not PostgreSQL")
    };
    assert_eq!(options.url.expose(), "postgres://u:hunter2@db/t");
    assert_eq!(options.log.unwrap().expose(), "postgres://u@log/t");
    assert_eq!((options.advance, options.pool), (Advance::Asynchronous, 7));
}

#[test]
fn redis_stands_beside_postgresql_or_sqlite() {
    let Place::Redis(options, sql) = place(
        "url = \"rediss+sentinel://:hunter2@a:1,b:2/main\"\nsql = \"postgres://db/t\"\npool = 3\nprefix = \"shop\"\nwait_replicas = 1\nwait_local = true\nwait_timeout = \"3s\"",
    ) else {
        panic!("not Redis")
    };
    assert_eq!(options.prefix, "shop");
    assert_eq!((options.wait.replicas, options.wait.local), (1, true));
    assert_eq!(options.wait.timeout, Duration::from_secs(3));
    assert!(matches!(*sql, Place::Postgres(options) if options.pool == 3));

    let place = place("url = \"redis://cache\"");
    assert_eq!(
        place.directory().map(PathBuf::from),
        place.sql().directory().map(PathBuf::from)
    );
    assert!(matches!(place.sql(), Place::Sqlite(_)));
}

#[test]
fn the_environment_names_a_store_and_nothing_shows_its_password() {
    let case = Case::new(GOOD)
        .with("TENURE_STORE_URL", "redis://:hunter2@cache")
        .with("TENURE_STORE_SQL", "postgres://u:hunter2@db/t")
        .with("TENURE_STORE_REVOCATION_LOG", "postgres://u:hunter2@log/t")
        .with("TENURE_STORE_WAIT_REPLICAS", "0");
    let loaded = case.loaded();
    assert_eq!(
        loaded.config.store.to_string(),
        "redis://cache beside postgres://u@db/t"
    );
    let shown = loaded.sources.to_string();
    for line in [
        "redis://cache (password set)",
        "postgres://u@db/t (password set)",
        "postgres://u@log/t (password set)",
        "TENURE_STORE_URL",
    ] {
        assert!(shown.contains(line), "{line} in\n{shown}");
    }
    let everything = format!("{shown}{:?}", loaded.config);
    assert!(!everything.contains("hunter2"), "{everything}");
}

/// Lines of the section, and what must be said about them; the first stands on line 3 of the file.
const BAD: &[(&str, &str)] = &[
    (
        "url = \"mysql://u:hunter2@db\"",
        ":3: store.url: has the scheme \"mysql\", which is no store; write one such as",
    ),
    (
        "url = \"u:hunter2@db\"",
        ":3: store.url: is no URL of a store",
    ),
    (
        "url = \"postgres://u:hun/ter2@db\"",
        "store.url: has a host or a port that cannot be read",
    ),
    (
        "url = 5",
        ":3: store.url: is a number; write a URL in quotes",
    ),
    (
        "url = \"sqlite:./data\"",
        ":3: store.url: is SQLite, which lives in the data directory; remove the key",
    ),
    (
        "sql = \"postgres://db/t\"",
        ":3: store.sql: has no effect without a redis:// URL as url",
    ),
    (
        "url = \"postgres://db/t\"\nsql = \"postgres://db/t\"",
        ":4: store.sql: has no effect without a redis:// URL as url",
    ),
    (
        "url = \"redis://a\"\nsql = \"redis://b\"",
        ":4: store.sql: is no SQL store for several servers",
    ),
    (
        "pool = 3",
        ":3: store.pool: has no effect without a postgres:// URL",
    ),
    (
        "url = \"redis://a\"\npool = 3",
        ":4: store.pool: has no effect without a postgres:// URL",
    ),
    (
        "advance = \"asynchronous\"",
        ":3: store.advance: has no effect without a postgres:// URL as url; remove it",
    ),
    (
        "url = \"redis://a\"\nsql = \"postgres://db/t\"\nadvance = \"asynchronous\"",
        ":5: store.advance: has no effect without a postgres:// URL as url; remove it",
    ),
    (
        "url = \"redis+cluster://a,b/3\"",
        ":3: store.url: has a path, and a cluster has no databases; remove what follows the hosts",
    ),
    (
        "url = \"postgres://db/t\"\npool = 0",
        ":4: store.pool: is out of range",
    ),
    (
        "url = \"postgres://db/t\"\nadvance = \"never\"",
        ":4: store.advance: \"never\" is no way to write a refresh; write \"durable\" or",
    ),
    (
        "url = \"postgres://db/t\"\nwait_replicas = 1",
        ":4: store.wait_replicas: has no effect without a redis:// URL",
    ),
    (
        "url = \"redis://a\"\nwait_timeout = \"2s\"",
        ":4: store.wait_timeout: has no effect without wait_replicas or wait_local",
    ),
    (
        "url = \"redis://a\"\nprefix = \"a{b}\"",
        ":4: store.prefix: \"a{b}\" cannot begin a key",
    ),
    (
        "url = \"postgres://db/t\"\nrevocation_log = \"/mnt/revocations.log\"",
        ":4: store.revocation_log: is a path, and the session log of PostgreSQL is a database",
    ),
    (
        "url = \"postgres://u:hunter2@db/t\"\nrevocation_log = \"postgres://u:hunter2@db/t\"",
        ":4: store.revocation_log: is the same database as url",
    ),
    (
        "revocation_log = \"postgres://db/t\"",
        ":3: store.revocation_log: is a URL, and the session log of SQLite is a file",
    ),
    (
        "ulr = \"redis://a\"",
        ":3: store.ulr: is no key of this table; did you mean",
    ),
];

#[test]
fn what_is_wrong_or_contradicts_itself_is_named_with_the_fix() {
    for (lines, wanted) in BAD {
        let problems = case(lines).problems();
        assert!(
            problems.contains(wanted),
            "{lines}\nwanted {wanted}\ngot    {problems}"
        );
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn a_store_in_memory_stands_beside_no_other() {
    let memory = |lines| {
        let mut case = case(lines);
        case.inputs.flags.dangerous_memory_store = true;
        case
    };
    assert_eq!(memory("").loaded().config.store, Place::Memory);
    for (line, key) in [
        ("url = \"redis://a\"", "url"),
        ("advance = \"durable\"", "advance"),
        ("pool = 3", "pool"),
        ("prefix = \"a\"", "prefix"),
        ("wait_local = true", "wait_local"),
    ] {
        let problems = memory(line).problems();
        let wanted = format!(":3: store.{key}: stands beside --dangerous-memory-store");
        assert!(problems.contains(&wanted), "{problems}");
    }
}

#[test]
fn a_changed_password_is_said_to_need_a_restart() {
    let case = case("url = \"postgres://u:hunter2@db/t\"");
    let loaded = case.loaded();
    assert_eq!(loaded.reload().unwrap().warnings, loaded.warnings);
    let changed = format!("{GOOD}[store]\nurl = \"postgres://u:hunter3@db/t\"\n");
    std::fs::write(case.inputs.file().unwrap(), changed).unwrap();
    let warnings = loaded.reload().unwrap().warnings;
    assert!(
        warnings
            .iter()
            .any(|one| one.starts_with("a password of [store] has changed")),
        "{warnings:?}"
    );
}
