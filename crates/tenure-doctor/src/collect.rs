//! From what was given to what is known.

use tenure_core::secret::Secret;

use crate::case::Inputs;
use crate::drift::{self, Belief};
use crate::keys::{self, Material};
use crate::logs::{Analyst, Logs};
use crate::probe::Probe;
use crate::token::{self, Role, Token};
use crate::{Clue, Evidence, Source, redact};

/// Reads everything that was given; what cannot be read is noted in [`Evidence::unread`].
///
/// A function of its arguments: no network, no clock, no files.
pub fn collect(inputs: &Inputs) -> Evidence {
    let mut unread = Vec::new();
    let material = keys(inputs, &mut unread);
    let tokens = tokens(inputs, &material);
    let beliefs = beliefs(inputs, &tokens, &mut unread);
    Evidence {
        now: inputs.now,
        exchanges: inputs.exchanges.iter().map(redact::exchange).collect(),
        tokens,
        beliefs,
        keys: material.into_iter().map(|material| material.set).collect(),
        unread,
        logs: logs(inputs),
        ..Evidence::default()
    }
}

/// What the presented token says, then what the files say.
fn beliefs(inputs: &Inputs, tokens: &[Token], unread: &mut Vec<Clue>) -> Vec<Belief> {
    let presented = tokens.iter().filter(|token| token.role == Role::Presented);
    let mut beliefs: Vec<_> = presented.flat_map(drift::of_token).collect();
    for file in &inputs.files {
        match drift::read_file(&file.name, &file.text) {
            Ok(read) => beliefs.extend(read),
            Err(why) => unread.push(Clue {
                says: format!("the file cannot be read: {why}"),
                source: Source::File(redact::id(&file.name), None),
                at: None,
            }),
        }
    }
    beliefs
}

/// Keys that were given, then those that the issuer answered with.
fn keys(inputs: &Inputs, unread: &mut Vec<Clue>) -> Vec<Material> {
    let given = inputs.keys.iter().map(|file| {
        let source = Source::Keys(redact::id(&file.name));
        (file.name.as_str(), file.text.as_str(), source)
    });
    let answered = inputs.exchanges.iter().filter_map(|exchange| {
        let asked = matches!(exchange.probe, Probe::Jwks | Probe::Discovery);
        let answer = exchange.result.as_ref().ok().filter(|answer| asked && answer.status == 200)?;
        Some((exchange.request.url.as_str(), answer.body.as_str(), Source::Probe(exchange.probe)))
    });
    let mut material = Vec::new();
    for (name, text, source) in given.chain(answered) {
        match keys::read(name, text) {
            Ok(read) => material.push(read),
            Err(why) => unread.push(Clue {
                says: format!("the keys cannot be read: {why}"),
                source,
                at: None,
            }),
        }
    }
    material
}

fn tokens(inputs: &Inputs, material: &[Material]) -> Vec<Token> {
    let given = [
        (&inputs.token, Role::Presented),
        (&inputs.old_token, Role::Old),
        (&inputs.other_token, Role::Other),
    ];
    let read = |(secret, role): (&Option<Secret>, Role)| {
        let text = secret.as_ref()?.expose();
        let mut token = token::read(text, role, Source::Token);
        for material in material {
            token::check(&mut token, text, material);
        }
        Some(token)
    };
    given.into_iter().filter_map(read).collect()
}

fn logs(inputs: &Inputs) -> Logs {
    let mut analyst = Analyst::new();
    for log in &inputs.logs {
        analyst.read(&log.name, log.text.as_bytes());
    }
    analyst.finish()
}
