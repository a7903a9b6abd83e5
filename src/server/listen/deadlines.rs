//! Deadlines on a connection: for the head of a request, for its body, for taking the answer, and between two requests.
//!
//! Why not hyper's own: it has one for the head, which also is the one between two requests, and there a proxy needs a
//! minute while a slow sender must not have one; and it has none for bodies and answers. Each of these is for the whole
//! of what it is for, not from byte to byte, so that one byte now and then gains nobody anything.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::limits::Limits;

/// Whose turn it is on a connection: the server's while it answers, else the client's. A number that grows with each
/// turn, odd for the server's. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<AtomicUsize>);

impl Turn {
    /// A head is read: the server's turn lasts until the answer that the body is for has been written.
    pub(super) fn servers(&self) -> ServersTurn {
        self.0.fetch_add(1, Ordering::Relaxed);
        ServersTurn(self.clone())
    }
}

/// Ends when it goes, whatever becomes of the request.
pub(super) struct ServersTurn(Turn);

impl ServersTurn {
    /// This body is the end of the answer.
    pub(super) fn with<B>(self, body: B) -> Answer<B> {
        Answer { body, _turn: self }
    }
}

impl Drop for ServersTurn {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The body of an answer.
pub(super) struct Answer<B> {
    body: B,
    _turn: ServersTurn,
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a request, which has to be there in time.
pub(super) struct InTime<B> {
    body: B,
    deadline: Deadline,
}

impl<B> InTime<B> {
    pub(super) fn new(body: B, limit: Duration) -> Self {
        Self { body, deadline: Deadline::new(limit) }
    }
}

impl<B> Body for InTime<B>
where
    B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => {
                ready!(self.deadline.poll(cx));
                Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
            }
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream of which both sides have to make use in time.
pub(super) struct Timed<S> {
    stream: S,
    turn: Turn,
    /// The turn at the last look.
    seen: usize,
    waits_for: WaitsFor,
    head: Deadline,
    idle: Deadline,
    answer: Deadline,
}

/// What the server waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WaitsFor {
    /// The rest of a head, or the first one's beginning.
    Head,
    /// The beginning of a further request.
    Request,
    /// Nothing: it answers.
    Nothing,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S, turn: Turn, limits: &Limits) -> Self {
        Self {
            stream,
            turn,
            seen: 0,
            waits_for: WaitsFor::Head,
            head: Deadline::new(limits.head),
            idle: Deadline::new(limits.idle),
            answer: Deadline::new(limits.answer),
        }
    }
}

impl<S> Timed<S> {
    /// Whose turn is it now?
    fn look(&mut self) {
        let turn = self.turn.0.load(Ordering::Relaxed);
        if turn == self.seen {
            return;
        }
        self.seen = turn;
        if turn % 2 == 1 {
            self.waits_for = WaitsFor::Nothing;
        } else {
            self.waits_for = WaitsFor::Request;
            self.idle.lift();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.look();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        match this.waits_for {
            WaitsFor::Request if buf.filled().len() > before => {
                this.waits_for = WaitsFor::Head;
                this.head.lift();
            }
            WaitsFor::Request if read.is_pending() => return this.idle.poll(cx).map(|()| late()),
            WaitsFor::Head if read.is_pending() => return this.head.poll(cx).map(|()| late()),
            _ => {}
        }
        read
    }
}

impl<S> Timed<S> {
    /// Whoever has to wait until the client takes something does not wait for ever.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() { written } else { self.answer.poll(cx).map(|()| late()) }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// The one who writes flushes when it has nothing more to write: then the answer has been taken.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.answer.lift();
        }
        self.in_time(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.in_time(cx, shut)
    }
}

fn late<T>() -> io::Result<T> {
    Err(io::ErrorKind::TimedOut.into())
}

/// Runs from the first time that somebody has to wait.
struct Deadline {
    limit: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    const fn new(limit: Duration) -> Self {
        Self { limit, running: None }
    }

    /// Ready when it has passed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        self.running.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx)
    }

    /// What it was for has come; the next time it starts anew.
    fn lift(&mut self) {
        self.running = None;
    }
}
