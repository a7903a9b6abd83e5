//! A mail server over real sockets: RFC 5321 as far as a client of ours goes, STARTTLS, and the ways servers fail.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What goes wrong with one mail; after that all is well.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// This answer to `RCPT`.
    Refuse(&'static str),
    /// The connection is closed after half of the mail.
    DropInData,
    /// The connection is closed after the whole mail, without an answer.
    DropAfterData,
    /// Nothing is ever said.
    Silence,
}

/// A mail as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) encrypted: bool,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) data: String,
}

/// A running server.
pub(crate) struct SmtpServer {
    pub(crate) port: u16,
    /// What signed its certificate, PEM.
    pub(crate) ca: String,
    state: Arc<State>,
}

struct State {
    offers_tls: bool,
    /// Time before each answer.
    pause: Duration,
    tls: TlsAcceptor,
    troubles: Mutex<VecDeque<Trouble>>,
    received: Mutex<Vec<Received>>,
}

impl SmtpServer {
    pub(crate) async fn start(offers_tls: bool, troubles: &[Trouble]) -> Self {
        Self::start_with_pause(offers_tls, troubles, Duration::ZERO).await
    }

    /// A server that waits this long before each answer.
    pub(crate) async fn start_with_pause(offers_tls: bool, troubles: &[Trouble], pause: Duration) -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![cert.der().clone()], key).unwrap();
        let state = Arc::new(State {
            offers_tls,
            pause,
            tls: TlsAcceptor::from(Arc::new(config)),
            troubles: Mutex::new(troubles.iter().copied().collect()),
            received: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Clients may go away at any moment.
                let state = own.clone();
                tokio::spawn(async move { drop(state.greet(stream).await) });
            }
        });
        Self { port, ca: cert.pem(), state }
    }

    /// The same server, told of as if the other's authority had signed its certificate.
    pub(crate) fn mistaken_for(self, other: &Self) -> Self {
        Self { ca: other.ca.clone(), ..self }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }
}

impl State {
    async fn greet(&self, mut stream: TcpStream) -> std::io::Result<()> {
        if self.troubles.lock().unwrap().front() == Some(&Trouble::Silence) {
            return std::future::pending().await;
        }
        stream.write_all(b"220 mail.test ESMTP\r\n").await?;
        let mut stream = BufReader::new(stream);
        if self.converse(&mut stream, false).await? {
            let stream = self.tls.accept(stream.into_inner()).await?;
            self.converse(&mut BufReader::new(stream), true).await?;
        }
        Ok(())
    }

    /// `true`: the client goes on in TLS.
    async fn converse<S>(&self, stream: &mut BufReader<S>, encrypted: bool) -> std::io::Result<bool>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut from, mut to) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(false);
            }
            let verb = line.trim_end().to_ascii_uppercase();
            let answer = match verb.split([' ', ':']).next().unwrap() {
                "EHLO" if self.offers_tls && !encrypted => "250-mail.test\r\n250 STARTTLS\r\n",
                "EHLO" => "250-mail.test\r\n250 8BITMIME\r\n",
                "STARTTLS" if self.offers_tls && !encrypted => {
                    stream.write_all(b"220 go on\r\n").await?;
                    return Ok(true);
                }
                "MAIL" => {
                    from = line;
                    "250 ok\r\n"
                }
                "RCPT" => {
                    to = line;
                    let mut troubles = self.troubles.lock().unwrap();
                    match troubles.front().copied() {
                        Some(Trouble::Refuse(answer)) => {
                            troubles.pop_front();
                            answer
                        }
                        _ => "250 ok\r\n",
                    }
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let trouble = self.troubles.lock().unwrap().pop_front();
                    let mut data = String::new();
                    while !data.ends_with("\r\n.\r\n") {
                        if trouble == Some(Trouble::DropInData) && data.len() > 100
                            || stream.read_line(&mut data).await? == 0
                        {
                            return Ok(false);
                        }
                    }
                    let mail = Received { encrypted, from: from.clone(), to: to.clone(), data };
                    self.received.lock().unwrap().push(mail);
                    if trouble == Some(Trouble::DropAfterData) {
                        return Ok(false);
                    }
                    "250 taken\r\n"
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await?;
                    return Ok(false);
                }
                "RSET" | "NOOP" => "250 ok\r\n",
                _ => "502 no\r\n",
            };
            tokio::time::sleep(self.pause).await;
            stream.write_all(answer.as_bytes()).await?;
        }
    }
}
