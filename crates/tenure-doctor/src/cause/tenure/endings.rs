//! Sessions that the service ended, and says why (`tenure_reason`).

use super::{signs, texts};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::weight::{Prior, Strength};

const REFRESH: Step = Step::Probe(Probe::Refresh);
const AUDIT: Step = Step::Supply(
    "the service's log or audit trail",
    "tenure doctor logs FILE",
);

pub(super) const ENDED_ON_PURPOSE: Cause = Cause {
    id: "TN0701",
    title: "somebody ended the session on purpose",
    layer: Layer::Tenure,
    prior: Prior::Usual,
    story: "The user signed out here or from another device, an administrator ended the session, or \
            the password was changed, which ends all sessions. The service answers refreshes with \
            `invalid_grant` and names the reason in `tenure_reason`. Access tokens that are out stay \
            good until they expire.",
    signs: &[(&signs::ENDED_ON_PURPOSE, Strength::Marks)],
    against: &[],
    settled_by: &[&[&signs::ENDED_ON_PURPOSE]],
    ruled_out_by: &[],
    fix: "Nothing is broken: the user signs in again. If nobody knows of it, look at the audit trail for \
          who asked for the end, and from where.",
    next: &[REFRESH, AUDIT],
    references: &["https://www.rfc-editor.org/rfc/rfc6749#section-5.2"],
};

pub(super) const ACCOUNT_DISABLED: Cause = Cause {
    id: "TN0702",
    title: "the account is disabled",
    layer: Layer::Tenure,
    prior: Prior::Usual,
    story: "An administrator disabled or deleted the account, which ends its sessions and refuses \
            sign-ins. Refreshes are answered `invalid_grant` with `tenure_reason` `account_disabled`.",
    signs: &[
        (&signs::ACCOUNT_DISABLED, Strength::Marks),
        (&texts::ACCOUNT_DISABLED, Strength::Points),
        (&texts::ACCOUNT_DISABLED_AUDIT, Strength::Points),
    ],
    against: &[],
    settled_by: &[
        &[&signs::ACCOUNT_DISABLED],
        &[&texts::ACCOUNT_DISABLED_AUDIT, &signs::ENDED_UNSAID],
    ],
    ruled_out_by: &[],
    fix: "Enable the account again if that was a mistake; its user signs in anew, since ended sessions \
          do not come back.",
    next: &[REFRESH, AUDIT],
    references: &["https://www.rfc-editor.org/rfc/rfc6749#section-5.2"],
};

pub(super) const CLIENT_REMOVED: Cause = Cause {
    id: "TN0703",
    title: "the client is no longer registered",
    layer: Layer::Tenure,
    prior: Prior::Usual,
    story: "The app's client was taken out of the configuration, or renamed, while apps in the field \
            still name it. Their sessions end with `tenure_reason` `client_removed` at the next refresh, \
            and new sign-ins are answered `invalid_client`.",
    signs: &[
        (&signs::CLIENT_REMOVED, Strength::Marks),
        (&texts::CLIENT_REMOVED, Strength::Marks),
        (&signs::NOT_REGISTERED, Strength::Marks),
        (&texts::UNKNOWN_CLIENT, Strength::Hints),
    ],
    against: &[],
    settled_by: &[
        &[&signs::CLIENT_REMOVED],
        &[&texts::CLIENT_REMOVED],
        &[&signs::NOT_REGISTERED],
    ],
    ruled_out_by: &[],
    fix: "Put the client back under its old id and reload the service; sessions that it refused \
          meanwhile are over. Retire a client only when no app names it any more.",
    next: &[REFRESH, AUDIT],
    references: &["https://www.rfc-editor.org/rfc/rfc6749#section-5.2"],
};

pub(super) const COPIED: Cause = Cause {
    id: "TN0704",
    title: "the sign-in was copied: two holders of one refresh token went on",
    layer: Layer::Tenure,
    prior: Prior::Rare,
    story: "Two holders used successors of one refresh token, so there are two copies of the sign-in: a \
            restored backup, a cloned device or profile, two processes with stores of their own, or a \
            thief. The service ended the session with `tenure_reason` `theft_detected`. A mere \
            repetition of a lost answer does not lead here.",
    signs: &[
        (&signs::THEFT, Strength::Marks),
        (&texts::THEFT, Strength::Marks),
    ],
    against: &[],
    settled_by: &[&[&signs::THEFT], &[&texts::THEFT, &signs::IN_ITS_FORM]],
    ruled_out_by: &[],
    fix: "Look up both addresses and devices in the audit event. If it was a copy of one's own, keep the \
          session out of backups and give each process the same vault; otherwise treat it as a theft: \
          end the user's other sessions and find out how the token left the device.",
    next: &[REFRESH, AUDIT],
    references: &["https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2"],
};

pub(super) const OVER: Cause = Cause {
    id: "TN0712",
    title: "the session's idle limit or lifetime is over",
    layer: Layer::Tenure,
    prior: Prior::Usual,
    story: "Nobody refreshed the session for the idle limit, or it reached its absolute lifetime. Both \
            are settings of the service; refreshes are answered `invalid_grant` with `tenure_reason` \
            `expired_idle` or `expired_absolute`.",
    signs: &[
        (&signs::OVER, Strength::Marks),
        (&signs::ENDED_UNSAID, Strength::Points),
    ],
    against: &[
        (&texts::ACCOUNT_DISABLED, Strength::Suggests),
        (&texts::ACCOUNT_DISABLED_AUDIT, Strength::Points),
    ],
    settled_by: &[&[&signs::OVER]],
    ruled_out_by: &[],
    fix: "Nothing is broken: the user signs in again. If users come back after longer pauses than that, \
          raise the idle limit; sessions that are over stay over.",
    next: &[REFRESH, AUDIT],
    references: &["https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2"],
};
