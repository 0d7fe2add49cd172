//! What the store adds to the bare statement: `Store::advance` by 1, 16 and 64 tasks at once, with
//! and without the read before it, next to the same conditional UPDATE through rusqlite in
//! transactions of 1, 16 and 64, on the same table and disk. An iteration is one write of each task.
//!
//! Prints, for each, writes per second, CPU per write (all threads) and the ratio to the bare
//! statement, from short turns in which the contenders alternate: a busy machine slows all alike.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench fails like a test, and prints its figures"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use rusqlite::{Connection, params};
use tempfile::TempDir;
use tenure_core::lineage::{RING, Retired, Row, Step, TokenId};
use tenure_store::conformance::{START, session};
use tenure_store::{Sqlite, SqliteOptions, Store, Written};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Sessions of each contender; all together fill more than a page cache.
const SESSIONS: u64 = 8192;

const CROWDS: [u64; 3] = [1, 16, 64];

const TURNS: u64 = 30;

/// Writes of one turn; with one task a tenth of them.
const TURN: u64 = 4096;

/// Writes, time and CPU time.
#[derive(Clone, Copy, Default)]
struct Spent {
    writes: u32,
    wall: Duration,
    cpu: Duration,
}

impl Spent {
    fn per_second(&self) -> f64 {
        f64::from(self.writes) / self.wall.as_secs_f64()
    }

    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(self.writes)
    }
}

/// User and system time of all threads so far (proc(5), `stat` fields 14 and 15, in 1/100 s).
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after_name) = stat.rsplit_once(") ").unwrap();
    let ticks = after_name.split(' ').skip(11).take(2);
    let hundredths: u64 = ticks.map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * hundredths)
}

/// The sessions of one task, visited in an order far from that of the table.
struct Walker {
    rows: Vec<Row>,
    round: u64,
}

impl Walker {
    /// `tasks` walkers over the sessions of contender `which`.
    fn crowd(which: u64, tasks: u64) -> Vec<Self> {
        let numbers = move |task| (task..SESSIONS).step_by(usize::try_from(tasks).unwrap());
        let walker = |task| Self {
            rows: numbers(task)
                .map(|n| session(number(which, tasks, n)))
                .collect(),
            round: 0,
        };
        (0..tasks).map(walker).collect()
    }

    fn next(&mut self) -> (&mut Row, TokenId) {
        self.round += 1;
        let stride = usize::try_from(self.round).unwrap() * 7919;
        let at = stride % self.rows.len();
        (&mut self.rows[at], TokenId(self.round.to_be_bytes()))
    }

    async fn advance(&mut self, store: &dyn Store, read: bool) {
        let (row, id) = self.next();
        if read {
            let loaded = store.load(row.lineage).await.unwrap().unwrap();
            assert_eq!(loaded.row.head.id, row.head.id);
        }
        let written = store.advance(row.lineage, &step(row, id)).await;
        assert_eq!(written, Ok(Written::Now));
        row.head.id = id;
    }
}

fn number(which: u64, tasks: u64, n: u64) -> u64 {
    ((tasks * 3 + which) << 32) | n
}

/// The step that a refresh with a full ring writes.
fn step(row: &Row, id: TokenId) -> Step {
    let mut head = row.head.clone();
    head.id = id;
    let retired = Retired {
        id: row.head.id,
        at: START,
    };
    Step {
        expected: row.head.id,
        head,
        ring: vec![retired; RING],
        history_unknown_until: None,
        successor: row.first_token(),
        parallel_use: false,
    }
}

/// One way to write: `run` does so many rounds, each of one write per task.
struct Contender<'a> {
    name: &'static str,
    tasks: u64,
    run: Box<dyn FnMut(u64) + 'a>,
    spent: Spent,
}

impl<'a> Contender<'a> {
    fn bare(sql: &'a Connection, tasks: u64) -> Self {
        let mut walkers = Walker::crowd(0, tasks);
        Self {
            name: "bare",
            tasks,
            run: Box::new(move |rounds| (0..rounds).for_each(|_| commit(sql, &mut walkers))),
            spent: Spent::default(),
        }
    }

    fn store(
        runtime: &'a Runtime,
        store: &'a Arc<dyn Store>,
        tasks: u64,
        (name, read): (&'static str, bool),
    ) -> Self {
        let mut crowd = Walker::crowd(1 + u64::from(read), tasks);
        let run = move |rounds| {
            let walkers = std::mem::take(&mut crowd);
            crowd = runtime.block_on(walk(store, walkers, rounds, read));
        };
        Self {
            name,
            tasks,
            run: Box::new(run),
            spent: Spent::default(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    fn timed(&mut self, rounds: u64) -> Duration {
        let (cpu, start) = (cpu_time(), Instant::now());
        (self.run)(rounds);
        let wall = start.elapsed();
        self.spent.writes += u32::try_from(rounds * self.tasks).unwrap();
        self.spent.wall += wall;
        self.spent.cpu += cpu_time().saturating_sub(cpu);
        wall
    }
}

async fn walk(store: &Arc<dyn Store>, crowd: Vec<Walker>, rounds: u64, read: bool) -> Vec<Walker> {
    let mut tasks = JoinSet::new();
    for mut walker in crowd {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for _ in 0..rounds {
                walker.advance(&*store, read).await;
            }
            walker
        });
    }
    tasks.join_all().await
}

/// The statement of an advance, once per walker, in one transaction.
fn commit(sql: &Connection, walkers: &mut [Walker]) {
    sql.prepare_cached("BEGIN IMMEDIATE")
        .unwrap()
        .execute(())
        .unwrap();
    let mut update = sql
        .prepare_cached(
            "UPDATE sessions SET head_id = ?3, head_generation = ?4, head_since = ?5, \
             head_uses = ?6, ring = ?7, history_unknown_until = ?8 \
             WHERE lineage = ?1 AND head_id = ?2 AND revoked_at IS NULL",
        )
        .unwrap();
    for walker in walkers {
        let (row, id) = walker.next();
        let (lineage, since) = (row.lineage.0.as_bytes(), START.0.cast_signed());
        let (uses, ring, none) = ([0u8; 0], [9u8; RING * 16], None::<i64>);
        let values = params![lineage, row.head.id.0, id.0, 0, since, uses, ring, none];
        assert_eq!(update.execute(values).unwrap(), 1);
        row.head.id = id;
    }
    sql.prepare_cached("COMMIT").unwrap().execute(()).unwrap();
}

fn group_commit(bench: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&SqliteOptions::new(dir.path())).unwrap());
    runtime.block_on(fill(&store));
    let sql = bare_connection(&dir);
    for tasks in CROWDS {
        let mut contenders = [
            Contender::bare(&sql, tasks),
            Contender::store(&runtime, &store, tasks, ("advance", false)),
            Contender::store(&runtime, &store, tasks, ("load_and_advance", true)),
        ];
        let mut group = bench.benchmark_group("group_commit");
        group
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(2));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.throughput(Throughput::Elements(tasks));
        for contender in &mut contenders {
            group.bench_function(BenchmarkId::new(contender.name, tasks), |bench| {
                bench.iter_custom(|rounds| contender.timed(rounds));
            });
            contender.spent = Spent::default();
        }
        let before = store.counters();
        compare(&mut contenders, tasks);
        let after = store.counters();
        let writes = after.writes - before.writes;
        println!(
            "  {writes} writes in {} commits",
            after.commits - before.commits
        );
    }
}

fn bare_connection(dir: &TempDir) -> Connection {
    let sql = Connection::open(dir.path().join("tenure.db")).unwrap();
    for (name, value) in [("wal_autocheckpoint", 8192), ("cache_size", -16384)] {
        sql.pragma_update(None, name, value).unwrap();
    }
    sql.pragma_update(None, "synchronous", "FULL").unwrap();
    sql
}

fn compare(contenders: &mut [Contender<'_>; 3], tasks: u64) {
    let writes = if tasks == 1 { TURN / 10 } else { TURN };
    for _ in 0..TURNS {
        for contender in &mut *contenders {
            contender.timed(writes / tasks);
        }
    }
    println!(
        "{tasks} at once, synchronous=FULL, {} sessions",
        SESSIONS * 9
    );
    let bare = contenders[0].spent.per_second();
    for Contender { name, spent, .. } in contenders {
        let (speed, cpu) = (spent.per_second(), spent.cpu_micros());
        println!(
            "  {name:<17} {speed:>8.0}/s {cpu:>7.1} us CPU {:>6.2}x",
            speed / bare
        );
    }
}

async fn fill(store: &Arc<dyn Store>) {
    let numbers = CROWDS.into_iter().flat_map(|tasks| {
        (0..3).flat_map(move |which| (0..SESSIONS).map(move |n| number(which, tasks, n)))
    });
    let numbers: Vec<u64> = numbers.collect();
    let mut tasks = JoinSet::new();
    for share in numbers.chunks(numbers.len() / 250) {
        let (store, share) = (Arc::clone(store), share.to_vec());
        tasks.spawn(async move {
            for n in share {
                store.create(&session(n)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}

criterion_group!(benches, group_commit);
criterion_main!(benches);
