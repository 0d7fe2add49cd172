//! The random histories of the model against each store: what the servers of a history read, they
//! read from the store; what they write, the store writes. The verdicts are those of the model, and
//! so is the row after every event.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a place that is not there fails the test; how much was explored is worth a line"
)]

#[path = "../../../tenure-core/tests/walk/mod.rs"]
mod walk;
#[path = "../../../tenure-core/tests/world/mod.rs"]
#[expect(
    dead_code,
    reason = "the model looks at more than what a store answers"
)]
mod world;

use std::cell::RefCell;
use std::sync::Arc;

use parking_lot::Mutex;
use tenure_core::lineage::{EndCause, KeyHash, Revocation, Row, TokenId, Verdict};
use tenure_core::time::Timestamp;
use tenure_lab::redis::Engine;
use tenure_store::{Loaded, Memory, Sqlite, SqliteOptions, Store, Wait, Written};
use tokio::runtime::Handle;

use self::walk::{DAY, KINDS, WISHES, Wish, granted, setting};
use self::world::setting::{Case, shipped};
use self::world::{Action, START, Setting, World};

/// Wishes of one history, of which about two thirds come true.
const WISHED: usize = 120;

/// Nothing is needed any more.
const LATE: Timestamp = Timestamp(START + 10_000 * DAY);

#[tokio::test(flavor = "multi_thread")]
async fn memory_gives_the_verdicts_of_the_model() {
    replay(Arc::new(Memory::new()), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_gives_the_verdicts_of_the_model() {
    let home = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&SqliteOptions::new(home.path())).unwrap();
    replay(Arc::new(store), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_gives_the_verdicts_of_the_model() {
    let Some((store, _)) = super::postgres::fresh().await else {
        return;
    };
    replay(Arc::new(store), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_gives_the_verdicts_of_the_model() {
    let Some(fixture) = super::redis::alone(Engine::Redis7, Wait::default()).await else {
        return;
    };
    replay(Arc::clone(&fixture.store), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn valkey_gives_the_verdicts_of_the_model() {
    let Some(fixture) = super::redis::alone(Engine::Valkey8, Wait::default()).await else {
        return;
    };
    replay(Arc::clone(&fixture.store), 32);
}

/// The control: a store that forgets what it was told to note is found out.
#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "the store and the model differ")]
async fn a_store_that_loses_a_write_is_found_out() {
    LOSE_NOTES.set(true);
    replay(Arc::new(Memory::new()), 400);
}

/// So many histories by fixed seeds, fifty times as many under `TENURE_FULL`.
fn replay(store: Arc<dyn Store>, histories: u64) {
    let full = std::env::var_os("TENURE_FULL").is_some();
    let histories = if full { histories * 50 } else { histories };
    let runtime = Handle::current();
    // The judge of the model is a plain function, and waits for the store.
    tokio::task::block_in_place(|| {
        MIRROR.set(Some(Mirror {
            store,
            runtime,
            decided: None,
        }));
        let settings = settings();
        for seed in 0..histories {
            let kind = usize::try_from(seed).unwrap() % settings.len();
            History::new(&settings[kind], seed).run();
        }
        let verdicts = &settings[0].verdicts;
        println!("{histories} histories: {verdicts}");
        for named in ["Again", "Advance", "Superseded", "Ahead", "Reuse", "Ended"] {
            assert!(verdicts.of(named) > 0, "never {named}");
        }
    });
}

fn settings() -> Vec<Setting> {
    let mut settings: Vec<Setting> = KINDS
        .into_iter()
        .flat_map(|(ring, idle)| {
            let kinds = [(false, true), (false, false), (true, true), (true, false)];
            kinds.map(|(thief, keyed)| setting(thief, keyed, ring, idle))
        })
        .collect();
    let verdicts = Arc::clone(&settings[0].verdicts);
    for setting in &mut settings {
        setting.judge = mirrored;
        setting.verdicts = Arc::clone(&verdicts);
    }
    settings
}

thread_local! {
    static MIRROR: RefCell<Option<Mirror>> = const { RefCell::new(None) };
    static LOSE_NOTES: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// The store, and what was last decided about a row in it.
struct Mirror {
    store: Arc<dyn Store>,
    runtime: Handle,
    decided: Option<(TokenId, Verdict)>,
}

/// Decides on the row as the store has it; the model's row is only looked at to see that both agree.
fn mirrored(case: &Case<'_>) -> Verdict {
    let row = with(|store| read(Arc::clone(store), case.row.clone()));
    assert_eq!(row, *case.row, "the store and the model differ");
    let verdict = shipped(&Case { row: &row, ..*case });
    assert_eq!(verdict, shipped(case), "the store and the model differ");
    let decided = Some((row.head.id, verdict.clone()));
    MIRROR.with_borrow_mut(|mirror| mirror.as_mut().unwrap().decided = decided);
    verdict
}

/// As a server reads it: the store asks a judge, who this time wants nothing written.
async fn read(store: Arc<dyn Store>, of: Row) -> Row {
    let seen = Arc::new(Mutex::new(None));
    let told = Arc::clone(&seen);
    let judge = Arc::new(move |loaded: Option<Loaded>| {
        *told.lock() = loaded;
        None
    });
    let written = store.present(of.lineage, judge).await;
    assert_eq!(written, Ok(Written::Now));
    let Loaded { row, cut } = seen.lock().take().unwrap();
    assert_eq!(cut, None);
    row
}

/// Runs what is asked of the store, and waits.
fn with<T, F: Future<Output = T>>(ask: impl FnOnce(&Arc<dyn Store>) -> F) -> T {
    let (store, runtime) = MIRROR.with_borrow(|mirror| {
        let mirror = mirror.as_ref().unwrap();
        (Arc::clone(&mirror.store), mirror.runtime.clone())
    });
    runtime.block_on(ask(&store))
}

/// One history of the model with its writes carried out by the store.
struct History<'a> {
    setting: &'a Setting,
    world: World,
    random: fastrand::Rng,
    /// Decisions whose write is still to come.
    pending: [Option<(TokenId, Verdict)>; 2],
    backups: Vec<Row>,
}

impl<'a> History<'a> {
    fn new(setting: &'a Setting, seed: u64) -> Self {
        let row = setting.row.clone();
        replace(&row);
        Self {
            setting,
            world: World::new(setting),
            random: fastrand::Rng::with_seed(seed),
            pending: [None, None],
            backups: vec![row],
        }
    }

    fn run(mut self) {
        for _ in 0..WISHED {
            let wished = (self.wish(), self.random.u8(..));
            if let Some(action) = granted(&self.world, self.setting, wished) {
                self.happen(action);
            }
        }
    }

    fn wish(&mut self) -> Wish {
        let all: u32 = WISHES.iter().map(|(weight, _)| weight).sum();
        let mut left = self.random.u32(..all);
        let chosen = WISHES.iter().find(|(weight, _)| {
            let here = left < *weight;
            left = left.saturating_sub(*weight);
            here
        });
        chosen.unwrap().1
    }

    fn happen(&mut self, action: Action) {
        match action {
            Action::Write { server } => {
                let (head, verdict) = self.pending[server].take().unwrap();
                self.carry_out(head, &verdict);
            }
            Action::Crash { server } => self.pending[server] = None,
            Action::Logout => self.revoke(EndCause::LoggedOut),
            Action::Backup => self.backups.push(self.row()),
            Action::Restore { backup } => {
                let revoked = self.row().revoked;
                let backup = self.backups[backup].clone();
                replace(&Row { revoked, ..backup });
            }
            _ => {}
        }
        self.world = self.world.after(self.setting, action);
        assert_eq!(self.world.flaw, None);
        let decided = MIRROR.with_borrow_mut(|mirror| mirror.as_mut().unwrap().decided.take());
        if let (Some(decided), Some(server)) = (decided, server_of(action)) {
            self.pending[server] = Some(decided);
        }
    }

    /// The one conditional write of a decision, which the store makes exactly where the model does.
    fn carry_out(&self, head: TokenId, verdict: &Verdict) {
        let before = self.row();
        let lineage = before.lineage;
        let holds = before.head.id == head && before.revoked.is_none();
        let expected = if holds { Written::Now } else { Written::Lost };
        match verdict {
            Verdict::Advance(step) | Verdict::Ahead(step) => {
                let written = with(|store| {
                    let (store, step) = (Arc::clone(store), step.clone());
                    async move { store.advance(lineage, &step).await }
                });
                assert_eq!(written, Ok(expected));
            }
            Verdict::Again {
                note: Some(hash), ..
            } => self.note(head, *hash),
            Verdict::Reuse(_) => self.revoke(EndCause::TheftDetected),
            verdict => panic!("{verdict:?} writes nothing"),
        }
    }

    /// Whether it finds room is seen in the row.
    fn note(&self, head: TokenId, hash: KeyHash) {
        if LOSE_NOTES.get() {
            return;
        }
        let lineage = self.setting.row.lineage;
        with(|store| {
            let store = Arc::clone(store);
            async move { store.note_use(lineage, head, hash).await.unwrap() }
        });
    }

    fn revoke(&self, cause: EndCause) {
        let (at, lineage) = (Timestamp(self.world.now), self.setting.row.lineage);
        with(|store| {
            let store = Arc::clone(store);
            async move {
                store
                    .revoke(lineage, Revocation { at, cause })
                    .await
                    .unwrap()
            }
        });
    }

    fn row(&self) -> Row {
        with(|store| read(Arc::clone(store), self.setting.row.clone()))
    }
}

fn server_of(action: Action) -> Option<usize> {
    match action {
        Action::Deliver { server, .. }
        | Action::Duplicate { server, .. }
        | Action::Attack { server, .. }
        | Action::Write { server } => Some(server),
        _ => None,
    }
}

/// The store falls back: it has this row and no other.
fn replace(row: &Row) {
    with(|store| {
        let (store, row) = (Arc::clone(store), row.clone());
        async move {
            while store.load(row.lineage).await.unwrap().is_some() {
                store.purge(LATE, 10).await.unwrap();
            }
            store.create(&row).await.unwrap();
        }
    });
}
