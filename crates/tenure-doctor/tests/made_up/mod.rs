//! Causes that do not exist, and what would be seen of them.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "test code; each test file uses its own part of this"
)]

use serde_json::json;
use tenure_core::time::Timestamp;
use tenure_doctor::cause::{Cause, Layer, Step};
use tenure_doctor::layer::Answered;
use tenure_doctor::probe::Probe;
use tenure_doctor::sign::Sign;
use tenure_doctor::{Clue, Diagnosis, Evidence, Outcome, Prior, Ranked, Source, Strength, Verdict};

static SAME: Sign = Sign {
    name: "same-with-and-without",
    means: "the answer is the same with and without the token",
    find: |_| Vec::new(),
};
static DIRECT: Sign = Sign {
    name: "direct-works",
    means: "behind the proxy the same request is answered with 200",
    find: |_| Vec::new(),
};

pub const HEADER_DROPPED: Cause = Cause {
    id: "TN9901",
    title: "a proxy that was made up drops the header",
    layer: Layer::Proxy,
    prior: Prior::Usual,
    story: "The proxy passes the request on without its Authorization header. The service sees nobody and \
            says so, whatever token was sent.",
    signs: &[(&SAME, Strength::Points)],
    against: &[],
    settled_by: &[&[&SAME, &DIRECT]],
    ruled_out_by: &[],
    fix: "Pass the header on, then load the proxy's configuration again.",
    next: &[
        Step::Probe(Probe::Direct),
        Step::Supply("the proxy's configuration", "--files proxy.conf"),
    ],
    references: &["RFC 9110, section 11.6.2"],
};

pub const CLOCK_SLOW: Cause = Cause {
    id: "TN9902",
    title: "a clock that was made up is slow",
    layer: Layer::Framework,
    ..HEADER_DROPPED
};

pub const EXPIRED: Cause = Cause {
    id: "TN9903",
    title: "a token that was made up has expired",
    layer: Layer::Client,
    ..HEADER_DROPPED
};

pub static CAUSES: [Cause; 3] = [HEADER_DROPPED, CLOCK_SLOW, EXPIRED];

fn clue(says: &str, source: Source) -> Clue {
    Clue {
        says: says.to_owned(),
        source,
        at: None,
    }
}

fn ranked(cause: &'static Cause, verdict: Verdict, share: f64) -> Ranked {
    Ranked {
        cause,
        verdict,
        share,
        evidence: vec![clue(
            "401 with the same body either way",
            Source::Probe(Probe::Bare),
        )],
        against: Vec::new(),
    }
}

/// The first cause is confirmed, the second possible, the third ruled out.
pub fn diagnosis() -> Diagnosis {
    let mut first = ranked(&CAUSES[0], Verdict::Confirmed, 0.91);
    first.evidence.push(Clue {
        at: Some(Timestamp(1_700_000_000)),
        ..clue(
            "the line `<img src=x> @everyone \u{1b}[31m|` drops it",
            Source::File("conf/my proxy.conf".to_owned(), Some(12)),
        )
    });
    let mut second = ranked(&CAUSES[1], Verdict::Possible, 0.06);
    second.against = vec![clue(
        "its Date header is right",
        Source::Probe(Probe::Client),
    )];
    let mut third = ranked(&CAUSES[2], Verdict::RuledOut, 0.0);
    third.evidence.clear();
    third.against = vec![clue("it is good for another 14 minutes", Source::Token)];
    Diagnosis {
        outcome: Outcome::Found,
        symptoms: vec![clue(
            "the client's request is answered with 401",
            Source::Probe(Probe::Client),
        )],
        answered: Some(Answered {
            layer: Layer::Framework,
            product: "Starlette",
            mark: "its body",
        }),
        ranked: vec![first, second, third],
        suppressed: Vec::new(),
        next: Vec::new(),
    }
}

/// Two causes, neither of them likely.
pub fn undecided() -> Diagnosis {
    Diagnosis {
        outcome: Outcome::Undecided,
        answered: None,
        ranked: vec![
            ranked(&CAUSES[0], Verdict::Possible, 0.4),
            ranked(&CAUSES[1], Verdict::Possible, 0.3),
        ],
        next: HEADER_DROPPED.next.to_vec(),
        ..diagnosis()
    }
}

/// A little of everything.
pub fn evidence() -> Evidence {
    let answer = |status: u16| json!({"Ok": {"status": status, "headers": [["server", "nginx/1.22.1"]], "body": "", "body_bytes": 12}});
    let exchange = |probe: &str, result: serde_json::Value| {
        json!({
            "probe": probe,
            "request": {"method": "GET", "url": "http://127.0.0.1:8080/me"},
            "result": result,
            "at": 1_700_000_000_u64,
            "took_ms": 4,
        })
    };
    let evidence = json!({
        "now": 1_700_000_100,
        "exchanges": [
            exchange("client", answer(401)),
            exchange("bare", answer(401)),
            exchange("direct", json!({"Err": "timeout"})),
        ],
        "tokens": [{
            "role": "presented", "source": "token", "fingerprint": "0123456789ab", "length": 812, "shape": "jws",
            "blemishes": ["quoted"], "header": {"alg": "RS256", "kid": "k1"},
            "claims": {"iss": "https://issuer.example", "aud": ["api"], "exp": 1_700_001_000},
            "signatures": [{"keys": "jwks.json", "kid": "k1", "thumbprint": "t", "form": null, "verdict": "good"}],
        }],
        "beliefs": [{
            "about": "issuer", "value": "https://other.example", "name": "ISSUER",
            "source": {"file": [".env", 3]}, "held_by": "verifier", "effective": "restart",
        }],
        "logs": {
            "files": [{"name": "app.log", "lines": 1200, "unread": 1, "formats": {"json": 1199}, "statuses": {"200": 900, "401": 7}}],
            "findings": [{
                "pattern": "refusals", "count": 7, "says": "7 answers are 401", "source": {"log": ["app.log", 88]},
                "first_ms": 1_700_000_000_000_u64, "last_ms": null, "figures": {},
            }],
            "timeline": [
                {"at_ms": 1_700_000_000_000_u64, "actor": "client", "what": "GET /me", "bad": false, "source": {"log": ["app.log", 87]}},
                {"at_ms": 1_700_000_000_040_u64, "actor": "api", "what": "answers 401; <b>", "bad": true, "source": {"log": ["app.log", 88]}},
            ],
        },
        "deployment": [{"name": "ready", "result": "good", "says": "the store answers", "source": {"deployment": "/health/ready"}}],
        "unread": [{"says": "it is not JSON, TOML or YAML", "source": {"file": ["notes.bin", null]}}],
    });
    serde_json::from_value(evidence).unwrap()
}
