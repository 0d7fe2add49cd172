//! The beginning of a body, without taking it from whoever reads it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// No service says in more than this why it refuses a token.
const ENOUGH: usize = 64 * 1024;

/// A body whose beginning may have been looked at; it reads as if nobody had.
#[derive(Debug)]
pub struct Peeked<B: Body> {
    seen: VecDeque<Result<Frame<Bytes>, B::Error>>,
    rest: B,
}

impl<B: Body<Data = Bytes> + Unpin> Peeked<B> {
    /// Nothing is looked at.
    pub(super) fn unseen(body: B) -> Self {
        Self {
            seen: VecDeque::new(),
            rest: body,
        }
    }

    /// Reads 64 KiB or all there is.
    pub(super) async fn start(body: B) -> (Self, Vec<u8>) {
        let mut peeked = Self::unseen(body);
        let mut start = Vec::new();
        while start.len() < ENOUGH {
            let frame = poll_fn(|context| Pin::new(&mut peeked.rest).poll_frame(context)).await;
            let Some(frame) = frame else {
                break;
            };
            let data = frame.as_ref().ok().and_then(Frame::data_ref);
            start.extend(data.into_iter().flatten());
            let broken = frame.is_err();
            peeked.seen.push_back(frame);
            if broken {
                break;
            }
        }
        (peeked, start)
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Peeked<B>
where
    B::Error: Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.seen.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.seen.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let data = self
            .seen
            .iter()
            .filter_map(|frame| frame.as_ref().ok()?.data_ref());
        let seen: u64 = data
            .map(|data| u64::try_from(data.len()).unwrap_or(u64::MAX))
            .sum();
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + seen);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + seen);
        }
        hint
    }
}
