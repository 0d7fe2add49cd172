//! What the store adds to the bare statement: `Store::advance` by 1, 16 and 64 tasks at once, next
//! to the same conditional UPDATE through rusqlite in transactions of 1, 16 and 64, on the same
//! table and disk in the same run. Prints, for each, writes per second, CPU per write (all threads)
//! and the ratio. An iteration is one write of each task.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench fails like a test, and prints its figures"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group,
    criterion_main,
};
use parking_lot::Mutex;
use rusqlite::{Connection, params};
use tempfile::TempDir;
use tenure_core::lineage::{RING, Retired, Row, Step, TokenId};
use tenure_store::conformance::{START, session};
use tenure_store::{Sqlite, SqliteOptions, Store, Written};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Sessions in the table: more than the page cache of a connection holds.
const SESSIONS: u64 = 20_000;

const CROWDS: [u64; 3] = [1, 16, 64];

/// Writes, time and CPU time of one contender.
#[derive(Clone, Copy, Default)]
struct Spent {
    writes: u64,
    wall: Duration,
    cpu: Duration,
}

impl Spent {
    fn add(&mut self, writes: u64, wall: Duration, cpu: Duration) {
        self.writes += writes;
        self.wall += wall;
        self.cpu += cpu;
    }

    #[expect(clippy::cast_precision_loss, reason = "printed with three digits")]
    fn per_second(&self) -> f64 {
        self.writes as f64 / self.wall.as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "printed with three digits")]
    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.writes as f64
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn timed(writes: u64, spent: &Mutex<Spent>, work: impl FnOnce()) -> Duration {
    let (cpu, start) = (cpu_time(), Instant::now());
    work();
    let wall = start.elapsed();
    spent
        .lock()
        .add(writes, wall, cpu_time().saturating_sub(cpu));
    wall
}

/// User and system time of all threads so far (proc(5), `stat` fields 14 and 15, in 1/100 s).
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after_name) = stat.rsplit_once(") ").unwrap();
    let ticks = after_name.split(' ').skip(11).take(2);
    Duration::from_millis(
        10 * ticks
            .map(|field| field.parse::<u64>().unwrap())
            .sum::<u64>(),
    )
}

/// The step that a refresh with a full ring writes.
fn step(row: &Row, expected: TokenId, round: u64) -> Step {
    let mut head = row.head.clone();
    head.id = TokenId(round.to_be_bytes());
    Step {
        expected,
        head,
        ring: vec![
            Retired {
                id: expected,
                at: START
            };
            RING
        ],
        history_unknown_until: None,
        successor: row.first_token(),
        parallel_use: false,
    }
}

/// One task of a crowd: its own sessions, one after the other, like clients that refresh at random.
struct Walker {
    rows: Vec<Row>,
    round: u64,
}

impl Walker {
    fn crowd(tasks: u64, first: u64) -> Vec<Self> {
        let share = SESSIONS / tasks;
        let walker = |task| Self {
            // Far from each other in the table, as random sessions are.
            rows: (0..share).map(|n| session(n * tasks + task)).collect(),
            round: first,
        };
        (0..tasks).map(walker).collect()
    }

    fn next(&mut self) -> (&mut Row, u64) {
        self.round += 1;
        let stride = usize::try_from(self.round).unwrap() * 7919;
        let at = stride % self.rows.len();
        (&mut self.rows[at], self.round)
    }

    async fn advance(&mut self, store: &dyn Store, read: bool) {
        let (row, round) = self.next();
        if read {
            let loaded = store.load(row.lineage).await.unwrap().unwrap();
            assert_eq!(loaded.row.head.id, row.head.id);
        }
        let step = step(row, row.head.id, round);
        assert_eq!(store.advance(row.lineage, &step).await, Ok(Written::Now));
        row.head.id = step.head.id;
    }
}

/// Reads the heads as they are: a contender before may have moved them.
async fn refreshed(store: &dyn Store, mut crowd: Vec<Walker>) -> Vec<Walker> {
    for row in crowd.iter_mut().flat_map(|walker| &mut walker.rows) {
        row.head = store.load(row.lineage).await.unwrap().unwrap().row.head;
    }
    crowd
}

fn through_the_store(
    bench: &mut Criterion,
    runtime: &Runtime,
    store: &Arc<dyn Store>,
    (name, read): (&str, bool),
) -> Vec<Spent> {
    let mut group = bench.benchmark_group(name);
    configure(&mut group);
    let mut all = Vec::new();
    for tasks in CROWDS {
        let spent = Mutex::new(Spent::default());
        let walkers = Walker::crowd(tasks, tasks << 40 | u64::from(read) << 60);
        let mut crowd = runtime.block_on(refreshed(&**store, walkers));
        group.throughput(Throughput::Elements(tasks));
        group.bench_function(BenchmarkId::from_parameter(tasks), |bench| {
            bench.iter_custom(|each| {
                let walkers = std::mem::take(&mut crowd);
                timed(each * tasks, &spent, || {
                    crowd = runtime.block_on(walk(store, walkers, each, read));
                })
            });
        });
        all.push(*spent.lock());
    }
    all
}

fn configure(group: &mut BenchmarkGroup<'_, WallTime>) {
    let short = group.warm_up_time(Duration::from_secs(1)).sample_size(20);
    short
        .measurement_time(Duration::from_secs(4))
        .sampling_mode(SamplingMode::Flat);
}

async fn walk(store: &Arc<dyn Store>, crowd: Vec<Walker>, each: u64, read: bool) -> Vec<Walker> {
    let mut tasks = JoinSet::new();
    for mut walker in crowd {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for _ in 0..each {
                walker.advance(&*store, read).await;
            }
            walker
        });
    }
    tasks.join_all().await
}

/// The same statement on the same table in transactions of the same size.
fn bare(
    bench: &mut Criterion,
    runtime: &Runtime,
    store: &Arc<dyn Store>,
    dir: &TempDir,
) -> Vec<Spent> {
    let sql = Connection::open(dir.path().join("tenure.db")).unwrap();
    sql.pragma_update(None, "synchronous", "FULL").unwrap();
    sql.pragma_update(None, "wal_autocheckpoint", 4096).unwrap();
    let mut group = bench.benchmark_group("bare");
    configure(&mut group);
    let mut all = Vec::new();
    for size in CROWDS {
        let spent = Mutex::new(Spent::default());
        let walkers = Walker::crowd(1, size << 40 | 1 << 62);
        let mut walkers = runtime.block_on(refreshed(&**store, walkers));
        let walker = &mut walkers[0];
        group.throughput(Throughput::Elements(size));
        group.bench_function(BenchmarkId::from_parameter(size), |bench| {
            bench.iter_custom(|groups| {
                timed(groups * size, &spent, || {
                    for _ in 0..groups {
                        commit(&sql, walker, size);
                    }
                })
            });
        });
        all.push(*spent.lock());
    }
    all
}

fn commit(sql: &Connection, walker: &mut Walker, size: u64) {
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
    for _ in 0..size {
        let (row, round) = walker.next();
        let (lineage, id) = (row.lineage.0.as_bytes(), round.to_be_bytes());
        let (since, ring) = (START.0.cast_signed(), [9u8; RING * 16]);
        let none: Option<i64> = None;
        let changed = update
            .execute(params![
                lineage,
                row.head.id.0,
                id,
                0,
                since,
                [0u8; 0],
                ring,
                none
            ])
            .unwrap();
        assert_eq!(changed, 1);
        row.head.id = TokenId(id);
    }
    sql.prepare_cached("COMMIT").unwrap().execute(()).unwrap();
}

fn group_commit(bench: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&SqliteOptions::new(dir.path())).unwrap());
    runtime.block_on(fill(&store));
    let bare = bare(bench, &runtime, &store, &dir);
    let advance = through_the_store(bench, &runtime, &store, ("advance", false));
    let both = through_the_store(bench, &runtime, &store, ("load_and_advance", true));
    println!("\n{SESSIONS} sessions, synchronous=FULL; writes/s, CPU per write, against bare");
    for (at, tasks) in CROWDS.into_iter().enumerate() {
        let contenders = [&bare, &advance, &both].map(|spent| spent[at]);
        for (name, spent) in ["bare", "advance", "load_and_advance"]
            .iter()
            .zip(contenders)
        {
            let ratio = spent.per_second() / bare[at].per_second();
            let (speed, cpu) = (spent.per_second(), spent.cpu_micros());
            println!("{tasks:>3} {name:<17} {speed:>9.0}/s {cpu:>7.1} us {ratio:>6.2}x");
        }
    }
    let counters = store.counters();
    println!("{} writes in {} commits", counters.writes, counters.commits);
}

async fn fill(store: &Arc<dyn Store>) {
    let mut tasks = JoinSet::new();
    for task in 0..250 {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for n in (task..SESSIONS).step_by(250) {
                store.create(&session(n)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}

criterion_group!(benches, group_commit);
criterion_main!(benches);
