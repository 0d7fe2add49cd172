//! One day of many processes, event by event. No clock, no thread, no randomness but the seed's: the
//! same setting gives the same day.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use tenure_core::outcome::{self, Dialect, Trouble, classify};
use tenure_core::secret::Secret;
use tenure_core::session::{
    Access, Action, Change, Event, Failure, Found, Lock, Machine, Millis, Moment, Note, Policy,
    Presentation,
};
use tenure_core::time::Timestamp;

use super::device::{Agent, Life, Vault};
use super::server::{Answer, Seen, Server, unavailable};

const START: u64 = 1_800_000_000_000;
const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// A day, in milliseconds.
pub(super) const DAY: u64 = 24 * HOUR;

/// What the SDK's transport gives a request.
const HTTP_TIMEOUT: u64 = 15 * SECOND;

/// What kind of day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) seed: u64,
    /// Signed-in sessions, one per device.
    pub(super) profiles: usize,
    /// Processes on each.
    pub(super) agents: usize,
    /// Lost requests and answers, delays, restarts of the server, killed and suspended processes.
    pub(super) faults: bool,
    /// Control: nobody waits for anybody.
    pub(super) lock: bool,
    /// Control: each process has a vault of its own, copied after the sign-in.
    pub(super) shared: bool,
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Tokens handed out.
    pub(super) tokens: u64,
    /// Of these, past their end by more than the second that `Date` leaves open.
    pub(super) stale: u64,
    /// Requests that were told to try again.
    pub(super) told: u64,
    /// Requests that were told to sign in, and machines that dropped their session.
    pub(super) signed_out: u64,
    pub(super) lost: u64,
    pub(super) restarts: u64,
    pub(super) kills: u64,
    pub(super) suspensions: u64,
}

/// One session at the end of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) seen: Seen,
    /// Answers that the vaults took.
    pub(super) kept: usize,
    pub(super) ended: bool,
}

enum What {
    Restart,
    Of(Life, Box<Task>),
}

enum Task {
    Start,
    Ask,
    Suspend,
    Kill,
    Tell(Event),
    Apply(Change),
    Arrive(Presentation),
    Answer(Result<Answer, Trouble>),
    GiveUp,
    Ring(u32),
}

pub(super) struct World {
    setting: Setting,
    random: fastrand::Rng,
    now: u64,
    serial: u64,
    queue: BTreeMap<(u64, u64), What>,
    server: Server,
    down_until: u64,
    vaults: Vec<Vault>,
    kept: Vec<usize>,
    agents: Vec<Agent>,
    tally: Tally,
}

impl World {
    /// Lives through the day.
    pub(super) fn run(setting: Setting) -> (Tally, Vec<Account>) {
        let mut world = Self::new(setting);
        while let Some(((at, _), what)) = world.queue.pop_first() {
            if at > DAY {
                break;
            }
            world.now = at;
            match what {
                What::Restart => world.restart(),
                What::Of(life, task) => world.step(life, *task),
            }
        }
        let accounts = world.accounts();
        (world.tally, accounts)
    }

    fn new(setting: Setting) -> Self {
        let mut random = fastrand::Rng::with_seed(setting.seed);
        let mut world = Self {
            setting,
            now: 0,
            serial: 0,
            queue: BTreeMap::new(),
            server: Server::new(random.fork()),
            down_until: 0,
            vaults: Vec::new(),
            kept: vec![0; setting.profiles],
            agents: Vec::new(),
            tally: Tally::default(),
            random,
        };
        for _ in 0..setting.profiles {
            world.device();
        }
        if setting.faults {
            world.plan(HOUR..=3 * HOUR, What::Restart);
        }
        world
    }

    /// One sign-in, and the processes that use it.
    fn device(&mut self) {
        let ahead = self.random.i64(-600_000..=600_000);
        let wall = Millis(START.saturating_add_signed(ahead));
        let (lineage, record) = self.server.sign_in(Millis(START).timestamp(), wall);
        for number in 0..self.setting.agents {
            if number == 0 || !self.setting.shared {
                self.vaults.push(Vault::new(lineage, record.clone(), ahead));
            }
            let agent = Agent::new(self.agents.len(), self.vaults.len() - 1);
            let life = agent.life;
            self.agents.push(agent);
            self.later(0..=MINUTE, life, Task::Start);
        }
    }

    fn accounts(&self) -> Vec<Account> {
        let vaults = self.vaults.iter();
        let per_profile = self.vaults.len() / self.setting.profiles;
        let profiles = vaults.step_by(per_profile).enumerate();
        let account = |(profile, vault): (usize, &Vault)| {
            let (seen, ended) = self.server.report(vault.lineage);
            Account {
                seen: seen.clone(),
                kept: self.kept[profile],
                ended: ended.is_some(),
            }
        };
        profiles.map(account).collect()
    }

    fn restart(&mut self) {
        self.tally.restarts += 1;
        self.down_until = self.now + self.random.u64(SECOND..=MINUTE);
        self.plan(HOUR..=3 * HOUR, What::Restart);
    }

    fn step(&mut self, life: Life, task: Task) {
        // What is on its way to the server gets there, whoever sent it.
        if let Task::Arrive(presentation) = &task {
            return self.arrive(life, presentation);
        }
        let agent = &mut self.agents[life.agent];
        if agent.life != life {
            return;
        }
        if agent.suspended > self.now && !matches!(task, Task::Kill) {
            let wait = agent.suspended - self.now;
            return self.later(wait..=wait, life, task);
        }
        match task {
            Task::Start => self.start(life),
            Task::Ask => {
                agent.asking = true;
                self.ask(life);
                self.later(SECOND..=2 * MINUTE, life, Task::Ask);
            }
            Task::Suspend => {
                self.tally.suspensions += 1;
                agent.suspended = self.now + self.random.u64(SECOND..=5 * MINUTE);
            }
            Task::Kill => self.kill(life),
            Task::Tell(event) => self.dispatch(life, event),
            Task::Apply(change) => self.apply(life, &change),
            Task::Answer(answer) => self.answered(life, &answer),
            Task::GiveUp if self.vaults[agent.vault].give_up(life) => {
                self.locked(life, Lock::Busy);
            }
            Task::Ring(timer) if agent.timer == timer => self.dispatch(life, Event::Tick),
            Task::GiveUp | Task::Ring(_) | Task::Arrive(_) => {}
        }
    }

    fn start(&mut self, life: Life) {
        let policy = Policy {
            background: life.agent.is_multiple_of(2),
            ..Policy::default()
        };
        let (machine, actions) = Machine::new(policy);
        let agent = &mut self.agents[life.agent];
        agent.machine = Some(machine);
        agent.started = self.now;
        self.carry_out(life, actions);
        self.later(0..=MINUTE, life, Task::Ask);
        if self.setting.faults {
            self.later(MINUTE..=4 * HOUR, life, Task::Kill);
            self.later(MINUTE..=8 * HOUR, life, Task::Suspend);
        }
    }

    /// SIGKILL: the operating system frees the lock, everything in memory is gone.
    fn kill(&mut self, life: Life) {
        self.tally.kills += 1;
        self.unlock(life);
        let agent = &mut self.agents[life.agent];
        self.vaults[agent.vault].give_up(life);
        agent.machine = None;
        agent.asking = false;
        agent.suspended = 0;
        agent.life.number += 1;
        let next = agent.life;
        self.later(SECOND..=5 * MINUTE, next, Task::Start);
    }

    fn ask(&mut self, life: Life) {
        let now = self.moment(life);
        let agent = &mut self.agents[life.agent];
        let Some(machine) = &mut agent.machine else {
            return;
        };
        let (access, actions) = machine.request(Millis(0), now);
        agent.asking = access == Access::Wait;
        match access {
            Access::Wait => {}
            Access::Ready(token) => {
                self.tally.tokens += 1;
                let good_until = Server::ends(token.token.expose()) + Duration::from_secs(1);
                self.tally.stale += u64::from(self.server_time() > good_until);
            }
            Access::Failed(Failure::SignInRequired(_)) => self.tally.signed_out += 1,
            Access::Failed(_) => self.tally.told += 1,
        }
        self.carry_out(life, actions);
    }

    fn dispatch(&mut self, life: Life, event: Event) {
        let now = self.moment(life);
        let agent = &mut self.agents[life.agent];
        let Some(machine) = &mut agent.machine else {
            return;
        };
        let asking = agent.asking;
        let actions = machine.handle(event, now);
        self.carry_out(life, actions);
        if asking {
            self.ask(life);
        }
    }

    fn carry_out(&mut self, life: Life, actions: Vec<Action>) {
        for action in actions {
            self.perform(life, action);
        }
        let now = self.moment(life);
        let agent = &mut self.agents[life.agent];
        agent.timer += 1;
        let timer = agent.timer;
        if let Some(sleep) = agent.machine.as_ref().and_then(|machine| machine.wake(now)) {
            self.later(sleep.0..=sleep.0, life, Task::Ring(timer));
        }
    }

    fn perform(&mut self, life: Life, action: Action) {
        let vault = self.agents[life.agent].vault;
        match action {
            Action::Load => {
                let record = Box::new(self.vaults[vault].record.clone());
                let loaded = Event::Loaded(Ok(Found::Record(record)));
                self.later(1..=20, life, Task::Tell(loaded));
            }
            Action::Lock(_) if !self.setting.lock || self.vaults[vault].lock(life) => {
                self.locked(life, Lock::Held);
            }
            Action::Lock(patience) => {
                let patience = Millis::from(patience).0;
                self.later(patience..=patience, life, Task::GiveUp);
            }
            Action::Unlock => self.unlock(life),
            Action::Commit(change) => self.later(1..=20, life, Task::Apply(change)),
            Action::Send(presentation) => self.send(life, presentation),
            Action::Revoke(_) => panic!("nobody signed out"),
            Action::Note(Note::SessionCleared { .. }) => self.tally.signed_out += 1,
            Action::Note(_) => {}
        }
    }

    fn locked(&mut self, life: Life, lock: Lock) {
        let key = Secret::new(format!("{:032x}", self.random.u128(..)));
        let locked = Event::Locked { lock, key };
        self.later(1..=5, life, Task::Tell(locked));
    }

    fn unlock(&mut self, life: Life) {
        let vault = self.agents[life.agent].vault;
        if let Some(next) = self.vaults[vault].unlock(life) {
            self.locked(next, Lock::Held);
        }
    }

    /// Durable at once; the process hears of it a little later, if it lives.
    fn apply(&mut self, life: Life, change: &Change) {
        let vault = self.agents[life.agent].vault;
        let record = &mut self.vaults[vault].record;
        let kept = change.apply(record) && matches!(change, Change::Keep { .. });
        let changed = Event::Changed(change.step(), Ok(Box::new(record.clone())));
        self.kept[life.agent / self.setting.agents] += usize::from(kept);
        self.later(1..=20, life, Task::Tell(changed));
    }

    fn send(&mut self, life: Life, presentation: Presentation) {
        match self.trouble() {
            Some(trouble) => self.lose(life, trouble),
            None => self.travel(life, Task::Arrive(presentation)),
        }
    }

    fn arrive(&mut self, life: Life, presentation: &Presentation) {
        let answer = if self.now < self.down_until {
            unavailable(self.random.u64(1..=10))
        } else {
            self.server.present(presentation, self.server_time())
        };
        match self.trouble() {
            Some(trouble) => self.lose(life, trouble),
            None => self.travel(life, Task::Answer(Ok(answer))),
        }
    }

    /// What becomes of a message, where the network is bad.
    fn trouble(&mut self) -> Option<Trouble> {
        if !self.setting.faults || self.random.u64(..100) >= 10 {
            return None;
        }
        self.tally.lost += 1;
        self.random.choice([Trouble::Timeout, Trouble::Connection])
    }

    fn lose(&mut self, life: Life, trouble: Trouble) {
        let wait = match trouble {
            Trouble::Timeout => HTTP_TIMEOUT,
            _ => 200,
        };
        self.later(wait..=wait, life, Task::Answer(Err(trouble)));
    }

    fn travel(&mut self, life: Life, task: Task) {
        let slow = self.setting.faults && self.random.u64(..100) < 10;
        let delay = if slow { SECOND..=5 * SECOND } else { 10..=200 };
        self.later(delay, life, task);
    }

    fn answered(&mut self, life: Life, answer: &Result<Answer, Trouble>) {
        let reply = match answer {
            Ok(answer) => Ok(outcome::Answer {
                status: answer.status,
                retry_after: answer.retry_after.as_deref(),
                body: answer.body.as_bytes(),
            }),
            Err(trouble) => Err(*trouble),
        };
        let now = self.moment(life).wall.timestamp();
        let outcome = classify(&reply, &Dialect::OAUTH2, now);
        let date = answer.as_ref().ok().map(|_| self.server_time());
        self.dispatch(life, Event::Answered { outcome, date });
    }

    fn later(&mut self, after: RangeInclusive<u64>, life: Life, task: Task) {
        self.plan(after, What::Of(life, Box::new(task)));
    }

    fn plan(&mut self, after: RangeInclusive<u64>, what: What) {
        let at = self.now + self.random.u64(after);
        self.serial += 1;
        self.queue.insert((at, self.serial), what);
    }

    fn server_time(&self) -> Timestamp {
        Millis(START + self.now).timestamp()
    }

    fn moment(&mut self, life: Life) -> Moment {
        let agent = &self.agents[life.agent];
        let ahead = self.vaults[agent.vault].ahead;
        Moment {
            wall: Millis((START + self.now).saturating_add_signed(ahead)),
            mono: Millis(self.now - agent.started),
            dice: self.random.u64(..),
        }
    }
}
