//! From flags to what is probed.

use http::{HeaderName, HeaderValue, Method};
use serde::de::DeserializeOwned;
use tenure_core::secret::Secret;
use tenure_doctor::Source;
use tenure_doctor::case::Target;
use tenure_doctor::probe::{Carried, Subject, may_name};
use tenure_doctor::token::{self, Role};
use url::Url;

use super::super::address::address;
use super::super::gathered::Gathered;
use super::super::read;
use crate::cli::doctor::Request;
use crate::failure::Failure;
use crate::print;

/// Checks the flags, and notes the target among the inputs.
pub(super) fn subject(
    url: String,
    args: Request,
    gathered: &mut Gathered,
) -> Result<Subject, Failure> {
    let own = address(&url, "the URL")?;
    for (text, flag) in [
        (&args.issuer, "--issuer"),
        (&args.other_endpoint, "--other-endpoint"),
        (&args.echo, "--echo"),
    ] {
        if let Some(text) = text {
            address(text, flag)?;
        }
    }
    let target = Target {
        url,
        method: method(&args)?,
        origin: args.origin.clone(),
        issuer: args.issuer.clone(),
    };
    gathered.inputs.target = Some(target.clone());
    let inputs = &gathered.inputs;
    let headers = headers(&args)?;
    if inputs.token.is_none() {
        print::note("no token is given (--token-file): only what happens without one can be seen");
    }
    let issuer = args
        .issuer
        .or_else(|| claimed(inputs.token.as_ref()?, &own));
    Ok(Subject {
        token: inputs.token.clone(),
        carried: Carried {
            header: args.token_header.to_ascii_lowercase(),
            prefix: args.token_prefix,
        },
        headers,
        old_token: inputs.old_token.clone(),
        other_token: inputs.other_token.clone(),
        other_endpoint: args.other_endpoint,
        echo: args.echo,
        direct: args.direct,
        refresh: args.burn_refresh.as_deref().map(parsed).transpose()?,
        introspection: args.introspection.as_deref().map(parsed).transpose()?,
        userinfo: target.issuer.is_some(),
        allowed_hosts: args.allow_host,
        unsafe_methods: args.allow_unsafe,
        salt: format!("{:x}", inputs.now.0),
        ..Subject::new(Target { issuer, ..target })
    })
}

/// In capitals, where it may be sent.
fn method(args: &Request) -> Result<String, Failure> {
    let method = args.method.to_ascii_uppercase();
    if Method::from_bytes(method.as_bytes()).is_err() {
        return Err(Failure::Usage(
            "--method is not a method of HTTP".to_owned(),
        ));
    }
    if args.allow_unsafe || matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        return Ok(method);
    }
    Err(Failure::Usage(format!(
        "{method} may change something at the service: allow it with --allow-unsafe, or probe with --method GET"
    )))
}

/// The further fields. Names only in errors: a value may be an API key.
fn headers(args: &Request) -> Result<Vec<(String, Secret)>, Failure> {
    let file = args.header_file.as_deref().map(read::text).transpose()?;
    let of_file = file.iter().flat_map(|text| text.lines());
    let lines = args.header.iter().map(String::as_str).chain(of_file);
    lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| field(line, &args.token_header))
        .collect()
}

fn field(line: &str, token_header: &str) -> Result<(String, Secret), Failure> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| Failure::Usage("a header field is written `Name: value`".to_owned()))?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    if name.parse::<HeaderName>().is_err() || HeaderValue::from_bytes(value.as_bytes()).is_err() {
        return Err(Failure::Usage(format!(
            "the header field {name:?} cannot be sent"
        )));
    }
    if name.eq_ignore_ascii_case(token_header) {
        return Err(Failure::Usage(format!(
            "{name} carries the token: give it with --token-file"
        )));
    }
    Ok((name, Secret::new(value)))
}

/// The parser's own words would quote what it read.
fn parsed<T: DeserializeOwned>(name: &str) -> Result<T, Failure> {
    serde_json::from_str(&read::text(name)?).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::Usage(format!(
            "{name} is not what it should be, at line {line}, column {column}"
        ))
    })
}

/// Whom the token names as its issuer, as far as a token that anybody may have made is followed.
fn claimed(token: &Secret, own: &Url) -> Option<String> {
    let token = token::read(token.expose(), Role::Presented, Source::Token);
    let issuer = token.claims?.iss?;
    if may_name(own, &Url::parse(&issuer).ok()?) {
        return Some(issuer);
    }
    print::note(
        "the issuer that the token names is not asked: it is no https:// name, nor at the host of the URL; \
         give it by --issuer if it is yours",
    );
    None
}
