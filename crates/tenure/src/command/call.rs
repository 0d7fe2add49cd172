//! `tenure call`: a request with the session's token.

use std::io::Read as _;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request, Response};

use crate::cli::Call;
use crate::failure::Failure;
use crate::print;
use crate::profile::{Profile, settle};

/// Sends the request; the body of the answer goes to stdout as it is.
pub(crate) async fn call(args: Call) -> Result<(), Failure> {
    let request = request(&args)?;
    let profile = Profile::new(args.profile)?;
    let mut config = profile.config()?;
    for origin in &args.allow {
        config = config.allow(origin)?;
    }
    let session = profile.open(config).await?;
    if !session.allows(request.uri()) {
        print::note(format_args!(
            "note: sent without the token, which may not go to {}; allow it with --allow",
            request
                .uri()
                .authority()
                .map_or("this place", |authority| authority.as_str())
        ));
    }
    let answer = session.call(request).await;
    let answer = answer.map_err(|error| profile.told(error))?;
    show(&answer, args.include)?;
    settle(&session).await;
    let status = answer.status();
    if args.fail && status.as_u16() >= 400 {
        return Err(Failure::Other(anyhow!("the answer is {status}")));
    }
    Ok(())
}

fn request(args: &Call) -> Result<Request<Bytes>, Failure> {
    let body = args.data.as_deref().map(body).transpose()?;
    let default = if body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let method = match &args.request {
        None => default,
        Some(name) => name
            .parse()
            .map_err(|_| wrong("-X", name, "a method such as DELETE"))?,
    };
    let uri = args
        .url
        .parse::<http::Uri>()
        .ok()
        .filter(|uri| uri.scheme().is_some());
    let uri = uri.ok_or_else(|| wrong("URL", &args.url, "an absolute one, with http or https"))?;
    let mut request = Request::new(body.unwrap_or_default());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    if args.data.is_some() {
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for text in &args.headers {
        let (name, value) = header(text).ok_or_else(|| wrong("-H", text, "NAME: VALUE"))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

fn wrong(flag: &str, text: &str, write: &str) -> Failure {
    Failure::Usage(format!("{flag} {text:?} is not understood; write {write}"))
}

fn header(text: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = text.split_once(':')?;
    Some((name.trim().parse().ok()?, value.trim().parse().ok()?))
}

fn body(text: &str) -> Result<Bytes, Failure> {
    match text.strip_prefix('@') {
        None => Ok(Bytes::copy_from_slice(text.as_bytes())),
        Some("-") => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes)?;
            Ok(bytes.into())
        }
        Some(path) => Ok(std::fs::read(path)
            .with_context(|| format!("--data @{path}"))?
            .into()),
    }
}

fn show(answer: &Response<Bytes>, include: bool) -> Result<(), Failure> {
    if include {
        print::line(format_args!("{:?} {}", answer.version(), answer.status()))?;
        for (name, value) in answer.headers() {
            print::line(format_args!(
                "{name}: {}",
                String::from_utf8_lossy(value.as_bytes())
            ))?;
        }
        print::line("")?;
    } else if answer.status().as_u16() >= 400 {
        print::note(format_args!("HTTP {}", answer.status()));
    }
    Ok(print::bytes(answer.body())?)
}
