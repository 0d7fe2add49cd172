//! A search for secrets in whatever a test left behind: databases, logs, metrics.
//!
//! A secret is looked for raw, in base64 (standard and URL alphabet, at each of the three
//! positions it can have in an encoded text), in hexadecimal and percent-encoded. Before it
//! searches anything, a [`Search`] plants a secret of its own in each encoding and must find it.

mod encodings;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

pub use self::encodings::Encoding;

/// Shorter texts would be found by chance.
const SHORTEST: usize = 8;

/// Label of the planted secret.
const PLANTED: &str = "planted canary";

/// One occurrence of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, or the name given to the text.
    pub place: PathBuf,
    /// Offset in bytes.
    pub offset: usize,
    /// The secret's label. The secret itself is not repeated here.
    pub label: String,
    /// How it was written there.
    pub encoding: Encoding,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            offset,
            label,
            encoding,
        } = self;
        write!(f, "{}:{offset}: {label} ({encoding:?})", place.display())
    }
}

/// A search that has proved that it finds.
pub struct Search {
    automaton: AhoCorasick,
    /// What each pattern of the automaton stands for.
    patterns: Vec<(String, Encoding)>,
}

impl Search {
    /// A search for `needles`, each a label and a secret of at least 8 bytes. The search first
    /// finds a secret planted in files of a directory of its own.
    ///
    /// # Errors
    /// When a secret is too short, or the planted one is not found in every encoding.
    pub fn new<L: Into<String>, S: AsRef<str>>(
        needles: impl IntoIterator<Item = (L, S)>,
    ) -> anyhow::Result<Self> {
        let canary = planted_secret()?;
        let mut texts = Vec::new();
        let mut patterns = Vec::new();
        let mut add = |label: &str, secret: &str| {
            ensure!(
                secret.len() >= SHORTEST,
                "{label} is too short to be searched for"
            );
            for (encoding, text) in encodings::all(secret) {
                texts.push(text);
                patterns.push((label.to_owned(), encoding));
            }
            Ok(())
        };
        add(PLANTED, &canary)?;
        for (label, secret) in needles {
            add(&label.into(), secret.as_ref())?;
        }
        let search = Self {
            automaton: AhoCorasick::new(texts)?,
            patterns,
        };
        search.find_planted(&canary)?;
        Ok(search)
    }

    /// Every occurrence in a text or other bytes; `place` names them in the findings.
    pub fn in_bytes(&self, place: impl Into<PathBuf>, bytes: &[u8]) -> Vec<Finding> {
        let place = place.into();
        self.automaton
            .find_overlapping_iter(bytes)
            .filter_map(|found| {
                let (label, encoding) = self.patterns.get(found.pattern().as_usize())?;
                let (place, label, encoding) = (place.clone(), label.clone(), *encoding);
                Some(Finding {
                    place,
                    offset: found.start(),
                    label,
                    encoding,
                })
            })
            .collect()
    }

    /// Every occurrence in a file, or in all files of a directory and its subdirectories, file
    /// names included.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn in_path(&self, path: &Path) -> anyhow::Result<Vec<Finding>> {
        let mut findings = self.in_bytes(path, path.as_os_str().as_encoded_bytes());
        if fs::metadata(path)
            .with_context(|| path.display().to_string())?
            .is_dir()
        {
            for entry in fs::read_dir(path)? {
                findings.extend(self.in_path(&entry?.path())?);
            }
        } else {
            let bytes = fs::read(path).with_context(|| path.display().to_string())?;
            findings.extend(self.in_bytes(path, &bytes));
        }
        Ok(findings)
    }

    /// Writes the secret by other means than the search's own patterns, and looks for it.
    fn find_planted(&self, secret: &str) -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        fs::create_dir(dir.path().join("deeper"))?;
        for (number, (encoding, text)) in plantings(secret).into_iter().enumerate() {
            let file = dir.path().join(format!("deeper/{number}"));
            fs::write(
                &file,
                [b"\0\xff leading ", text.as_bytes(), b" trailing\n"].concat(),
            )?;
            let findings = self.in_path(dir.path())?;
            let found = |f: &Finding| f.label == PLANTED && f.encoding == encoding;
            ensure!(
                findings.iter().any(found),
                "the planted canary is not found: {encoding:?}"
            );
            fs::remove_file(file)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("patterns", &self.patterns.len())
            .finish_non_exhaustive()
    }
}

/// A random secret with characters that every encoding has to change, and whose base64 differs
/// between the two alphabets.
fn planted_secret() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(format!(
        "canary_+/~?>:???>>>{}",
        URL_SAFE_NO_PAD.encode(bytes)
    ))
}

fn plantings(secret: &str) -> Vec<(Encoding, String)> {
    let mut plantings = vec![(Encoding::Raw, secret.to_owned())];
    for lead in ["", "{", "{\"", "{\"a"] {
        let whole = format!("{lead}{secret}\"}}");
        plantings.push((Encoding::Base64, STANDARD.encode(&whole)));
        plantings.push((Encoding::Base64Url, URL_SAFE_NO_PAD.encode(&whole)));
    }
    let each = |write: fn(u8) -> String| secret.bytes().map(write).collect();
    plantings.push((Encoding::Hex, each(|byte| format!("{byte:02x}"))));
    plantings.push((Encoding::Hex, each(|byte| format!("{byte:02X}"))));
    plantings.push((Encoding::Percent, each(|byte| format!("%{byte:02X}"))));
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    plantings.push((Encoding::Percent, form));
    plantings
}
