//! `tenure doctor token`.

use tenure_core::secret::Secret;
use tenure_doctor::case::Text;

use super::gathered::Gathered;
use super::read;
use crate::cli::doctor::Tokens;
use crate::failure::Failure;

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

/// The same; the token is on stdin where no flag says otherwise.
pub(crate) fn gather_or_stdin(mut args: Tokens, gathered: &mut Gathered) -> Result<(), Failure> {
    if args.token_file.is_none() && args.token_env.is_none() {
        args.token_file = Some("-".to_owned());
    }
    gather(args, gathered)
}

fn variable(name: &str) -> Result<Secret, Failure> {
    std::env::var(name)
        .map(Secret::new)
        .map_err(|_| Failure::Usage(format!("the environment variable {name} is not set")))
}
