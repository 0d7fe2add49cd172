//! A real browser: headless Chromium, steered through npm `playwright-core` in a Node process.
//!
//! It acts as a person does: it types into labelled fields, presses buttons by what they say, and
//! reads what is shown. Nothing secret is on its command line.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::find;
use crate::steered::Steered;

/// One browser with one window.
pub struct Chromium {
    process: Steered,
    /// Its profile, and whatever else it leaves behind.
    _directory: TempDir,
}

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    /// As in most browsers.
    On,
    /// JavaScript is switched off.
    Off,
}

/// What a person sees.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct View {
    /// The address.
    pub url: String,
    /// The title of the page.
    pub title: String,
    /// Its text, as far as it is visible.
    pub text: String,
}

impl Chromium {
    /// Why it cannot be run here, if it cannot.
    pub fn obstacle() -> Option<String> {
        for program in ["node", "chromium"] {
            if find(program).is_none() {
                return Some(format!(
                    "a real browser needs {program}, which is not installed"
                ));
            }
        }
        let folder = folder();
        (!folder.join("node_modules/playwright-core").exists()).then(|| {
            let folder = folder.display();
            format!("playwright-core is not installed; run npm ci in {folder}")
        })
    }

    /// Starts a browser that nobody has used before.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(scripts: Scripts) -> anyhow::Result<Self> {
        let directory = TempDir::new()?;
        let chromium = find("chromium").context("there is no chromium")?;
        let mode = match scripts {
            Scripts::On => "scripts",
            Scripts::Off => "no-scripts",
        };
        let mut command = Command::new("node");
        command
            .arg(folder().join("chromium.mjs"))
            .arg(chromium)
            .arg(mode)
            .env("TMPDIR", directory.path());
        let mut process = Steered::start(&mut command)?;
        understood(process.answer().await?)?;
        Ok(Self {
            process,
            _directory: directory,
        })
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// When the page does not load.
    pub async fn open(&mut self, url: &str) -> anyhow::Result<()> {
        self.command(&json!({ "do": "open", "url": url })).await?;
        Ok(())
    }

    /// Types into the field with this label.
    ///
    /// # Errors
    /// When there is no such field.
    pub async fn fill(&mut self, label: &str, text: &str) -> anyhow::Result<()> {
        let fill = json!({ "do": "fill", "label": label, "text": text });
        self.command(&fill).await?;
        Ok(())
    }

    /// Presses the button that says this, and waits for the page that it leads to.
    ///
    /// # Errors
    /// When there is no such button, or it leads nowhere.
    pub async fn press(&mut self, button: &str) -> anyhow::Result<()> {
        self.command(&json!({ "do": "press", "button": button }))
            .await?;
        Ok(())
    }

    /// Looks at the page.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn look(&mut self) -> anyhow::Result<View> {
        let seen = self.command(&json!({ "do": "look" })).await?;
        Ok(serde_json::from_value(seen)?)
    }

    /// Closes the browser, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not end by itself.
    pub async fn close(self) -> anyhow::Result<()> {
        self.process.end().await
    }

    async fn command(&mut self, command: &Value) -> anyhow::Result<Value> {
        understood(self.process.ask(command).await?)
    }
}

fn understood(answer: Result<Value, Value>) -> anyhow::Result<Value> {
    answer.map_err(|failed| anyhow!("{}", failed.as_str().unwrap_or_default()))
}

impl fmt::Debug for Chromium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chromium").finish_non_exhaustive()
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("chromium")
}
