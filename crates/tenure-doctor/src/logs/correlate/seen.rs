//! Users that were answered well, in fixed memory: later users take the places of earlier ones, and
//! none is ever taken for another.

/// Places; 512 KiB.
const PLACES: usize = 1 << 15;

/// Answers that are looked at after each refusal, so that a log full of refusals stays fast.
const LOOKS: u8 = 2;

/// When users were last answered well, and which of them were refused.
#[derive(Debug)]
pub(in crate::logs) struct Seen {
    places: Box<[Place]>,
    /// Restarts so far, and one.
    pub(in crate::logs) now: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    user: u64,
    epoch: u32,
    looks: u8,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            places: vec![Place::default(); PLACES].into_boxed_slice(),
            now: 1,
        }
    }
}

impl Seen {
    /// A good answer to this user; whether it deserves a closer look.
    pub(in crate::logs) fn good(&mut self, user: u64) -> bool {
        let now = self.now;
        let Some(place) = self.place(user) else {
            return false;
        };
        if place.user != user {
            *place = Place {
                user,
                ..Place::default()
            };
        }
        place.epoch = now;
        let look = place.looks > 0;
        place.looks = place.looks.saturating_sub(1);
        look
    }

    /// A refusal of this user: the next good answers deserve a look.
    pub(super) fn watch(&mut self, user: u64) {
        if let Some(place) = self.place(user) {
            if place.user != user {
                *place = Place {
                    user,
                    ..Place::default()
                };
            }
            place.looks = LOOKS;
        }
    }

    /// The restart before which this user was last answered well; 0 for never.
    pub(super) fn epoch(&mut self, user: u64) -> u32 {
        self.place(user)
            .filter(|place| place.user == user)
            .map_or(0, |place| place.epoch)
    }

    fn place(&mut self, user: u64) -> Option<&mut Place> {
        let at = usize::try_from(user % PLACES as u64).unwrap_or_default();
        self.places.get_mut(at)
    }
}
