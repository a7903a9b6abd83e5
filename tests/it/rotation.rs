//! Two hundred rotations, seen by clients that keep the key set as long as they may and not a second less.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use vestibule::domain::client::SigningAlgorithm;
use vestibule::domain::ids::IssuerId;
use vestibule::ext::Clock;
use vestibule::testing::{Application, TestIdp};
use vestibule::{Rotated, Rotation};

const SECRET: &str = "a secret of at least 32 characters, for a robot";
const WORLD: &str = r#"
    [[clients]]
    client_id = "robot"
    client_secret = "a secret of at least 32 characters, for a robot"
    grant_types = ["client_credentials"]
    access_token_signed_response_alg = "ES256"
"#;

const ROTATIONS: usize = 200;
/// Seconds between two looks; the life of a token is no multiple of it, nor is that of a key set.
const STEP: u64 = 47;
/// Steps of one rotation: longer than a key waits, so that each key signs for a while.
const STEPS: u64 = 16;
const TOKEN_LIFE: i64 = 300;

/// An API that checks tokens by the key set it keeps. It never asks early, not even for a `kid` it does not know.
struct Api {
    keys: JwkSet,
    fresh_until: i64,
}

impl Api {
    async fn verifies(&mut self, node: &TestIdp, token: &str) -> bool {
        let now = node.clock().now().unix();
        if now >= self.fresh_until {
            let answer = node.browser().get(&format!("{}/jwks", TestIdp::ISSUER)).await;
            let max_age = answer.headers["cache-control"].to_str().unwrap().rsplit('=').next().unwrap();
            self.fresh_until = now + max_age.parse::<i64>().unwrap();
            self.keys = serde_json::from_str(&answer.body).unwrap();
        }
        let kid = decode_header(token).unwrap().kid.unwrap();
        let Some(jwk) = self.keys.find(&kid) else { return false };
        let mut validation = Validation::new(Algorithm::ES256);
        // The clock of the test is not the machine's.
        validation.validate_exp = false;
        validation.set_audience(&[TestIdp::ISSUER]);
        decode::<Value>(token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).is_ok()
    }
}

async fn token(robot: &Application) -> String {
    let answer = robot.token_with(&[("grant_type", "client_credentials")]).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_client_ever_misses_a_key() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let one = TestIdp::with(WORLD).await;
    let two = one.node().await;
    let nodes = [&one, &two];
    let robots = nodes.map(|node| node.application("robot", "").secret(SECRET));
    // Each begins to look at another moment, so that together they hold key sets of every age.
    let mut apis: Vec<Api> =
        (0..3).map(|_| Api { keys: JwkSet { keys: Vec::new() }, fresh_until: 0 }).collect();
    let mut alive: Vec<(i64, String)> = Vec::new();
    let (mut checked, mut signers) = (0_u32, std::collections::BTreeSet::new());
    for rotation in 0..ROTATIONS {
        let by = nodes[rotation % 2].idp();
        token(&robots[0]).await;
        let made = by.rotate_key(&IssuerId::root(), SigningAlgorithm::Es256, Rotation::Gentle).await;
        assert!(matches!(made, Ok(Rotated::Key(_))), "{made:?}");
        for step in 0..STEPS {
            one.clock().advance(Duration::from_secs(STEP));
            nodes[usize::from(step % 2 == 0)].idp().tend_keys().await.unwrap();
            let now = one.clock().now().unix();
            // Tokens are checked when they are new and as long as they live.
            alive.retain(|(expires, _)| *expires > now);
            for robot in &robots {
                let token = token(robot).await;
                signers.insert(decode_header(&token).unwrap().kid.unwrap());
                alive.push((now + TOKEN_LIFE, token));
            }
            let looking =
                if rotation == 0 { usize::try_from(step).unwrap().min(apis.len()) } else { apis.len() };
            for (number, api) in apis.iter_mut().take(looking).enumerate() {
                for (expires, token) in &alive {
                    let node = nodes[(number + rotation) % 2];
                    assert!(
                        api.verifies(node, token).await,
                        "rotation {rotation}, expires in {}",
                        expires - now
                    );
                    checked += 1;
                }
            }
        }
    }
    assert!(
        signers.len() >= ROTATIONS && checked > 100_000,
        "{} keys signed, {checked} checks",
        signers.len()
    );
}
