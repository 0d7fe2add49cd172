//! `tenure doctor token`.

mod fetch;
mod opinions;

use std::process::ExitCode;

use tenure_core::secret::Secret;
use tenure_doctor::case::Text;

use super::answer::answer;
use super::gathered::Gathered;
use super::read;
use crate::cli::doctor::{Token, Tokens, Verifier};
use crate::failure::Failure;

/// Takes the token apart, says what verifiers would answer, and diagnoses. The token is on stdin where no
/// flag says otherwise.
pub(crate) async fn token(args: Token, mut gathered: Gathered) -> Result<ExitCode, Failure> {
    let Token {
        argument,
        mut tokens,
        verifier,
        output,
    } = args;
    if argument.is_some() {
        return Err(Failure::Usage(
            "a token does not belong on the command line: every user of this machine can see it there, and the \
             shell keeps it. Give it on stdin, or by --token-file or --token-env"
                .to_owned(),
        ));
    }
    if tokens.token_file.is_none() && tokens.token_env.is_none() {
        tokens.token_file = Some("-".to_owned());
    }
    gather(tokens, &mut gathered)?;
    let expected = verifiers_side(verifier, &mut gathered).await?;
    let evidence = gathered.evidence();
    if output.form.is_for_people() {
        opinions::print(&evidence, expected)?;
    }
    answer(&evidence, &output)
}

/// Reads keys and metadata; what is left is what verifiers are set up with.
async fn verifiers_side(
    args: Verifier,
    gathered: &mut Gathered,
) -> Result<opinions::Given, Failure> {
    let Verifier {
        jwks,
        discovery,
        pem,
        secret_file,
        secret_env,
        issuer,
        audience,
        client_id,
    } = args;
    for (place, is_discovery) in [(discovery, true), (jwks, false)] {
        match place {
            Some(url) if fetch::is_url(&url) => fetch::fetch(&url, is_discovery, gathered).await?,
            Some(name) => key(name.clone(), read::text(&name)?, gathered),
            None => {}
        }
    }
    if let Some(name) = pem {
        key(name.clone(), read::text(&name)?, gathered);
    }
    // The ending says how the text is meant.
    if let Some(name) = secret_file {
        key(format!("{name}.secret"), read::text(&name)?, gathered);
    }
    if let Some(name) = secret_env {
        let secret = variable(&name)?;
        key(
            format!("{name}.secret"),
            secret.expose().to_owned(),
            gathered,
        );
    }
    Ok(opinions::Given {
        issuer,
        audience,
        client_id,
    })
}

fn key(name: String, text: String, gathered: &mut Gathered) {
    gathered.inputs.keys.push(Text { name, text });
}

/// Reads tokens and keys.
pub(crate) fn gather(args: Tokens, gathered: &mut Gathered) -> Result<(), Failure> {
    let secret = |name: String| read::text(&name).map(Secret::new);
    let inputs = &mut gathered.inputs;
    inputs.token = match (args.token_file, args.token_env) {
        (Some(name), _) => Some(secret(name)?),
        (None, Some(name)) => Some(variable(&name)?),
        (None, None) => None,
    };
    inputs.old_token = args.old_token_file.map(secret).transpose()?;
    inputs.other_token = args.other_token_file.map(secret).transpose()?;
    for name in args.keys {
        let text = read::text(&name)?;
        inputs.keys.push(Text { name, text });
    }
    Ok(())
}

fn variable(name: &str) -> Result<Secret, Failure> {
    std::env::var(name)
        .map(Secret::new)
        .map_err(|_| Failure::Usage(format!("the environment variable {name} is not set")))
}
