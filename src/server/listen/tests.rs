//! Slow clients: each deadline is tested alone, with all others an hour away, so that a test ends by the one under test
//! or not at all.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::*;

const SHORT: Duration = Duration::from_millis(20);
const NEVER: Duration = Duration::from_hours(1);
/// Larger than any socket buffer.
const LARGE: usize = 32 << 20;

/// All deadlines far away.
fn patient() -> ListenerLimits {
    ListenerLimits {
        handshake: NEVER,
        head: NEVER,
        body: NEVER,
        answer: NEVER,
        idle: NEVER,
        ..ListenerLimits::default()
    }
}

async fn open(limits: ListenerLimits) -> (SocketAddr, ConnectionLimit) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let listener = Listener::new(socket, limits, &[]);
    let seats = listener.seats().clone();
    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/form", post(|body: Bytes| async move { body }))
        .route("/large", get(|| async { vec![b'x'; LARGE] }))
        .route("/slow", get(|| async { sleep(SHORT * 10).await }));
    tokio::spawn(listener.serve_aside(app));
    (address, seats)
}

/// Reads until the other side closes or resets; the limit is a minute.
async fn rest(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    let end = timeout(Duration::from_mins(1), stream.read_to_end(&mut all)).await;
    drop(end.unwrap_or_else(|_| panic!("still open after {:?}", String::from_utf8_lossy(&all))));
    String::from_utf8(all).unwrap()
}

/// Reads one response without chunks on a connection that stays open.
async fn answer(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    loop {
        let text = String::from_utf8(all.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return text;
            }
        }
        all.push(stream.read_u8().await.unwrap());
    }
}

async fn until_nobody_is_left(seats: &ConnectionLimit) {
    timeout(Duration::from_mins(1), async {
        while seats.figures().taken > 0 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("somebody is left");
}

/// Sends single bytes until the other side closes; returns its response.
async fn trickle(mut stream: TcpStream) -> String {
    let (mut reader, mut writer) = stream.split();
    let drip = async {
        while writer.write_all(b"x").await.is_ok() {
            sleep(SHORT / 10).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        said = rest(&mut reader) => said,
        () = drip => String::new(),
    }
}

#[tokio::test]
async fn a_head_has_to_come_in_time() {
    let (address, seats) = open(ListenerLimits { head: SHORT, ..patient() }).await;
    for begun in ["", "G", "GET / HTTP/1.1\r\nHost: id.test\r\nX-Slow: "] {
        let mut still = TcpStream::connect(address).await.unwrap();
        still.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut still).await, "", "{begun}");
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(begun.as_bytes()).await.unwrap();
        trickle(slow).await;
    }
    until_nobody_is_left(&seats).await;
}

#[tokio::test]
async fn a_second_head_has_to_come_in_time_too() {
    let (address, _) = open(ListenerLimits { head: SHORT, ..patient() }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: id.test\r\n\r\n").await.unwrap();
    assert!(answer(&mut stream).await.ends_with("hello"));
    sleep(SHORT * 10).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: id.test\r\n\r\n").await.unwrap();
    assert!(answer(&mut stream).await.ends_with("hello"), "a pause between requests is none in a head");
    stream.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").await.unwrap();
    trickle(stream).await;
}

#[tokio::test]
async fn a_body_has_to_come_in_time() {
    let (address, seats) = open(ListenerLimits { body: SHORT, ..patient() }).await;
    let sized = "POST /form HTTP/1.1\r\nHost: id.test\r\nContent-Length: 100000\r\n\r\n";
    let chunked = "POST /form HTTP/1.1\r\nHost: id.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    for head in [sized, chunked] {
        let mut still = TcpStream::connect(address).await.unwrap();
        still.write_all(head.as_bytes()).await.unwrap();
        let said = rest(&mut still).await;
        assert!(said.starts_with("HTTP/1.1 4"), "{said}");
    }
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(sized.as_bytes()).await.unwrap();
    trickle(slow).await;
    until_nobody_is_left(&seats).await;
}

#[tokio::test]
async fn an_answer_has_to_be_taken_in_time() {
    let (address, seats) = open(ListenerLimits { answer: SHORT, ..patient() }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: id.test\r\n\r\n").await.unwrap();
    // It takes the beginning, and then single bytes.
    let mut byte = [0];
    timeout(Duration::from_mins(1), async {
        while seats.figures().taken > 0 {
            drop(stream.read(&mut byte).await);
            sleep(SHORT / 10).await;
        }
    })
    .await
    .expect("it is still served");
}

#[tokio::test]
async fn nobody_stays_without_a_request() {
    let (address, _) = open(ListenerLimits { idle: SHORT, ..patient() }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"POST /form HTTP/1.1\r\nHost: id.test\r\nContent-Length: 5\r\n\r\nhello")
        .await
        .unwrap();
    assert!(rest(&mut stream).await.ends_with("hello"));
}

#[tokio::test]
async fn the_servers_own_time_is_not_the_clients() {
    let limits = ListenerLimits { head: SHORT, body: SHORT, answer: SHORT, ..patient() };
    let (address, _) = open(limits).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: id.test\r\n\r\n").await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_large_answer_arrives_whole() {
    let (address, _) = open(patient()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: id.test\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(rest(&mut stream).await.len() > LARGE);
}

/// A head larger than the limit is rejected.
#[tokio::test]
async fn a_head_is_bounded() {
    let (address, _) = open(patient()).await;
    let many = "X: y\r\n".repeat(200);
    let long = format!("X: {}\r\n", "y".repeat(100_000));
    for headers in [many, long] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: id.test\r\n{headers}\r\n");
        drop(stream.write_all(request.as_bytes()).await);
        let said = rest(&mut stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 431"), "{said}");
    }
}

#[tokio::test]
async fn who_finds_no_seat_is_told_and_beyond_that_not_even_that() {
    let (address, seats) = open(ListenerLimits { connections: 1, spare: 1, ..patient() }).await;
    let ask = "GET / HTTP/1.1\r\nHost: id.test\r\n\r\n";
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(ask.as_bytes()).await.unwrap();
    assert!(answer(&mut first).await.ends_with("hello"));
    let mut second = TcpStream::connect(address).await.unwrap();
    let third = async {
        let mut third = TcpStream::connect(address).await.unwrap();
        rest(&mut third).await
    };
    while seats.figures().taken < 2 {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(third.await, "");
    assert_eq!(seats.figures(), SeatFigures { taken: 2, refused: 1 });
    second.write_all(ask.as_bytes()).await.unwrap();
    let told = rest(&mut second).await;
    assert!(told.starts_with("HTTP/1.1 503") && told.contains("retry-after: 5"), "{told}");
    drop(first);
    until_nobody_is_left(&seats).await;
    let mut next = TcpStream::connect(address).await.unwrap();
    next.write_all(ask.as_bytes()).await.unwrap();
    assert!(answer(&mut next).await.ends_with("hello"));
}

#[tokio::test]
async fn a_handshake_has_to_end_in_time() {
    let made = rcgen::generate_simple_self_signed(["id.test".to_owned()]).unwrap();
    let file = |name: &str| std::env::temp_dir().join(format!("vestibule-{name}-{}", std::process::id()));
    let (cert, key) = (file("handshake-cert"), file("handshake-key"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = Tls::load(&cert, &key).unwrap();
    for path in [cert, key] {
        std::fs::remove_file(path).unwrap();
    }
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let listener =
        Listener::new(socket, ListenerLimits { handshake: SHORT, ..patient() }, &[]).with_tls(Some(tls));
    let seats = listener.seats().clone();
    tokio::spawn(listener.serve_aside(Router::new()));
    // No data, and the beginning of a record that announces more.
    for begun in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(begun).await.unwrap();
        rest(&mut stream).await;
    }
    until_nobody_is_left(&seats).await;
}
