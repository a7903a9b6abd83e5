//! Whom the provider trusts when it asks others: the roots of the Internet, and what the settings add.
//!
//! Why Mozilla's list compiled in and not the machine's: it works in an empty container, costs nothing at the start, and
//! the database and mail connections go by it already; who has an authority of his own names it in `ca`. The cipher
//! suites are named here and not process-wide, so that two providers, or their host, do not get into each other's way.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The TLS of a client that trusts these certificates (PEM) beside the usual ones.
pub(super) fn config(ca: &[String]) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in ca {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let certificates = certificates.map_err(|error| format!("ca: {error}"))?;
        if certificates.is_empty() {
            return Err("ca: holds no certificate in PEM".to_owned());
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| format!("ca: {error}"))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
