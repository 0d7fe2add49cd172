//! Tokens and what keys say of them.

use super::{Table, name, or_dash};
use crate::Evidence;
use crate::output::{plain, time};
use crate::token::{Claims, Token};

pub(super) fn tokens(evidence: &Evidence) -> Table {
    Table {
        title: "Tokens",
        head: &["token", "property", "value"],
        rows: evidence.tokens.iter().flat_map(properties).collect(),
    }
}

pub(super) fn signatures(evidence: &Evidence) -> Table {
    let rows = evidence.tokens.iter().flat_map(|token| {
        token.signatures.iter().map(|check| {
            vec![
                name(&token.role),
                plain(&check.keys),
                or_dash(check.kid.as_ref()),
                or_dash(check.form.as_ref()),
                name(&check.verdict),
            ]
        })
    });
    Table {
        title: "Signatures",
        head: &["token", "keys", "kid", "form", "signature"],
        rows: rows.collect(),
    }
}

fn properties(token: &Token) -> Vec<Vec<String>> {
    let role = name(&token.role);
    let mut properties = vec![
        ("fingerprint", token.fingerprint.to_string()),
        (
            "shape",
            format!("{}, {} bytes", name(&token.shape), token.length),
        ),
    ];
    let blemishes: Vec<_> = token.blemishes.iter().map(name).collect();
    if !blemishes.is_empty() {
        properties.push(("blemishes", blemishes.join(", ")));
    }
    if let Some(header) = &token.header {
        properties.push(("alg", or_dash(header.alg.as_ref())));
        properties.push(("kid", or_dash(header.kid.as_ref())));
        properties.push(("typ", or_dash(header.typ.as_ref())));
    }
    if let Some(claims) = &token.claims {
        properties.extend(of_claims(claims));
    }
    let row = |(what, value): (&str, String)| vec![role.clone(), what.to_owned(), value];
    properties.into_iter().map(row).collect()
}

fn of_claims(claims: &Claims) -> Vec<(&'static str, String)> {
    let list = |values: &[String]| (!values.is_empty()).then(|| values.join(" "));
    let all = [
        ("iss", claims.iss.clone()),
        ("aud", list(&claims.aud)),
        ("azp", claims.azp.clone()),
        ("client_id", claims.client_id.clone()),
        ("token_use", claims.token_use.clone()),
        ("sub", claims.sub.as_ref().map(ToString::to_string)),
        ("iat", claims.iat.map(time)),
        ("nbf", claims.nbf.map(time)),
        ("exp", claims.exp.map(time)),
        ("scope", list(&claims.scope)),
        ("cnf", claims.cnf.clone()),
    ];
    let roles = claims.roles.values().flatten().cloned().collect::<Vec<_>>();
    let given = all.into_iter().chain([("roles", list(&roles))]);
    let given = given.filter_map(|(what, value)| Some((what, plain(&value?))));
    given.collect()
}
