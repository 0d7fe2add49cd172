//! Random kills and power cuts, round after round, and no session is lost.
//!
//! `TENURE_SEED` repeats the decisions of a run. Where a round lets the process run on while it is
//! being killed, how far it gets is up to the machine.

use std::path::Path;

use fastrand::Rng;
use serde_json::Value;
use tempfile::TempDir;
use tenure_lab::deployment::Deployment;
use tenure_lab::disk::FaultyDisk;
use tenure_lab::proxy::{Fault, Hold};

use crate::child::Child;
use crate::fleet::Fleet;
use crate::service::{self, TOKEN};

const ROUNDS: usize = 60;
const ROUNDS_FULL: usize = 1000;
const PROCESSES: usize = 3;

/// Where the owner of the lock can be killed: a place of `session-process`, or [`IN_FLIGHT`].
const PLACES: [&str; 10] = [
    "begin.mid_write",
    "begin.before_fsync",
    "begin.after_fsync",
    "begin.before_send",
    IN_FLIGHT,
    "begin.after_send",
    "begin.after_receive",
    "keep.mid_write",
    "keep.before_fsync",
    "keep.after_fsync",
];

/// The service has carried the refresh out, and its answer is on the way.
const IN_FLIGHT: &str = "in flight";

/// What one round does.
#[derive(Clone, Copy, Debug)]
struct Round {
    owner: usize,
    place: &'static str,
    /// The owner runs on until the kill gets to it, instead of standing still at the place.
    running: bool,
    reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The owner of the lock is killed.
    Owner,
    /// Every process is killed.
    All,
    /// Every process is killed, and the power goes.
    Power,
}

/// The rounds that a seed means.
#[derive(Debug)]
struct Rounds {
    rng: Rng,
    deck: Vec<(&'static str, bool)>,
}

impl Rounds {
    fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            deck: Vec::new(),
        }
    }

    /// Places come in decks of thirty: each twice to stand still at and once to run on from, so a
    /// third of all rounds kills between send and save, whatever the machine's mood.
    fn draw(&mut self) -> Round {
        if self.deck.is_empty() {
            let thrice = |place| [(place, false), (place, false), (place, true)];
            self.deck.extend(PLACES.into_iter().flat_map(thrice));
            self.rng.shuffle(&mut self.deck);
        }
        let (place, running) = self.deck.pop().unwrap();
        Round {
            owner: self.rng.usize(..PROCESSES),
            place,
            running,
            reach: match self.rng.u8(..10) {
                0..5 => Reach::Owner,
                5..7 => Reach::All,
                _ => Reach::Power,
            },
        }
    }
}

/// What happened.
#[derive(Debug, Default)]
struct Tally {
    rounds: usize,
    kills: usize,
    /// Rounds in which a process died that had spent its token and not saved the answer.
    between_send_and_save: usize,
    power_cuts: usize,
    /// Answers that said: try again.
    transient: usize,
    lost: Vec<Value>,
}

/// The service, a disk, and processes on it.
struct Bench {
    deployment: Deployment,
    disk: FaultyDisk,
    fleet: Fleet,
    tally: Tally,
}

impl Bench {
    async fn new(disk: FaultyDisk, without: Option<&'static str>) -> Self {
        let deployment = service::serve().await;
        let vault = disk.path().join("vault");
        let fleet = Fleet::without(&deployment.issuer(), &vault, PROCESSES, without).await;
        Self {
            deployment,
            disk,
            fleet,
            tally: Tally::default(),
        }
    }

    async fn play(&mut self, round: Round) {
        service::expire(&self.deployment, &mut self.fleet).await;
        let mut owner = self.fleet.children.swap_remove(round.owner);
        let hold = Hold::default();
        if let Err(why) = self.reach_place(&mut owner, round, &hold).await {
            self.tally.rounds += 1;
            self.fleet.children.push(owner);
            return self.lose(round, why).await;
        }
        let mut passed = vec![owner.kill().await];
        if round.reach != Reach::Owner {
            for child in std::mem::take(&mut self.fleet.children) {
                passed.push(child.kill().await);
            }
        }
        if round.reach == Reach::Power {
            self.disk.power_cut();
            self.tally.power_cuts += 1;
        }
        hold.release();
        self.tally.rounds += 1;
        self.tally.kills += passed.len();
        let landed = passed.iter().any(|passed| spent_unsaved(passed))
            || (round.place == IN_FLIGHT && !round.running);
        self.tally.between_send_and_save += usize::from(landed);
        self.go_on(round).await;
    }

    /// `owner` takes the lock and refreshes as far as the round wants it, the others wait.
    async fn reach_place(
        &mut self,
        owner: &mut Child,
        round: Round,
        hold: &Hold,
    ) -> Result<(), Value> {
        if round.place == IN_FLIGHT {
            let fault = Fault::HoldAnswer(hold.clone());
            self.deployment.proxy.next(TOKEN, fault, 1);
        } else if !round.running {
            owner.order(&format!("hold {}", round.place)).await;
        }
        owner.ask(2).await;
        assert_eq!(owner.says("lock").await, "held");
        self.fleet.ask(2).await;
        if round.place != IN_FLIGHT {
            return owner.reaches(round.place, !round.running).await;
        }
        hold.arrived(1).await;
        if round.running {
            hold.release();
        }
        Ok(())
    }

    /// Whoever is left, and whoever takes the place of the killed, is still signed in.
    async fn go_on(&mut self, round: Round) {
        let left = self.fleet.children.len();
        for _ in left..PROCESSES {
            self.fleet.join().await;
        }
        let mut lost = None;
        for (number, child) in self.fleet.children.iter_mut().enumerate() {
            if number >= left {
                child.ask(1).await;
            }
        }
        for number in 0..PROCESSES {
            if let Err(why) = self.token(number).await {
                lost = Some(why);
            }
        }
        if let Some(why) = lost {
            self.lose(round, why).await;
        }
    }

    /// A token, perhaps after transient failures; any other failure is a lost session.
    async fn token(&mut self, number: usize) -> Result<(), Value> {
        let mut tries = 1;
        while let Err(failed) = self.fleet.children[number].answer().await {
            if failed["failed"] != "transient" || tries == 10 {
                return Err(failed);
            }
            tries += 1;
            self.tally.transient += 1;
            let wait = failed["retry_after"].as_u64().unwrap();
            let server = &self.deployment.server;
            server.advance_clock(wait.div_ceil(1000)).await.unwrap();
            self.fleet.try_again(number, &failed).await;
        }
        Ok(())
    }

    /// Notes the loss, and starts over with a new session.
    async fn lose(&mut self, round: Round, why: Value) {
        println!("lost in round {}: {round:?}: {why}", self.tally.rounds);
        self.tally.lost.push(why);
        for child in std::mem::take(&mut self.fleet.children) {
            child.kill().await;
        }
        self.fleet.join().await;
        self.fleet.sign_in().await;
        for _ in 1..PROCESSES {
            self.fleet.join().await;
        }
    }
}

/// Whether somebody who passed these places had used the refresh token and not saved its successor.
fn spent_unsaved(passed: &[String]) -> bool {
    let was_at = |place| passed.iter().any(|passed| passed == place);
    was_at("begin.after_send") && !was_at("keep.after_fsync")
}

fn rounds() -> usize {
    let full = std::env::var_os("TENURE_FULL").is_some();
    if full { ROUNDS_FULL } else { ROUNDS }
}

fn seed() -> u64 {
    let given = std::env::var("TENURE_SEED").ok();
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("TENURE_SEED={seed}");
    seed
}

/// The mounted disk, or `None` after a counted skip.
fn disk(directory: &Path, seed: u64) -> Option<FaultyDisk> {
    let disk = FaultyDisk::mount_or_skip(directory, seed).unwrap();
    if disk.is_none() {
        tenure_lab::skip("no FUSE, so no power cuts under a vault").unwrap();
    }
    disk
}

/// As many rounds as `until` wants.
async fn play(
    seed: u64,
    disk: FaultyDisk,
    without: Option<&'static str>,
    until: impl Fn(&Tally) -> bool,
) -> Tally {
    let (mut rounds, mut bench) = (Rounds::new(seed), Bench::new(disk, without).await);
    while !until(&bench.tally) {
        bench.play(rounds.draw()).await;
    }
    let Bench {
        tally, deployment, ..
    } = bench;
    println!(
        "{} rounds, {} kills, {} rounds between send and save, {} power cuts, {} refreshes, {} \
         tries again, {} sessions lost",
        tally.rounds,
        tally.kills,
        tally.between_send_and_save,
        tally.power_cuts,
        service::refreshes(&deployment),
        tally.transient,
        tally.lost.len(),
    );
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_lost_to_random_kills_and_power_cuts() {
    let (directory, seed) = (TempDir::new().unwrap(), seed());
    let Some(disk) = disk(directory.path(), seed) else {
        return;
    };
    let rounds = rounds();
    let tally = play(seed, disk, None, |tally| tally.rounds == rounds).await;
    assert!(tally.lost.is_empty());
    let landed = tally.between_send_and_save;
    assert!(landed * 10 >= rounds * 3, "only {landed} hit the gap");
    assert!(tally.power_cuts * 10 >= rounds);
}

#[tokio::test(flavor = "multi_thread")]
async fn control_a_vault_without_fsync_loses_sessions_to_the_same_rounds() {
    let (directory, seed) = (TempDir::new().unwrap(), seed());
    let Some(disk) = disk(directory.path(), seed) else {
        return;
    };
    disk.ignore_syncs();
    let tally = play(seed, disk, None, lost_or_over).await;
    assert!(!tally.lost.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn control_a_client_without_the_intent_record_loses_sessions_to_the_same_rounds() {
    let (directory, seed) = (TempDir::new().unwrap(), seed());
    let Some(disk) = disk(directory.path(), seed) else {
        return;
    };
    let tally = play(seed, disk, Some("without-intent"), lost_or_over).await;
    assert!(!tally.lost.is_empty());
}

/// A control has shown what it is for with the first loss.
fn lost_or_over(tally: &Tally) -> bool {
    !tally.lost.is_empty() || tally.rounds == ROUNDS
}
