//! Reads AWS, and says what it reads before it does.

use std::collections::VecDeque;
use std::time::{Duration, UNIX_EPOCH};

use tenure_doctor::drift::live::{Reader, calls, calls_after};
use tenure_doctor::{Clue, Source, collect};
use tenure_server::Clock;

use crate::command::doctor::gathered::Gathered;
use crate::failure::Failure;
use crate::print;

/// Reads of one run; an account may have thousands of gateways.
const MOST: usize = 200;

/// Asks for what the files and tokens so far make worth asking.
pub(super) async fn gather(gathered: &mut Gathered) -> Result<(), Failure> {
    let reader = Reader::of_environment()
        .await
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let mut open = VecDeque::from(calls(&collect(&gathered.inputs).beliefs));
    print::note(format_args!(
        "reading AWS ({} calls to begin with, none changes anything)",
        open.len()
    ));
    let mut asked = 0;
    while let Some(call) = open.pop_front() {
        if asked == MOST {
            let left = open.len() + 1;
            let says = format!(
                "{MOST} reads were made; {left} more, and what they lead to, were left out"
            );
            print::note(format_args!("  {says}"));
            gathered
                .unread
                .push(Clue::new(says, Source::Aws(call.to_string())));
            break;
        }
        asked += 1;
        print::note(format_args!("  {call}"));
        let now = UNIX_EPOCH + Duration::from_secs(Clock::system().host().0);
        match reader.read(&call, now).await {
            Ok(answer) => {
                open.extend(calls_after(&call, &answer));
                gathered.inputs.files.push(answer);
            }
            Err(error) => {
                let source = Source::Aws(call.to_string());
                gathered.unread.push(Clue::new(error.to_string(), source));
            }
        }
    }
    Ok(())
}
