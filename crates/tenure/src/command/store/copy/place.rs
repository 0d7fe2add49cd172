//! Which store a word of the command line means; a password never stands in it.

use std::path::{Path, PathBuf};

use tenure_server::config::{self, Flags, Inputs, Purpose};
use tenure_store::{Place, StoreUrl};

use crate::failure::Failure;

/// Settings of the running service's store, which are not those of the other one.
const OF_THIS_STORE: [&str; 2] = ["TENURE_STORE_", "TENURE_DATA"];

/// `env:NAME`, `file:PATH`, a configuration file, or a URL; `sql` is the SQL store beside Redis.
pub(super) fn place(word: &str, sql: Option<&str>) -> Result<Place, Failure> {
    let file = Path::new(word);
    if sql.is_none() && file.extension().is_some_and(|end| end == "toml") {
        return configured(file.to_owned());
    }
    let url = url(word)?;
    let sql = sql.map(self::url).transpose()?;
    let said = |error| Failure::Usage(format!("the URL of the store {error}"));
    Place::at(&url, sql.as_ref()).map_err(said)
}

fn configured(file: PathBuf) -> Result<Place, Failure> {
    let flags = Flags {
        config: Some(file),
        ..Flags::default()
    };
    let mut inputs = Inputs::of_process(flags, Purpose::Inspect);
    let of_this = |name: &str| OF_THIS_STORE.iter().any(|own| name.starts_with(own));
    inputs.environment.retain(|name, _| !of_this(name));
    Ok(config::load(&inputs)?.config.store)
}

fn url(word: &str) -> Result<StoreUrl, Failure> {
    let told = if let Some(name) = word.strip_prefix("env:") {
        std::env::var(name).map_err(|_| Failure::Usage(format!("${name} is not set")))?
    } else if let Some(path) = word.strip_prefix("file:") {
        let unread = |cause| Failure::Usage(format!("{path} cannot be read: {cause}"));
        std::fs::read_to_string(path).map_err(unread)?
    } else {
        word.to_owned()
    };
    let url = StoreUrl::parse(&told)
        .map_err(|error| Failure::Usage(format!("the URL of a store {error}")))?;
    // What follows the user and a colon; every user of this machine can read the arguments.
    let user = told.split_once("://").map_or("", |(_, rest)| rest);
    let user = user.split_once('@').map_or("", |(user, _)| user);
    if told == word && user.contains(':') {
        let why = format!(
            "the password of {url} stands in the arguments, where every user of this machine reads it; \
             put the URL into a variable and write env:NAME, or into a file and write file:PATH"
        );
        return Err(Failure::Usage(why));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::place;

    fn said(word: &str, sql: Option<&str>) -> String {
        match place(word, sql) {
            Ok(place) => place.to_string(),
            Err(failure) => format!("error: {failure}"),
        }
    }

    #[test]
    fn a_store_is_named_by_a_url_a_file_or_a_configuration() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "postgres://u:hunter2@db/tenure").unwrap();
        let file = format!("file:{}", file.path().display());
        assert_eq!(said("sqlite:./data", None), "sqlite:./data");
        assert_eq!(
            said("postgres://u@db/tenure", None),
            "postgres://u@db/tenure"
        );
        assert_eq!(said(&file, None), "postgres://u@db/tenure");
        let both = said("redis://cache", Some(&file));
        assert_eq!(both, "redis://cache beside postgres://u@db/tenure");
    }

    #[test]
    fn a_password_in_the_arguments_is_refused_and_not_repeated() {
        for word in ["postgres://u:hunter2@db/tenure", "redis://:hunter2@cache"] {
            let said = said(word, Some("sqlite:./data"));
            assert!(said.contains("write env:NAME"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        assert!(said("env:TENURE_NO_SUCH_VARIABLE", None).contains("is not set"));
        assert!(said("file:/no/such/file", None).contains("cannot be read"));
    }
}
