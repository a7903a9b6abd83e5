//! The certificate authorities trusted for outbound connections: the public roots, and those in the settings.
//!
//! Why Mozilla's compiled-in list and not the machine's: it works in an empty container, costs nothing at the start,
//! and the database and mail connections use it already; other authorities are named in `ca`. The cipher suites are
//! chosen here and not process-wide, so that several providers and their host do not affect each other.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The TLS configuration that trusts these certificates (PEM) besides the public roots.
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
