//! The load client's HTTP: one connection kept alive, one request at a time, no more of HTTP/1.1 than our answers use.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpSocket;

use crate::runtime;

/// What every server here believes its authority is, whatever port it has.
pub(crate) const AUTHORITY: &str = "localhost:8080";

/// A connection to one server.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
    /// From the first byte sent to the last received.
    pub(crate) took: Duration,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// From the n-th address of this machine: what strangers send is counted by address.
    pub(crate) fn open_from(number: u8, address: SocketAddr) -> Self {
        let stream = runtime().block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(([127, 0, 0, number], 0).into()).unwrap();
            socket.connect(address).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        Self::over(stream)
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request and reads its answer, whose length is told by `content-length`.
    pub(crate) fn send(&mut self, request: &[u8]) -> Answer {
        let begun = Instant::now();
        self.stream.write_all(request).unwrap();
        self.received.clear();
        let end = loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.receive();
        };
        let head = String::from_utf8(self.received[..end].to_vec()).unwrap();
        let mut answer =
            Answer { status: head[9..12].parse().unwrap(), head, body: Vec::new(), took: Duration::ZERO };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.received.len() < end + length {
            self.receive();
        }
        answer.body.extend_from_slice(&self.received[end..end + length]);
        answer.took = begun.elapsed();
        answer
    }

    /// The same for a request that must succeed.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Answer {
        let answer = self.send(request);
        assert_eq!(answer.status, 200, "{}{}", answer.head, answer.text());
        answer
    }

    fn receive(&mut self) {
        let mut part = [0; 16 * 1024];
        let read = self.stream.read(&mut part).unwrap();
        assert!(read > 0, "the server closed the connection");
        self.received.extend_from_slice(&part[..read]);
    }
}

impl Answer {
    /// The first header with this name (in small letters).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The cookies that it sets, as the header of the next request.
    pub(crate) fn cookies(&self) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let pairs: Vec<_> = set.filter_map(|(_, cookie)| cookie.split(';').next()).collect();
        format!("Cookie: {}\r\n", pairs.join("; "))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A GET request; each header ends with CR LF.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {AUTHORITY}\r\n{headers}\r\n").into_bytes()
}

/// A posted form; each header ends with CR LF.
pub(crate) fn post(path: &str, headers: &str, form: &str) -> Vec<u8> {
    let length = form.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {AUTHORITY}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n{headers}\r\n{form}"
    )
    .into_bytes()
}

/// Name and value pairs as a form.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
