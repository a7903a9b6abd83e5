//! Deadlines on a connection: for the head of a request, for its body, for the client to take the response, and between
//! two requests.
//!
//! Why not hyper's own: it has one for the head, which it also uses between two requests, where a proxy needs a minute
//! that a slow sender must not have; and it has none for bodies and responses. Each deadline covers the whole phase,
//! not the time between two bytes, so that a slow trickle of bytes does not extend it.

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

use super::limits::ListenerLimits;

/// Whose turn it is on a connection: the server's while it responds, otherwise the client's. A counter that is odd
/// during the server's turn. Clones share it.
#[derive(Clone, Default)]
pub(super) struct ResponsesDue(Arc<AtomicUsize>);

impl ResponsesDue {
    /// Starts the server's turn after a head was read; it lasts until the body of the response has been written.
    pub(super) fn servers(&self) -> ServersTurn {
        self.0.fetch_add(1, Ordering::Relaxed);
        ServersTurn(self.clone())
    }
}

/// Ends the server's turn on drop, whatever the outcome of the request.
pub(super) struct ServersTurn(ResponsesDue);

impl ServersTurn {
    /// Ties the turn to the body of the response.
    pub(super) fn with<B>(self, body: B) -> TrackedBody<B> {
        TrackedBody { body, _turn: self }
    }
}

impl Drop for ServersTurn {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The body of a response, which ends the server's turn.
pub(super) struct TrackedBody<B> {
    body: B,
    _turn: ServersTurn,
}

impl<B: Body + Unpin> Body for TrackedBody<B> {
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

/// The body of a request with a deadline.
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

/// A stream with deadlines for reading and writing.
pub(super) struct Timed<S> {
    stream: S,
    turn: ResponsesDue,
    /// The turn at the last check.
    seen: usize,
    waits_for: WaitsFor,
    head: Deadline,
    idle: Deadline,
    answer: Deadline,
}

/// The phase in which the server waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WaitsFor {
    /// The rest of a head, or the start of the first one.
    Head,
    /// The start of another request.
    Request,
    /// No deadline: the server responds.
    Nothing,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S, turn: ResponsesDue, limits: &ListenerLimits) -> Self {
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
    /// Updates the phase by the current turn.
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
    /// Limits the time that a write waits for the client to take data.
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

    /// Lifts the deadline: a flush that completes means that the client has taken the response.
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

/// A deadline that starts when it is first polled.
struct Deadline {
    limit: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    const fn new(limit: Duration) -> Self {
        Self { limit, running: None }
    }

    /// Ready when the deadline has passed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        self.running.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx)
    }

    /// Cancels the deadline; the next poll starts it again.
    fn lift(&mut self) {
        self.running = None;
    }
}
