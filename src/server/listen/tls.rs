//! TLS with a certificate and key from two files that are checked periodically: renewing a certificate needs no other
//! action, and SIGHUP applies it at once.
//!
//! Certificate and key are written one after the other, possibly in pieces. So a pair is used only if neither file has
//! changed between two checks or while they were read, and if the key fits the certificate. If a pair is invalid, that
//! is logged and the previous one is kept.
//!
//! Only HTTP/1.1 is offered. Why no HTTP/2: its floods (rapid reset, CONTINUATION) need limits of their own, and the
//! provider serves small responses, three for a page.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The last valid certificate and key. Clones share them.
#[derive(Clone)]
pub(crate) struct Tls(Arc<TlsState>);

struct TlsState {
    cert: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<ServerConfig>>,
    looks: Mutex<FileChecks>,
}

/// The states of the files.
struct FileChecks {
    /// The state when they were last read.
    read: FileStamps,
    /// The state at the last check.
    last: FileStamps,
}

/// Modification time and size of each file, by which a replacement is detected.
type FileStamps = [Option<(SystemTime, u64)>; 2];

impl Tls {
    /// Reads both files. The error names the setting and contains nothing of the key.
    pub(crate) fn load(cert: &Path, key: &Path) -> Result<Self, String> {
        let seen = look(cert, key);
        Ok(Self(Arc::new(TlsState {
            cert: cert.to_owned(),
            key: key.to_owned(),
            current: RwLock::new(read(cert, key)?),
            looks: Mutex::new(FileChecks { read: seen, last: seen }),
        })))
    }

    /// Checks the files, and reads them if they have changed since the last reading but not since the last check.
    pub(crate) fn renew(&self) {
        self.look_again(false);
    }

    /// Reads the files if they have changed; the caller knows that they are complete.
    pub(crate) fn renew_now(&self) {
        self.look_again(true);
    }

    fn look_again(&self, whole: bool) {
        let TlsState { cert, key, current, looks } = self.0.as_ref();
        let mut looks = looks.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = look(cert, key);
        let settled = whole || seen == looks.last;
        looks.last = seen;
        if seen == looks.read || !settled {
            return;
        }
        let pair = read(cert, key);
        if look(cert, key) != seen {
            return;
        }
        looks.read = seen;
        match pair {
            Ok(config) => {
                *current.write().unwrap_or_else(PoisonError::into_inner) = config;
                tracing::info!(cert = %cert.display(), "using the new certificate");
            }
            Err(problem) => {
                tracing::error!(%problem, "the new certificate is invalid; keeping the old one");
            }
        }
    }

    /// Performs the handshake with the current certificate.
    pub(super) async fn accept<S>(&self, stream: S) -> std::io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn look(cert: &Path, key: &Path) -> FileStamps {
    [cert, key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("tls.cert: {}: {error}", cert.display()))?;
    if chain.is_empty() {
        return Err(format!("tls.cert: {}: holds no certificate in PEM", cert.display()));
    }
    let key =
        PrivateKeyDer::from_pem_file(key).map_err(|error| format!("tls.key: {}: {error}", key.display()))?;
    let unusable = |error: rustls::Error| format!("tls.cert and tls.key: {}: {error}", cert.display());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let mut config = config.with_no_client_auth().with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, RootCertStore};
    use tokio::io::duplex;
    use tokio_rustls::TlsConnector;

    use super::*;

    type Pair = CertifiedKey<KeyPair>;

    fn pair() -> Pair {
        generate_simple_self_signed(["id.test".to_owned()]).unwrap()
    }

    /// A folder with both files; each write has another modification time.
    struct Files {
        folder: PathBuf,
        seconds: u64,
    }

    impl Files {
        fn new(name: &str, pair: &Pair) -> Self {
            let folder = std::env::temp_dir().join(format!("vestibule-tls-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let mut files = Self { folder, seconds: 0 };
            files.write("cert.pem", &pair.cert.pem());
            files.write("key.pem", &pair.signing_key.serialize_pem());
            files
        }

        fn write(&mut self, name: &str, text: &str) {
            let path = self.folder.join(name);
            std::fs::write(&path, text).unwrap();
            self.seconds += 1;
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(self.seconds);
            File::options().append(true).open(&path).unwrap().set_modified(at).unwrap();
        }

        fn load(&self) -> Result<Tls, String> {
            Tls::load(&self.folder.join("cert.pem"), &self.folder.join("key.pem"))
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.folder));
        }
    }

    /// Returns whether a client sees this certificate.
    async fn shows(tls: &Tls, pair: &Pair) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(pair.cert.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (client, server) = duplex(64 * 1024);
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("id.test").unwrap();
        let (client, _) = tokio::join!(connector.connect(name, client), tls.accept(server));
        client.is_ok()
    }

    #[tokio::test]
    async fn a_renewed_pair_is_taken_when_both_files_have_come_to_rest() {
        let (old, new) = (pair(), pair());
        let mut files = Files::new("renewed", &old);
        let tls = files.load().unwrap();
        assert!(shows(&tls, &old).await && !shows(&tls, &new).await);
        let cert = new.cert.pem();
        for part in [&cert[..0], &cert[..cert.len() / 2], &cert] {
            files.write("cert.pem", part);
            for _ in 0..3 {
                tls.renew();
                assert!(shows(&tls, &old).await, "its key is not there yet");
            }
        }
        files.write("key.pem", &new.signing_key.serialize_pem());
        tls.renew();
        assert!(shows(&tls, &old).await, "the key may be in the middle of being written");
        tls.renew();
        assert!(shows(&tls, &new).await && !shows(&tls, &old).await);
    }

    #[tokio::test]
    async fn who_asks_need_not_wait() {
        let (old, new) = (pair(), pair());
        let mut files = Files::new("asked", &old);
        let tls = files.load().unwrap();
        files.write("key.pem", &new.signing_key.serialize_pem());
        files.write("cert.pem", &new.cert.pem());
        tls.renew_now();
        assert!(shows(&tls, &new).await);
    }

    /// And a pair that becomes valid later is used.
    #[tokio::test]
    async fn what_cannot_be_used_changes_nothing() {
        let (old, new) = (pair(), pair());
        let mut files = Files::new("broken", &old);
        let tls = files.load().unwrap();
        for (cert, key) in [
            (new.cert.pem(), old.signing_key.serialize_pem()),
            (String::new(), new.signing_key.serialize_pem()),
            ("hello".to_owned(), "hello".to_owned()),
            (new.signing_key.serialize_pem(), new.cert.pem()),
        ] {
            files.write("cert.pem", &cert);
            files.write("key.pem", &key);
            tls.renew_now();
            assert!(shows(&tls, &old).await, "{cert}");
        }
        std::fs::remove_file(files.folder.join("cert.pem")).unwrap();
        tls.renew_now();
        assert!(shows(&tls, &old).await);
        files.write("cert.pem", &new.cert.pem());
        files.write("key.pem", &new.signing_key.serialize_pem());
        tls.renew_now();
        assert!(shows(&tls, &new).await);
    }

    #[test]
    fn a_start_without_a_usable_pair_names_the_setting_and_not_the_key() {
        let (one, other) = (pair(), pair());
        let mut files = Files::new("start", &one);
        let key = other.signing_key.serialize_pem();
        for (name, text, told) in [
            ("key.pem", key.as_str(), "tls.cert and tls.key: "),
            ("key.pem", "hello", "tls.key: "),
            ("cert.pem", "hello", "tls.cert: "),
        ] {
            files.write(name, text);
            let problem = files.load().err().unwrap();
            assert!(problem.starts_with(told) && !problem.contains("hello"), "{problem}");
        }
        std::fs::remove_file(files.folder.join("cert.pem")).unwrap();
        assert!(files.load().err().unwrap().starts_with("tls.cert: "));
    }
}
