//! `tenure doctor drift`.

#[cfg(feature = "aws")]
mod aws;

use tenure_doctor::case::Text;
use tenure_doctor::deployment::{Route, ask};
use tenure_doctor::probe::Options;
use tenure_doctor::{Clue, Source, redact};

use super::gathered::Gathered;
use super::{read, wire::wire};
use crate::cli::doctor::Files;
use crate::failure::Failure;

/// Reads configuration files, then asks issuers and AWS where that was asked for.
pub(crate) async fn gather(
    files: &[String],
    args: Files,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    for name in files {
        let text = read::text(name)?;
        gathered.inputs.files.push(Text {
            name: name.clone(),
            text,
        });
    }
    for url in &args.discovery {
        issuer(url, gathered).await?;
    }
    if args.aws {
        ask_aws(gathered).await?;
    }
    Ok(())
}

/// The metadata of an issuer, and what a Tenure service says of itself.
async fn issuer(url: &str, gathered: &mut Gathered) -> Result<(), Failure> {
    let wire = wire(Options::default())?;
    let wanted = [
        (Route::Discovery, "openid-configuration"),
        (Route::Ready, "health"),
    ];
    let looked = ask(&wire, url, &wanted.map(|(route, _)| route))
        .await
        .map_err(|error| Failure::Usage(error.to_string()))?;
    for (route, file) in wanted {
        let answer = looked.answer(route).filter(|answer| answer.status == 200);
        if let Some(answer) = answer {
            gathered.inputs.files.push(Text {
                name: format!("{} {file}.json", looked.base),
                text: answer.body.clone(),
            });
        } else if route == Route::Discovery {
            gathered.unread.push(Clue::new(
                format!("{} gave no metadata", redact::url(url)),
                Source::Deployment(route.to_string()),
            ));
        }
    }
    Ok(())
}

#[cfg(feature = "aws")]
async fn ask_aws(gathered: &mut Gathered) -> Result<(), Failure> {
    aws::gather(gathered).await
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "the same as with the feature")]
async fn ask_aws(_gathered: &mut Gathered) -> Result<(), Failure> {
    Err(Failure::Usage(
        "this build cannot ask AWS; build it with --features aws, or give answers that the AWS command line wrote, \
         as files named aws/SERVICE/OPERATION.json (aws/ssm/GetParameter.json)"
            .to_owned(),
    ))
}
