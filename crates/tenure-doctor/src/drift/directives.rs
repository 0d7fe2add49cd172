//! nginx and Caddy: lines of a name and values.

use super::value::Place;
use super::{Belief, Holder};

/// Directives and variables whose names mean something: `auth_jwt_key_request`, `set $jwt_issuer "…"`,
/// `jwt_issuer …`.
pub(super) fn read(name: &str, text: &str) -> Vec<Belief> {
    let place = Place {
        held_by: Holder::Verifier,
        ..Place::file(name)
    };
    let lines = (1..).zip(text.lines());
    lines
        .filter_map(|(number, line)| {
            let line = line.split('#').next().unwrap_or_default();
            let line = line.trim().trim_end_matches([';', '{']).trim_end();
            let line = line.strip_prefix("set ").unwrap_or(line);
            let (name, value) = line.split_once(char::is_whitespace)?;
            // `name = "value"` (PostgREST), `name => 'value'` (Perl).
            let assigned = value.trim_start();
            let assigned = assigned
                .strip_prefix("=>")
                .or_else(|| assigned.strip_prefix('='));
            let value = assigned.map_or(value, |value| value.trim_end_matches(','));
            let value = value.trim().trim_matches(['"', '\'', '`']);
            place.belief(&[name.trim_start_matches('$')], number, value)
        })
        .collect()
}
