//! A small FastAPI server, as incident I5 describes its backend.

use std::path::Path;

use super::{folder, package};
use crate::process::{Launch, Server};

/// Where the backend keeps its refresh tokens.
#[derive(Debug, Clone, Copy)]
pub enum Storage<'a> {
    /// In a dictionary, because its cache was not given to it: the incident.
    Memory,
    /// In an injected store, here a SQLite file: the fix.
    File(&'a Path),
}

/// The running backend. `ann` signs in with [`Backend::PASSWORD`].
#[derive(Debug)]
pub struct Backend {
    server: Server,
}

impl Backend {
    /// The password of the user `ann`.
    pub const PASSWORD: &str = "correct horse";

    /// Why it cannot be run here, if it cannot.
    pub fn obstacle() -> Option<String> {
        let needed = [".venv/bin/python", ".venv/bin/uvicorn"];
        needed.into_iter().find_map(|part| package(part).err())
    }

    /// Starts it on a free port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(storage: Storage<'_>) -> anyhow::Result<Self> {
        let python = package(".venv/bin/python").map_err(anyhow::Error::msg)?;
        let store = match storage {
            Storage::Memory => Path::new("memory"),
            Storage::File(path) => path,
        };
        let launch = Launch::new(python)
            .args([folder().join("fastapi/server.py")])
            .args(["{listen}"])
            .args([store])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .ready_when("running on http://{listen}");
        let server = launch.start()?;
        Ok(Self { server })
    }

    /// The process, to restart it and to read what it says.
    pub fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.server.url()
    }
}
