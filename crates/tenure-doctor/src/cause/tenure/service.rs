//! A service that cannot do its work.

use super::{signs, texts};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{answer, logs};
use crate::weight::{Prior, Strength};

const HEALTH: Step = Step::Supply("the service's health", "tenure doctor config URL");
const LOG: Step = Step::Supply("the service's log", "tenure doctor logs FILE");

pub(super) const STORE_DOWN: Cause = Cause {
    id: "TN0705",
    title: "the service's store is down, full or read-only",
    layer: Layer::Store,
    prior: Prior::Usual,
    story: "The service cannot read or write its store and answers 503 with `Retry-After`; \
            `/health/ready` names the error. Nobody is signed out by that, unless a client takes 503 for \
            the end. A store that was mounted read-only or failed over to a replica still answers reads.",
    signs: &[
        (&signs::STORE_FAILS, Strength::Marks),
        (&signs::NOT_READY, Strength::Points),
        (&texts::ANSWERED_503, Strength::Suggests),
        (&answer::UNAVAILABLE, Strength::Hints),
    ],
    against: &[
        (&texts::CLOCK_DOUBTED, Strength::Points),
        (&texts::KEY_MISSING, Strength::Points),
    ],
    settled_by: &[&[&signs::STORE_FAILS, &signs::IN_ITS_FORM]],
    ruled_out_by: &[&signs::REFRESHED_NOW],
    fix: "Bring the store back; sessions go on where they were. Let the load balancer look at \
          `/health/ready`, and check that clients keep their session on 503.",
    next: &[Step::Probe(Probe::Refresh), HEALTH, LOG],
    references: &["https://www.rfc-editor.org/rfc/rfc9110#section-15.6.4"],
};

pub(super) const MEMORY_STORE: Cause = Cause {
    id: "TN0706",
    title: "the service ran with --dangerous-memory-store and was restarted",
    layer: Layer::Store,
    prior: Prior::Rare,
    story: "With `--dangerous-memory-store`, sessions are kept in the memory of the process, and end \
            with it. The service says so in its health and in each line of its log about a refresh. \
            After a restart, every refresh is answered `invalid_grant` with `tenure_reason` `unknown`.",
    signs: &[
        (&signs::ON_MEMORY, Strength::Points),
        (&signs::SESSION_UNKNOWN, Strength::Points),
        (&logs::AFTER_RESTART, Strength::Suggests),
    ],
    against: &[],
    settled_by: &[
        &[&signs::ON_MEMORY, &signs::SESSION_UNKNOWN],
        &[&signs::ON_MEMORY, &logs::AFTER_RESTART],
    ],
    ruled_out_by: &[],
    fix: "Configure a durable store (SQLite, PostgreSQL, or Redis with append-only persistence) and drop \
          the flag; users sign in once more.",
    next: &[HEALTH, Step::Probe(Probe::Refresh), LOG],
    references: &["https://www.rfc-editor.org/rfc/rfc6749#section-5.2"],
};

pub(super) const CLOCK: Cause = Cause {
    id: "TN0708",
    title: "the service does not believe its clock",
    layer: Layer::Tenure,
    prior: Prior::Rare,
    story: "The clock jumped, or differs from the store's. The service then ends no session by the time \
            and begins none; refreshes that would need the time are answered 503. Tokens that were \
            issued while the clock was wrong begin in the future or end too early for verifiers whose \
            clock is right.",
    signs: &[
        (&signs::CLOCK_NOT_TRUSTED, Strength::Marks),
        (&texts::CLOCK_DOUBTED, Strength::Marks),
        (&texts::CLOCK_APART, Strength::Marks),
        (&texts::CLOCK_JUMPED, Strength::Points),
    ],
    against: &[],
    settled_by: &[
        &[&signs::CLOCK_NOT_TRUSTED],
        &[&texts::CLOCK_DOUBTED, &signs::IN_ITS_FORM],
        &[&texts::CLOCK_APART, &signs::IN_ITS_FORM],
    ],
    ruled_out_by: &[],
    fix: "Synchronise both machines (chrony, systemd-timesyncd) and wait until the service says \
          `clock_settled` or `clock_agrees`. Tokens from the time of the jump are renewed by a refresh.",
    next: &[HEALTH, Step::Probe(Probe::Refresh), LOG],
    references: &["https://www.rfc-editor.org/rfc/rfc7519#section-4.1.5"],
};

pub(super) const TOO_MANY: Cause = Cause {
    id: "TN0709",
    title: "the service's rate limit",
    layer: Layer::Tenure,
    prior: Prior::Usual,
    story: "More requests came from one network, or refreshes of one session, than `limits` allows, \
            and the service answers 429 or 503 with `Retry-After`. Many users behind one address, a \
            proxy whose address is taken for the client's, or a client that refreshes in a loop lead \
            there.",
    signs: &[
        (&texts::TOO_MANY, Strength::Marks),
        (&texts::TOO_OFTEN, Strength::Marks),
    ],
    against: &[],
    settled_by: &[
        &[&texts::TOO_MANY, &signs::IN_ITS_FORM],
        &[&texts::TOO_OFTEN, &signs::IN_ITS_FORM],
    ],
    ruled_out_by: &[],
    fix: "Name the proxies that may say who the client is, so that users are not counted as one; raise \
          the limit if so many are expected; find the client that loops. Clients wait for `Retry-After` \
          and keep their session.",
    next: &[Step::Probe(Probe::Refresh), LOG],
    references: &["https://www.rfc-editor.org/rfc/rfc6585#section-4"],
};
