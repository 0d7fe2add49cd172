//! What PostgreSQL says, by culprit.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::SqlState;

use crate::StoreError;

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = text(&error);
        match error.code() {
            Some(code) => by_state(code, text),
            None => Self::Unavailable(text),
        }
    }
}

/// By the class of the SQLSTATE (PostgreSQL documentation, appendix A).
fn by_state(code: &SqlState, text: String) -> StoreError {
    match code.code() {
        "53100" => StoreError::Full(text),
        "25006" => StoreError::ReadOnly(text),
        // A lock or a statement that took too long, a deadlock, no room for another connection.
        "40001" | "40P01" | "55006" | "55P03" | "57014" => StoreError::Busy(text),
        code if code.starts_with("53") => StoreError::Busy(text),
        // Connections, authorization, rights, a server that starts or stops, its disk.
        code if ["08", "28", "3D", "42", "57", "58"]
            .contains(&code.get(..2).unwrap_or_default()) =>
        {
            StoreError::Unavailable(text)
        }
        "25P03" | "25P04" | "0A000" => StoreError::Unavailable(text),
        _ => StoreError::Damaged(text),
    }
}

/// One line. Not the details of the server: they quote values.
pub(super) fn text(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    match error.source() {
        Some(cause) => format!("{error}: {cause}").replace("error connecting to server: ", ""),
        None => error.to_string(),
    }
}

/// Whether the connection to a server failed below the protocol.
pub(super) fn io_kind(error: &tokio_postgres::Error) -> Option<io::ErrorKind> {
    let cause = error.source()?.downcast_ref::<io::Error>()?;
    Some(cause.kind())
}

#[cfg(test)]
mod tests {
    use tokio_postgres::error::SqlState;

    use super::by_state;
    use crate::StoreError;

    fn judged(code: &str) -> StoreError {
        by_state(&SqlState::from_code(code), String::new())
    }

    #[test]
    fn states_are_told_apart_by_culprit() {
        let nothing = String::new;
        for (expected, codes) in [
            (StoreError::Full(nothing()), vec!["53100"]),
            (StoreError::ReadOnly(nothing()), vec!["25006"]),
            (
                StoreError::Busy(nothing()),
                vec!["53300", "53200", "55P03", "57014", "40P01", "40001"],
            ),
            (
                StoreError::Unavailable(nothing()),
                vec![
                    "57P01", "57P02", "57P03", "08006", "28P01", "3D000", "42501", "58030",
                ],
            ),
            (
                StoreError::Damaged(nothing()),
                vec!["23505", "22021", "XX001"],
            ),
        ] {
            for code in codes {
                assert_eq!(judged(code), expected, "{code}");
            }
        }
    }
}
