//! `tenure config`.

use tenure_server::config::{Inputs, Loaded, Purpose, load};

use crate::cli::{Config, Serve};
use crate::failure::Failure;
use crate::print;

/// Shows or checks what `tenure serve` with the same flags would run on.
pub(crate) fn config(args: Config) -> Result<(), Failure> {
    match args {
        Config::Show(args) => {
            let loaded = inspect(args)?;
            print::line(loaded.sources.to_string().trim_end())?;
        }
        Config::Check(args) => {
            let loaded = inspect(args)?;
            let clients = loaded.config.clients.len();
            print::line(format_args!(
                "ok: issuer {}, {clients} clients",
                loaded.config.issuer
            ))?;
        }
    }
    Ok(())
}

fn inspect(args: Serve) -> Result<Loaded, Failure> {
    let loaded = load(&Inputs::of_process(args.flags(), Purpose::Inspect))?;
    for warning in &loaded.warnings {
        print::note(format_args!("warning: {warning}"));
    }
    Ok(loaded)
}
