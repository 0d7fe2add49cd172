//! How far the tables of a place are, found without changing anything.

use super::Place;
use crate::{OpenError, Postgres, Sqlite};

/// Tables that are brought up to date together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// `store`, or `session log`.
    pub of: &'static str,
    /// Where they are, without a password.
    pub place: String,
    /// What is there; 0 where there are no tables.
    pub found: u32,
    /// What this program makes of it when it opens the place. What is there may be newer: a program
    /// that still gets along with it opens it as it is.
    pub latest: u32,
}

impl Schema {
    /// Whether opening the place changes it.
    pub fn is_behind(&self) -> bool {
        self.found < self.latest
    }
}

impl Place {
    /// The schemas of the SQL side; Redis and memory have none.
    pub async fn schemas(&self) -> Result<Vec<Schema>, OpenError> {
        match self.sql() {
            Self::Sqlite(options) => Sqlite::schema(options).map(|schema| vec![schema]),
            Self::Postgres(options) => Postgres::schemas(options).await,
            Self::Memory | Self::Redis(..) => Ok(Vec::new()),
        }
    }
}
