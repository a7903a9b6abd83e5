//! An authenticator made of software: key pairs with counters, and answers as browsers write them (Web Authentication
//! Level 3 §6.1, §6.5). Everything that an honest one would never do can be set.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use vestibule::testing::Answer;

/// An authenticator with one key pair.
pub(crate) struct SoftKey {
    key: EcdsaKeyPair,
    /// What it calls its key.
    pub(crate) id: String,
    /// The user handle stored with the key.
    pub(crate) user_handle: Option<String>,
    /// What it counts; `None`: it does not.
    pub(crate) counter: Option<u32>,
    /// Does it verify its user?
    pub(crate) verifies: bool,
    /// May its key be copied?
    pub(crate) synchronised: bool,
    /// What its browser says that the page's origin is.
    pub(crate) origin: String,
    /// The host name that it signs for.
    pub(crate) rp_id: String,
    /// The public key that it registers instead of its own.
    pub(crate) registers: Option<Vec<u8>>,
}

/// What the form of a page asks the browser.
pub(crate) fn asked(page: &Answer) -> Value {
    let (_, rest) = page.body.split_once("data-passkey=\"").expect(&page.body);
    let options = rest.split('"').next().unwrap();
    let options = options.replace("&#34;", "\"").replace("&#38;", "&").replace("&#60;", "<");
    serde_json::from_str::<Value>(&options).expect(&options)["publicKey"].clone()
}

impl SoftKey {
    /// A telephone's, for this issuer: it verifies its user and synchronises its key, so it does not count.
    pub(crate) fn phone(issuer: &str, id: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let url = url::Url::parse(issuer).unwrap();
        Self {
            key,
            id: BASE64.encode(format!("{id:-<16}")),
            user_handle: None,
            counter: None,
            verifies: true,
            synchronised: true,
            origin: url.origin().ascii_serialization(),
            rp_id: url.host_str().unwrap().to_owned(),
            registers: None,
        }
    }

    /// A stick without a PIN: it counts, and knows nothing but that it was touched.
    pub(crate) fn stick(issuer: &str, id: &str) -> Self {
        Self { counter: Some(0), verifies: false, synchronised: false, ..Self::phone(issuer, id) }
    }

    /// Answers a page that asks for a new key.
    pub(crate) fn create(&mut self, page: &Answer) -> String {
        let options = asked(page);
        self.user_handle = Some(options["user"]["id"].as_str().unwrap().to_owned());
        let client_data = self.client_data("webauthn.create", &options);
        let mut attested = self.authenticator_data(0b0100_0000);
        let id = BASE64.decode(&self.id).unwrap();
        attested.extend([0; 16]);
        attested.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        attested.extend(&id);
        attested.extend(self.registers.clone().unwrap_or_else(|| self.cose_key()));
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        attestation.extend(u16::try_from(attested.len()).unwrap().to_be_bytes());
        attestation.extend(attested);
        self.answer(&json!({
            "clientDataJSON": BASE64.encode(client_data),
            "attestationObject": BASE64.encode(attestation),
            "transports": ["internal", "something-new"],
        }))
    }

    /// Answers a page that asks for a key.
    pub(crate) fn get(&mut self, page: &Answer) -> String {
        self.get_for(&asked(page))
    }

    /// Answers this question.
    pub(crate) fn get_for(&mut self, options: &Value) -> String {
        let client_data = self.client_data("webauthn.get", options);
        self.counter = self.counter.map(|counter| counter + 1);
        let authenticator_data = self.authenticator_data(0);
        let hash = digest(&SHA256, client_data.as_bytes());
        let signed = [&authenticator_data, hash.as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        self.answer(&json!({
            "clientDataJSON": BASE64.encode(client_data),
            "authenticatorData": BASE64.encode(authenticator_data),
            "signature": BASE64.encode(signature),
            "userHandle": self.user_handle,
        }))
    }

    fn answer(&self, response: &Value) -> String {
        json!({ "id": self.id, "rawId": self.id, "type": "public-key", "response": response }).to_string()
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let (challenge, origin) = (&options["challenge"], &self.origin);
        json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false }).to_string()
    }

    /// §6.1: the hash of the host name, flags, counter.
    fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        let (verified, synchronised) =
            (u8::from(self.verifies) << 2, u8::from(self.synchronised) * 0b0001_1000);
        data.push(flags | 1 | verified | synchronised);
        data.extend(self.counter.unwrap_or_default().to_be_bytes());
        data
    }

    /// The public key for ES256 (RFC 9053 §7.1.1).
    pub(crate) fn cose_key(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let mut key = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".to_vec();
        key.extend(&point[1..33]);
        key.extend(b"\x22\x58\x20");
        key.extend(&point[33..65]);
        key
    }
}
