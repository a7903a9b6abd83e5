//! Who and what is in the measured provider, and how it is filled with rows by the million.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use vestibule::domain::settings::PasswordCost;

use crate::place::Place;

/// The domain of the one tenant.
pub(crate) const TENANT: &str = "bench.test";
/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// Every client's secret.
pub(crate) const SECRET: &str = "a client secret of more than 32 characters";
/// Every administrator's authenticator.
pub(crate) const TOTP: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
/// The redirect URI of every client; no server listens there.
pub(crate) const REDIRECT_URI: &str = "http://localhost:9/callback";
/// How many users there are, and how many administrators.
pub(crate) const USERS: usize = 2048;

/// With hashes at the product's own cost.
pub(crate) fn delivered() -> Value {
    document(USERS, PasswordCost::default())
}

/// With hashes that cost nothing.
pub(crate) fn without_hashes() -> Value {
    document(USERS, PasswordCost::CHEAPEST)
}

/// With one user.
pub(crate) fn small() -> Value {
    document(1, PasswordCost::CHEAPEST)
}

fn document(users: usize, cost: PasswordCost) -> Value {
    let hash = phc(cost);
    let user = |name: String, roles: &[&str], authenticators: Value| {
        json!({ "tenant": TENANT, "username": name, "password_hash": hash, "roles": roles,
                "email": format!("{name}@{TENANT}"), "name": "Ada Lovelace", "given_name": "Ada",
                "family_name": "Lovelace", "authenticators": authenticators })
    };
    let plain = (0..users).map(|n| user(format!("user{n}"), &[], json!([])));
    let totp = json!([{ "kind": "totp", "secret": TOTP }]);
    let administrators = (0..users).map(|n| user(format!("admin{n}"), &["admin"], totp.clone()));
    json!({
        "tenants": [{ "domain": TENANT, "name": "Bench" }],
        "users": plain.chain(administrators).collect::<Vec<_>>(),
        "clients": [
            client("es256", "ES256", "jwt"),
            client("rs256", "RS256", "jwt"),
            client("opaque", "ES256", "opaque"),
        ],
    })
}

/// A client whose ID tokens are signed by an algorithm, and whose access tokens have a format.
fn client(id: &str, algorithm: &str, format: &str) -> Value {
    json!({
        "client_id": id,
        "client_secret": SECRET,
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "openid profile email offline_access machine",
        "id_token_signed_response_alg": algorithm,
        "access_token_format": format,
        "require_consent": false,
    })
}

/// The password's hash at a cost.
fn phc(cost: PasswordCost) -> String {
    let PasswordCost { memory_kib, passes } = cost;
    let params = Params::new(memory_kib, passes, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (salt, mut output) = ([1; 16], [0; 32]);
    argon2.hash_password_into(PASSWORD.as_bytes(), &salt, &mut output).unwrap();
    let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
    format!("$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${output}")
}

/// Adds so many users to the tenant: copies of the first, each with an id that falls anywhere in the index.
pub(crate) fn add_users(place: &Place, number: i64) {
    place.fill(
        "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
         INSERT INTO users
             (id, tenant_id, username, username_key, password_hash, disabled, roles, profile, updated_at)
         SELECT '00000000-0000-4000-8000-' || (100000000000 + i * 762939453127 % 900000000000), tenant_id,
             'more' || i, 'more' || i, password_hash, disabled, roles, profile, updated_at
         FROM n, users WHERE username_key = 'user0' AND i <= $1",
        number,
    );
}

/// Adds so many tenants: copies of the first, under other domains.
pub(crate) fn add_tenants(place: &Place, number: i64) {
    place.fill(
        "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
         INSERT INTO tenants (id, domain, name, disabled, locale, policy, branding)
         SELECT '00000000-0000-4000-9000-' || (100000000000 + i * 762939453127 % 900000000000),
             't' || i || '.test', name, disabled, locale, policy, branding
         FROM n, tenants WHERE domain = 'bench.test' AND i <= $1",
        number,
    );
}

/// Adds so many grants: copies of one that exists.
pub(crate) fn add_grants(place: &Place, number: i64) {
    place.fill(
        "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
         INSERT INTO grants (id, issuer_id, client_issuer_id, client_id, user_id, session_id, scope, claims, context,
             created_at, expires_at)
         SELECT '00000000-0000-4000-a000-' || (100000000000 + i * 762939453127 % 900000000000), issuer_id,
             client_issuer_id, client_id, user_id, 'more' || i, scope, claims, context, created_at, expires_at
         FROM n, (SELECT * FROM grants ORDER BY id LIMIT 1) one WHERE i <= $1",
        number,
    );
}
