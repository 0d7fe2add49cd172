//! Evidence in a few words, and what must follow from it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use tenure_core::secret::Secret;
use tenure_core::time::Timestamp;
use tenure_doctor::case::{Inputs, Text};
use tenure_doctor::exchange::{Answer, Exchange, Failure, Sent};
use tenure_doctor::{Evidence, Outcome, Verdict, collect, diagnose};

/// The moment at which the doctor looks, unless [`Facts::now`] says otherwise.
pub const NOW: u64 = 1_790_000_000;

/// The client's URL, unless [`Facts::requested`] says otherwise.
pub const URL: &str = "https://api.example/v1/things";

/// Header fields of an answer: names in lower case.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// A change to evidence that no inputs lead to.
type Change = Box<dyn Fn(&mut Evidence)>;

/// What is given to the doctor; collected like a user's own.
pub struct Facts {
    inputs: Inputs,
    changes: Vec<Change>,
}

/// Nothing yet.
pub fn facts() -> Facts {
    Facts {
        inputs: Inputs {
            now: Timestamp(NOW),
            ..Inputs::default()
        },
        changes: Vec::new(),
    }
}

impl Facts {
    /// A probe (`client`, `again-1`, …) and its answer. The request is [`URL`] with a bearer token, or
    /// without for the probes whose name begins with `bare`.
    pub fn answer(self, probe: &str, status: u16, headers: Headers<'_>, body: &str) -> Self {
        let answer = Answer {
            status,
            headers: owned(headers),
            body: body.to_owned(),
            body_bytes: body.len() as u64,
        };
        self.exchange(probe, Ok(answer))
    }

    /// The same plain answer to several probes.
    pub fn answers(self, probes: &[&str], status: u16, headers: Headers<'_>, body: &str) -> Self {
        probes.iter().fold(self, |facts, probe| {
            facts.answer(probe, status, headers, body)
        })
    }

    /// A probe to which no answer came.
    pub fn failed(self, probe: &str, failure: Failure) -> Self {
        self.exchange(probe, Err(failure))
    }

    fn exchange(mut self, probe: &str, result: Result<Answer, Failure>) -> Self {
        let method = if probe == "preflight" {
            "OPTIONS"
        } else {
            "GET"
        };
        let bearer: Headers<'_> = &[("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln")];
        let bare = probe.starts_with("bare") || probe == "preflight";
        self.inputs.exchanges.push(Exchange {
            probe: probe.parse().unwrap(),
            request: Sent {
                method: method.to_owned(),
                url: URL.to_owned(),
                headers: owned(if bare { &[] } else { bearer }),
                body_bytes: 0,
            },
            result,
            at: self.inputs.now,
            took_ms: 5,
            address: None,
        });
        self
    }

    /// What the last probe sent, in place of the usual.
    pub fn requested(mut self, method: &str, url: &str, headers: Headers<'_>) -> Self {
        let last = self.inputs.exchanges.last_mut().unwrap();
        method.clone_into(&mut last.request.method);
        url.clone_into(&mut last.request.url);
        last.request.headers = owned(headers);
        self
    }

    /// The moment at which the doctor looks, for what follows.
    pub fn now(mut self, seconds: u64) -> Self {
        self.inputs.now = Timestamp(seconds);
        self
    }

    /// The token that the client presents, raw; see [`jwt`].
    pub fn token(mut self, text: &str) -> Self {
        self.inputs.token = Some(Secret::new(text));
        self
    }

    /// A kept old token.
    pub fn old_token(mut self, text: &str) -> Self {
        self.inputs.old_token = Some(Secret::new(text));
        self
    }

    /// A token of another user or client.
    pub fn other_token(mut self, text: &str) -> Self {
        self.inputs.other_token = Some(Secret::new(text));
        self
    }

    /// A key file of the verifier's side.
    pub fn keys(mut self, name: &str, text: &str) -> Self {
        self.inputs.keys.push(named(name, text));
        self
    }

    /// A configuration file.
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.inputs.files.push(named(name, text));
        self
    }

    /// A log or HAR file.
    pub fn log(mut self, name: &str, text: &str) -> Self {
        self.inputs.logs.push(named(name, text));
        self
    }

    /// Changes what was collected: for evidence that no inputs lead to.
    pub fn but(mut self, change: impl Fn(&mut Evidence) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// All of it, collected.
    pub fn evidence(&self) -> Evidence {
        let mut evidence = collect(&self.inputs);
        for change in &self.changes {
            change(&mut evidence);
        }
        evidence
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.evidence().fmt(f)
    }
}

/// A token that is valid for ten minutes at [`NOW`], with these claims added or (null) left out.
pub fn jwt(claims: &Value) -> String {
    let usual = json!({
        "iss": "https://issuer.example", "aud": "api", "sub": "u1",
        "iat": NOW - 300, "exp": NOW + 600,
    });
    jwt_of(
        &json!({"alg": "RS256", "kid": "k1", "typ": "JWT"}),
        &merged(usual, claims),
    )
}

/// A token of this header and these claims; its signature is none.
pub fn jwt_of(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        BASE64.encode([7; 256])
    )
}

fn merged(mut usual: Value, claims: &Value) -> Value {
    for (name, value) in claims.as_object().unwrap() {
        if value.is_null() {
            usual.as_object_mut().unwrap().remove(name);
        } else {
            usual[name] = value.clone();
        }
    }
    usual
}

/// This cause comes first, and is confirmed.
#[track_caller]
pub fn confirms(facts: &Facts, id: &str) {
    let diagnosis = diagnose(&facts.evidence());
    let first = diagnosis.ranked.first();
    let confirmed = first.is_some_and(|it| it.cause.id == id && it.verdict == Verdict::Confirmed);
    assert!(confirmed, "{id} is not confirmed: {}", summary(facts));
    assert_eq!(diagnosis.outcome, Outcome::Found);
}

/// This cause is not confirmed: the most similar evidence that another cause may have.
#[track_caller]
pub fn leaves_open(facts: &Facts, id: &str) {
    assert_ne!(
        verdict(facts, id),
        Some(Verdict::Confirmed),
        "{id}: {}",
        summary(facts)
    );
}

/// This cause comes first, whether confirmed or not.
#[track_caller]
pub fn leads(facts: &Facts, id: &str) {
    let diagnosis = diagnose(&facts.evidence());
    let first = diagnosis.ranked.first().map(|ranked| ranked.cause.id);
    assert_eq!(first, Some(id), "{}", summary(facts));
}

/// Nothing is confirmed or likely, and nobody is turned away.
#[track_caller]
pub fn healthy(facts: &Facts) {
    let diagnosis = diagnose(&facts.evidence());
    assert_eq!(diagnosis.outcome, Outcome::Healthy, "{}", summary(facts));
}

/// What is said of this cause.
pub fn verdict(facts: &Facts, id: &str) -> Option<Verdict> {
    let diagnosis = diagnose(&facts.evidence());
    let of_cause = diagnosis.ranked.iter().find(|ranked| ranked.cause.id == id);
    of_cause.map(|ranked| ranked.verdict)
}

fn summary(facts: &Facts) -> String {
    let diagnosis = diagnose(&facts.evidence());
    let ranked = diagnosis.ranked.iter().map(|ranked| {
        let clues: Vec<_> = ranked
            .evidence
            .iter()
            .map(|clue| clue.says.as_str())
            .collect();
        format!(
            "{} {:?} {:.2} {clues:?}",
            ranked.cause.id, ranked.verdict, ranked.share
        )
    });
    format!("{:?}: {:#?}", diagnosis.outcome, ranked.collect::<Vec<_>>())
}

fn owned(headers: Headers<'_>) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn named(name: &str, text: &str) -> Text {
    Text {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}
