//! From what was given to what is known.

use tenure_core::secret::Secret;

use crate::case::Inputs;
use crate::drift;
use crate::exchange::Exchange;
use crate::keys::{self, Material};
use crate::logs::{Analyst, Logs};
use crate::probe::Probe;
use crate::token::{self, Role, Token};
use crate::{Clue, Evidence, Source, redact};

/// Reads everything that was given; what cannot be read is noted in [`Evidence::unread`].
///
/// A function of its arguments: no network, no clock, no files.
pub fn collect(inputs: &Inputs) -> Evidence {
    let mut collected = Collected::new(inputs);
    for exchange in &inputs.exchanges {
        collected.add(exchange);
    }
    collected.evidence
}

/// What is known while probes are still sent: files and logs are read once, and each answer when it comes.
#[derive(Debug)]
pub struct Collected {
    /// What is known by now.
    pub evidence: Evidence,
    /// Those of the evidence, in its order, for keys that come later.
    tokens: Vec<Secret>,
}

impl Collected {
    /// Reads everything but [`Inputs::exchanges`].
    pub fn new(inputs: &Inputs) -> Self {
        let (tokens, read) = tokens(inputs);
        let mut collected = Self {
            evidence: Evidence {
                now: inputs.now,
                tokens: read,
                logs: logs(inputs),
                ..Evidence::default()
            },
            tokens,
        };
        for file in &inputs.keys {
            let source = Source::Keys(redact::id(&file.name));
            collected.keys(&file.name, &file.text, source);
        }
        collected.beliefs(inputs);
        collected
    }

    /// Reads an answer, as it was on the wire.
    pub fn add(&mut self, exchange: &Exchange) {
        self.evidence.exchanges.push(redact::exchange(exchange));
        let asked = matches!(exchange.probe, Probe::Jwks | Probe::Discovery);
        let answer = exchange.result.as_ref().ok();
        if let Some(answer) = answer.filter(|answer| asked && answer.status == 200) {
            let source = Source::Probe(exchange.probe);
            self.keys(&exchange.request.url, &answer.body, source);
        }
    }

    fn keys(&mut self, name: &str, text: &str, source: Source) {
        match keys::read(name, text) {
            Ok(material) => self.check(material),
            Err(why) => self.unread(format!("the keys cannot be read: {why}"), source),
        }
    }

    /// Where it fits the token in any form: otherwise it may be for anything.
    fn mounted(&mut self, name: &str, text: &str) {
        let Some(material) = keys::mounted(name, text) else {
            return;
        };
        let mut tokens = self.evidence.tokens.iter().zip(&self.tokens);
        let fits = tokens.any(|(token, text)| {
            let mut tried = Token {
                signatures: Vec::new(),
                ..token.clone()
            };
            token::check(&mut tried, text.expose(), &material);
            let good = |check: &token::SignatureCheck| check.verdict == token::Signature::Good;
            tried.signatures.iter().any(good)
        });
        if fits {
            self.check(material);
        }
    }

    fn check(&mut self, material: Material) {
        for (token, text) in self.evidence.tokens.iter_mut().zip(&self.tokens) {
            token::check(token, text.expose(), &material);
        }
        self.evidence.keys.push(material.set);
    }

    /// What the presented token says, then what the files say.
    fn beliefs(&mut self, inputs: &Inputs) {
        let presented = self.evidence.token(Role::Presented);
        self.evidence.beliefs = presented.map(drift::of_token).unwrap_or_default();
        for file in &inputs.files {
            self.mounted(&file.name, &file.text);
            match drift::read_file(&file.name, &file.text) {
                Ok(read) => self.evidence.beliefs.extend(read),
                Err(why) => {
                    let source = Source::File(redact::id(&file.name), None);
                    self.unread(format!("the file cannot be read: {why}"), source);
                }
            }
        }
    }

    fn unread(&mut self, says: String, source: Source) {
        self.evidence.unread.push(Clue::new(says, source));
    }
}

/// Texts, and what they say.
fn tokens(inputs: &Inputs) -> (Vec<Secret>, Vec<Token>) {
    let given = [
        (&inputs.token, Role::Presented),
        (&inputs.old_token, Role::Old),
        (&inputs.other_token, Role::Other),
    ];
    let read = |(secret, role): (&Option<Secret>, Role)| {
        let text = secret.clone()?;
        let token = token::read(text.expose(), role, Source::Token);
        Some((text, token))
    };
    given.into_iter().filter_map(read).unzip()
}

fn logs(inputs: &Inputs) -> Logs {
    let mut analyst = Analyst::new().at(inputs.now);
    for log in &inputs.logs {
        analyst.read(&log.name, log.text.as_bytes());
    }
    analyst.finish()
}
