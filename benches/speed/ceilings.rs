//! Ceilings: what the unavoidable part of each operation costs by itself, on this machine and in this minute.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use vestibule::domain::ids::Hash;
use vestibule::domain::settings::PasswordCost;
use vestibule::domain::tenant::TenantDomain;
use vestibule::domain::time::Time;
use vestibule::storage::attempts::{AttemptKind, Budget, Rate};
use vestibule::storage::{Db, attempts, tenants};

use crate::http::get;
use crate::load::{CLIENTS, cost_of, micros};
use crate::place::Place;
use crate::process::{Server, Spent};
use crate::world::PASSWORD;
use crate::{runtime, world};

/// Microseconds of CPU time each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ceilings {
    /// S: an RS256 signature (2048 bits) with the key in memory.
    pub(crate) rs256: f64,
    /// S: an ES256 signature with the key in memory.
    pub(crate) es256: f64,
    /// Argon2id with the product's parameters and implementation, the memory at hand.
    pub(crate) argon2: f64,
    /// The same by the reference implementation, which checks what is stored.
    pub(crate) reference_argon2: f64,
    /// H: a bare axum answer.
    pub(crate) http: f64,
    /// R: one indexed read through the store.
    pub(crate) read: f64,
    /// W: one durable write of two statements, with 16 callers to share commits.
    pub(crate) write: f64,
}

/// What the ceilings are measured with.
pub(crate) struct Bench {
    rsa: RsaKeyPair,
    ecdsa: EcdsaKeyPair,
    bare: Server,
    db: Db,
    _place: Place,
}

impl Bench {
    pub(crate) fn new(database: Option<&str>) -> Self {
        let place = Place::new(database);
        place.apply_without_hashes(&world::small());
        let db = runtime().block_on(Db::open(&place.database)).unwrap();
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ecdsa: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            bare: Server::bare(&place),
            db,
            _place: place,
        }
    }

    /// Measures all of them.
    pub(crate) fn measure(&self, long: Duration) -> Ceilings {
        let random = SystemRandom::new();
        let message = [7; 700];
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        Ceilings {
            rs256: repeat(long, || {
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature).unwrap();
            }),
            es256: repeat(long, || {
                self.ecdsa.sign(&random, &message).unwrap();
            }),
            argon2: on_all_cores(|| argon2(long)),
            reference_argon2: on_all_cores(|| reference_argon2(long)),
            http: cost_of(&self.bare, long, &get("/", "")),
            read: self.tasks(long, read),
            write: self.tasks(long, write),
        }
    }

    /// What one operation costs when 16 tasks do it again and again.
    fn tasks<F: Future<Output = ()> + Send + 'static>(&self, long: Duration, work: fn(Db, u64) -> F) -> f64 {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (before, first) = (Spent::own(), NUMBER.load(Ordering::Relaxed));
        runtime().block_on(async {
            let end = Instant::now() + long;
            let tasks: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    let db = self.db.clone();
                    tokio::spawn(async move {
                        while Instant::now() < end {
                            work(db.clone(), NUMBER.fetch_add(1, Ordering::Relaxed)).await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        micros(Spent::own().since(&before)) / (NUMBER.load(Ordering::Relaxed) - first) as f64
    }
}

async fn read(db: Db, _: u64) {
    let domain = TenantDomain::parse(world::TENANT).unwrap();
    let found = tenants::by_domain(&mut db.read().tx(), &domain).await.unwrap();
    assert!(found.is_some());
}

/// Two rows are added.
async fn write(db: Db, number: u64) {
    let written = db.write(move |tx| {
        Box::pin(async move {
            let now = Time::from_unix(1_800_000_000);
            let key = Hash::new(format!("{number:043}"));
            let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
            let budget = Budget { tries: 5, first_lock: minute, longest_lock: hour, hard_stop: 100 };
            attempts::reserve(tx, &key, AttemptKind::Password, now, &budget).await?;
            attempts::flow(tx, &key, now, Rate { count: 10, per: minute }).await
        })
    });
    assert!(written.await.unwrap());
}

/// On every core at once, as in a provider that many people sign in to: they share the memory's bandwidth.
fn on_all_cores(one: impl Fn() -> f64 + Sync) -> f64 {
    let cores = std::thread::available_parallelism().unwrap().get();
    let costs: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(&one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    costs.iter().sum::<f64>() / cores as f64
}

#[cfg(feature = "simd-argon2")]
fn argon2(long: Duration) -> f64 {
    use argon2_rust::{Algorithm, Argon2, Params, Version, params::Memory};

    let PasswordCost { memory_kib, passes } = PasswordCost::default();
    let params = Params::builder().memory(Memory::kib(memory_kib.into())).passes(passes).build().unwrap();
    let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hasher();
    let mut output = [0; 32];
    repeat(long, || hasher.hash_into(PASSWORD.as_bytes(), &[1; 16], &mut output).unwrap())
}

#[cfg(not(feature = "simd-argon2"))]
fn argon2(long: Duration) -> f64 {
    reference_argon2(long)
}

fn reference_argon2(long: Duration) -> f64 {
    let PasswordCost { memory_kib, passes } = PasswordCost::default();
    let params = Params::new(memory_kib, passes, 1, None).unwrap();
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; 32];
    repeat(long, || {
        argon2
            .hash_password_into_with_memory(PASSWORD.as_bytes(), &[1; 16], &mut output, &mut memory)
            .unwrap();
    })
}

/// What one call costs this thread.
fn repeat(long: Duration, mut work: impl FnMut()) -> f64 {
    work();
    let (before, end) = (Spent::of_this_thread(), Instant::now() + long);
    let mut calls = 0.0;
    while Instant::now() < end {
        work();
        calls += 1.0;
    }
    micros(Spent::of_this_thread().since(&before)) / calls
}
