//! Shared secrets, and the algorithm.

use super::signs::{
    claims, clocks, expiry, prevailing, products, published, reasons, refusals, rivals, secrets,
};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{drift, keys, logs, probes, token};
use crate::weight::{Prior, Strength};

pub(super) const DIFFERENT: Cause = Cause {
    id: "TN0407",
    title: "issuer and verifier have different shared secrets",
    layer: Layer::Framework,
    prior: Prior::Common,
    story: "Tokens with an `HS` algorithm are signed and verified with one secret. Here the two sides do not have the same one: one \
            reads `JWT_SECRET` and the other `JWT_SIGNING_KEY`, a default is left in one environment, or a rotation reached one of \
            them only. Every token of that environment fails, those of fresh sign-ins too.",
    signs: &[
        (&keys::SECRETS_DISAGREE, Strength::Marks),
        (&secrets::SECRETS_UNLIKE, Strength::Points),
        (&secrets::SECRET_FAILS, Strength::Points),
        (&secrets::SHARED_SECRET, Strength::Suggests),
        (&reasons::SIGNATURE, Strength::Suggests),
        (&reasons::LOG_SIGNATURE, Strength::Hints),
        (&probes::FAILS_AS_FORGED, Strength::Suggests),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&secrets::ONE_SECRET_TWO_FORMS, Strength::Marks),
        (&secrets::RIGHT_SECRET_REFUSED, Strength::Points),
        (&secrets::KEY_PAIR, Strength::Marks),
        (&keys::OTHER_FORM, Strength::Points),
        (&drift::SECRET_FORMS_DIFFER, Strength::Points),
        (&probes::FLIPS, Strength::Marks),
        (&refusals::FLIPS_AS_FORGED, Strength::Points),
        (&logs::WORKERS_DISAGREE, Strength::Points),
        (&logs::AFTER_RESTART, Strength::Points),
        (&reasons::LOG_RANDOM, Strength::Points),
        (&probes::SIGNATURE_PASSES, Strength::Marks),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
        (&clocks::BEGINS_AFTER_SERVER, Strength::Suggests),
        (&token::BROKEN, Strength::Points),
    ],
    settled_by: &[
        &[
            &keys::SECRETS_DISAGREE,
            &secrets::SHARED_SECRET,
            &refusals::ALWAYS_REFUSED,
            &refusals::IN_ORDER,
            &probes::FAILS_AS_FORGED,
        ],
        &[
            &secrets::SECRETS_UNLIKE,
            &secrets::SHARED_SECRET,
            &refusals::ALWAYS_REFUSED,
            &reasons::SIGNATURE,
        ],
        &[
            &secrets::SECRET_FAILS,
            &secrets::SHARED_SECRET,
            &refusals::ALWAYS_REFUSED,
            &reasons::SIGNATURE,
        ],
        &[
            &keys::SECRETS_DISAGREE,
            &secrets::SHARED_SECRET,
            &refusals::ALWAYS_REFUSED,
            &reasons::SIGNATURE,
        ],
    ],
    ruled_out_by: &[
        &rivals::SIGNATURE_OF_ANOTHER,
        &secrets::ONE_SECRET_TWO_FORMS,
        &secrets::KEY_PAIR,
        &token::OPAQUE,
        &token::ENCRYPTED,
    ],
    fix: "Take the secret from one place under one name for both sides, and let each refuse to start without it. Compare \
          fingerprints, never the values. Restart both: a variable is read at start. Where parties are more than one, sign with a \
          key pair, so that verifiers need nothing secret.",
    next: &[
        Step::Supply("the secrets of both sides", "--keys NAME.secret"),
        Step::Supply("the configuration of both sides", "--files FILE"),
        Step::Probe(Probe::Garbage),
        Step::Probe(Probe::Old),
        Step::Probe(Probe::Again(1)),
        Step::Probe(Probe::Again(2)),
    ],
    references: &["https://www.rfc-editor.org/rfc/rfc7518#section-3.2"],
};

pub(super) const OTHER_FORM: Cause = Cause {
    id: "TN0408",
    title: "one side decodes the shared secret or keeps a blank that the other does not",
    layer: Layer::Framework,
    prior: Prior::Usual,
    story: "Both sides are given the same text and make different bytes of it: one takes it for base64 and decodes it, or a line end \
            came along with the file that the secret is mounted from. Compared by eye the two are equal, and every signature fails.",
    signs: &[
        (&secrets::ONE_SECRET_TWO_FORMS, Strength::Marks),
        (&secrets::DECODED_BY_SETTING, Strength::Marks),
        (&secrets::RIGHT_SECRET_REFUSED, Strength::Points),
        (&keys::OTHER_FORM, Strength::Marks),
        (&drift::SECRET_FORMS_DIFFER, Strength::Marks),
        (&secrets::SHARED_SECRET, Strength::Hints),
        (&reasons::SIGNATURE, Strength::Hints),
        (&probes::FAILS_AS_FORGED, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&clocks::BEGINS_AFTER_SERVER, Strength::Points),
        (&secrets::KEY_PAIR, Strength::Marks),
        (&probes::FLIPS, Strength::Suggests),
        (&probes::SIGNATURE_PASSES, Strength::Marks),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&expiry::EXPIRED_WHEN_SENT, Strength::Suggests),
    ],
    settled_by: &[
        &[
            &secrets::DECODED_BY_SETTING,
            &refusals::ALWAYS_REFUSED,
            &reasons::SIGNATURE,
        ],
        &[
            &secrets::ONE_SECRET_TWO_FORMS,
            &refusals::ALWAYS_REFUSED,
            &reasons::SIGNATURE,
        ],
        &[
            &secrets::ONE_SECRET_TWO_FORMS,
            &refusals::ALWAYS_REFUSED,
            &refusals::IN_ORDER,
            &probes::FAILS_AS_FORGED,
            &reasons::NO_REASON,
        ],
        &[
            &keys::OTHER_FORM,
            &refusals::ALWAYS_REFUSED,
            &refusals::IN_ORDER,
            &probes::FAILS_AS_FORGED,
        ],
        &[
            &keys::OTHER_FORM,
            &refusals::TURNED_AWAY,
            &reasons::SIGNATURE,
        ],
        &[
            &drift::SECRET_FORMS_DIFFER,
            &refusals::ALWAYS_REFUSED,
            &refusals::IN_ORDER,
            &probes::FAILS_AS_FORGED,
        ],
    ],
    ruled_out_by: &[&secrets::KEY_PAIR, &token::OPAQUE, &token::ENCRYPTED],
    fix: "Agree on what the text stands for. Libraries differ in what they take a string for (jjwt's older calls decode base64, most \
          others use the characters), so decode explicitly on both sides or on neither. Trim what is read from a file; write \
          secrets with `printf`, not `echo`.",
    next: &[
        Step::Supply(
            "the secret as it stands at either side",
            "--keys NAME.secret",
        ),
        Step::Supply("the configuration of both sides", "--files FILE"),
        Step::Probe(Probe::Garbage),
    ],
    references: &[
        "dgrijalva/jwt-go#81",
        "jwtk/jjwt#248",
        "auth0/node-jsonwebtoken#584",
        "auth0/java-jwt#13",
        "DCIT/perl-Crypt-JWT#40",
    ],
};

pub(super) const MADE_UP: Cause = Cause {
    id: "TN0409",
    title: "each start or replica makes up a signing key of its own",
    layer: Layer::Framework,
    prior: Prior::Usual,
    story: "No key is configured, so the process makes one when it starts. Tokens from before a restart fail after it, and with \
            several replicas only the one that signed a token accepts it: with n of them about one request in n gets through. Users \
            call it random sign-outs.",
    signs: &[
        (&reasons::RANDOM, Strength::Marks),
        (&secrets::MADE_UP_BY_PROGRAM, Strength::Marks),
        (&prevailing::MOSTLY_SIGNATURE, Strength::Suggests),
        (&reasons::LOG_RANDOM, Strength::Marks),
        (&logs::AFTER_RESTART, Strength::Suggests),
        (&refusals::FLIPS_AS_FORGED, Strength::Points),
        (&probes::FLIPS, Strength::Suggests),
        (&logs::WORKERS_DISAGREE, Strength::Suggests),
        (&reasons::SIGNATURE, Strength::Suggests),
        (&reasons::LOG_SIGNATURE, Strength::Suggests),
        (&secrets::SHARED_SECRET, Strength::Suggests),
    ],
    against: &[
        (&published::PUBLISHED_KEY_VERIFIES, Strength::Points),
        (&reasons::KID, Strength::Hints),
        (&logs::IN_MEMORY, Strength::Points),
        (&probes::SIGNATURE_PASSES, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Points),
        (&refusals::ALWAYS_REFUSED, Strength::Suggests),
    ],
    settled_by: &[
        &[&reasons::LOG_RANDOM, &logs::AFTER_RESTART],
        &[&secrets::MADE_UP_BY_PROGRAM, &logs::AFTER_RESTART],
        &[&secrets::MADE_UP_BY_PROGRAM, &logs::WORKERS_DISAGREE],
        &[&secrets::MADE_UP_BY_PROGRAM, &refusals::FLIPS_AS_FORGED],
        &[&secrets::MADE_UP_BY_PROGRAM, &prevailing::MOSTLY_SIGNATURE],
        &[&reasons::LOG_RANDOM, &refusals::FLIPS_AS_FORGED],
        &[&reasons::LOG_RANDOM, &logs::WORKERS_DISAGREE],
        &[&reasons::LOG_RANDOM, &reasons::LOG_SIGNATURE],
        &[&reasons::LOG_RANDOM, &reasons::SIGNATURE],
    ],
    ruled_out_by: &[],
    fix: "Configure one key for all replicas, keep it outside the process (a secrets manager, a mounted file), and let the process \
          refuse to start without one. Sticky sessions at the load balancer only hide this until the next deployment.",
    next: &[
        Step::Probe(Probe::Again(1)),
        Step::Probe(Probe::Again(2)),
        Step::Probe(Probe::Again(3)),
        Step::Probe(Probe::Again(4)),
        Step::Supply(
            "the log of the service from its start on",
            "tenure doctor logs FILE",
        ),
    ],
    references: &[
        "keboola/mcp-server#508",
        "kubestellar/console#8059",
        "spring-projects/spring-authorization-server#1015",
    ],
};

pub(super) const ALGORITHM: Cause = Cause {
    id: "TN0410",
    title: "the issuer signs with another algorithm than the verifier allows",
    layer: Layer::GatewayVerifier,
    prior: Prior::Usual,
    story: "The issuer has moved to another algorithm, often from a shared secret (HS256) to a key pair (ES256, RS256), and the \
            verifier's list of allowed algorithms or its kind of key did not follow. Old tokens pass until they expire, new ones \
            fail. That the list is strict is right: a verifier that takes the algorithm from the token can be tricked.",
    signs: &[
        (&reasons::ALGORITHM, Strength::Marks),
        (&reasons::LOG_ALGORITHM, Strength::Points),
        (&secrets::ALGORITHM_NOT_ALLOWED, Strength::Marks),
        (&rivals::OTHER_ALGORITHM_ACCEPTED, Strength::Marks),
        (&secrets::KEYS_OF_OTHER_KIND, Strength::Points),
        (&drift::ALGORITHMS_DIFFER, Strength::Suggests),
        (&probes::FAILS_AS_FORGED, Strength::Hints),
    ],
    against: &[
        (&probes::ACCEPTED, Strength::Points),
        (&probes::ALWAYS_ACCEPTED, Strength::Marks),
        (&reasons::SIGNATURE, Strength::Hints),
        (&reasons::EXPIRED, Strength::Points),
        (&reasons::AUDIENCE, Strength::Points),
        (&products::SPECIAL_ANSWER, Strength::Hints),
    ],
    settled_by: &[
        &[
            &secrets::ALGORITHM_NOT_ALLOWED,
            &claims::ONE_CONTRADICTION,
            &refusals::ALWAYS_REFUSED,
            &expiry::NOT_EXPIRED,
            &reasons::NO_REASON,
        ],
        &[&prevailing::MOSTLY_ALGORITHM, &refusals::SOME_TURNED_AWAY],
        &[&reasons::ALGORITHM, &refusals::ALWAYS_REFUSED],
        &[
            &secrets::ALGORITHM_NOT_ALLOWED,
            &rivals::OTHER_ALGORITHM_ACCEPTED,
            &refusals::ALWAYS_REFUSED,
        ],
        &[
            &rivals::OTHER_ALGORITHM_ACCEPTED,
            &refusals::IN_ORDER,
            &probes::FAILS_AS_FORGED,
        ],
    ],
    ruled_out_by: &[&token::OPAQUE, &token::ENCRYPTED],
    fix: "Add the new algorithm and its keys to the verifier, keep the old ones until the last old token has run out, then take them \
          out. Let the list be fixed in the verifier. Amazon API Gateway's JWT authorizers know RSA only: there the issuer has to \
          keep an RSA key.",
    next: &[
        Step::Supply("the verifier's configuration", "--files FILE"),
        Step::Probe(Probe::Jwks),
        Step::Probe(Probe::Old),
        Step::Probe(Probe::OtherToken),
    ],
    references: &[
        "supabase/cli#4726",
        "supabase/supabase#42244",
        "supabase/supabase#44530",
        "https://www.rfc-editor.org/rfc/rfc8725#section-3.1",
    ],
};
