//! What random histories are made of: wishes, and the worlds that they happen in.

use super::world::{Action, Bounds, Setting, World, rules};

const HOUR: u64 = 3_600;
pub(crate) const DAY: u64 = 24 * HOUR;
const TICKS: &[u64] = &[1, 20, 59, 61, HOUR, 25 * HOUR];

/// How often each is wished for, in proportion.
pub(crate) const WISHES: [(u32, Wish); 13] = [
    (16, Wish::Present),
    (16, Wish::Deliver),
    (8, Wish::Duplicate),
    (20, Wish::Write),
    (2, Wish::Crash),
    (14, Wish::Save),
    (1, Wish::Logout),
    (2, Wish::Copy),
    (6, Wish::Attack),
    (6, Wish::Tick),
    (4, Wish::Backup),
    (3, Wish::Restore),
    (1, Wish::Key),
];

/// Ring and idle limit, seconds, of every kind of world.
pub(crate) const KINDS: [(usize, u64); 4] = [
    (2, 400 * DAY),
    (4, 400 * DAY),
    (16, 400 * DAY),
    (4, 2 * HOUR),
];

/// What a history wants next; it happens where it can.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish {
    Present,
    Deliver,
    Duplicate,
    Write,
    Crash,
    Save,
    Logout,
    Copy,
    Attack,
    Tick,
    Backup,
    Restore,
    Key,
}

impl Wish {
    fn fits(self, action: Action) -> bool {
        matches!(
            (self, action),
            (Self::Present, Action::Present)
                | (Self::Deliver, Action::Deliver { .. })
                | (Self::Duplicate, Action::Duplicate { .. })
                | (Self::Write, Action::Write { .. })
                | (Self::Crash, Action::Crash { .. })
                | (Self::Save, Action::Save { .. })
                | (Self::Logout, Action::Logout)
                | (Self::Copy, Action::Copy)
                | (Self::Attack, Action::Attack { .. })
                | (Self::Tick, Action::Tick(_))
                | (Self::Backup, Action::Backup)
                | (Self::Restore, Action::Restore { .. })
                | (Self::Key, Action::RotateKey | Action::DistributeKey)
        )
    }
}

/// What happens where this is wished for; `None` where nothing of the kind can.
pub(crate) fn granted(
    world: &World,
    setting: &Setting,
    (wish, choice): (Wish, u8),
) -> Option<Action> {
    let mut actions = vec![];
    world.actions(setting, &mut actions);
    actions.retain(|action| wish.fits(*action));
    let place = usize::from(choice).checked_rem(actions.len())?;
    actions.get(place).copied()
}

/// A world with the default late window.
pub(crate) fn setting(thief: bool, keyed: bool, ring: usize, idle: u64) -> Setting {
    let bounds = Bounds {
        presentations: u16::MAX,
        copies: u16::MAX,
        attacks: if thief { u16::MAX } else { 0 },
        restores: u16::MAX,
        backups: 6,
        ticks: TICKS,
        end: u64::MAX,
        logout: true,
        rotation: true,
    };
    Setting::new(rules(60, ring), (idle, 1000 * DAY), keyed, bounds)
}
