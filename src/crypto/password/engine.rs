//! Computes Argon2id at the configured cost, with the fastest implementation that passes its self-test.
//!
//! Two implementations are compiled in. `argon2` (of `RustCrypto`) is the reference of this crate. `argon2-rust`
//! (feature `simd-argon2`) computes the same function with AVX-512, AVX2 or NEON in about half the time; it has much
//! `unsafe` code, whose reading is noted in `docs/argon2-rust.md`. Therefore:
//!
//! - a known-answer test runs when the engine is created; an implementation that fails it is not used in this process;
//! - a hash that will be *stored* is computed by both, and stored only if they agree, so that no defect of the faster
//!   one can lock a user out after an upgrade. Storing is rare, checking is not.
//!
//! Memory is kept between hashes: mapping and zeroing 19 MiB would cost a fifth of the hash.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};

/// The implementations for one set of parameters, with their retained memory.
pub(super) struct Engine {
    params: Params,
    #[cfg(feature = "simd-argon2")]
    simd: Option<simd::Simd>,
    memory: Mutex<Vec<Vec<Block>>>,
}

impl Engine {
    /// Creates an engine for these parameters.
    pub(super) fn new(params: Params) -> Self {
        Self {
            #[cfg(feature = "simd-argon2")]
            simd: simd::Simd::proven(&params),
            params,
            memory: Mutex::new(Vec::new()),
        }
    }

    /// The output for a password and a salt, for comparison; `None` if Argon2 rejects the salt.
    pub(super) fn check(&self, password: &[u8], salt: &[u8]) -> Option<[u8; 32]> {
        #[cfg(feature = "simd-argon2")]
        if let Some(simd) = &self.simd {
            return simd.compute(password, salt);
        }
        self.reference(password, salt)
    }

    /// The output for a password and a salt, for storing; `None` if Argon2 rejects the salt.
    ///
    /// It is computed by the reference implementation. If the faster one disagrees, that is logged and the result is
    /// `None`, because later checks would fail.
    pub(super) fn make(&self, password: &[u8], salt: &[u8]) -> Option<[u8; 32]> {
        let output = self.reference(password, salt)?;
        if self.check(password, salt) != Some(output) {
            tracing::error!(
                "two implementations of Argon2id disagree: no password is stored; turn the feature simd-argon2 off"
            );
            return None;
        }
        Some(output)
    }

    /// The number of blocks in each piece of memory retained by the reference implementation.
    #[cfg(test)]
    pub(super) fn kept_blocks(&self) -> Vec<usize> {
        self.memory.lock().unwrap().iter().map(Vec::len).collect()
    }

    fn reference(&self, password: &[u8], salt: &[u8]) -> Option<[u8; 32]> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        memory.resize(self.params.block_count(), Block::new());
        let mut output = [0; 32];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let done = argon2.hash_password_into_with_memory(password, salt, &mut output, memory.as_mut_slice());
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        done.ok().map(|()| output)
    }
}

/// The faster implementation.
#[cfg(feature = "simd-argon2")]
mod simd {
    use std::sync::{Mutex, PoisonError};

    use argon2_rust::params::{Memory, TagLen};
    use argon2_rust::{Algorithm, Argon2, Hasher, Params, Version};

    /// Tested implementation with idle hashers, each of which retains its memory.
    pub(super) struct Simd {
        argon2: Argon2,
        idle: Mutex<Vec<Hasher>>,
    }

    impl Simd {
        /// The implementation at these parameters; `None`, with a log entry, if it fails the known-answer test.
        pub(super) fn proven(params: &argon2::Params) -> Option<Self> {
            Self::proven_by(&KNOWN_OUTPUT, params)
        }

        /// Runs the test with another known answer.
        pub(super) fn proven_by(known_output: &[u8; 32], params: &argon2::Params) -> Option<Self> {
            let mut known = implementation(KNOWN_MEMORY_KIB, KNOWN_PASSES)?.hasher();
            if hash(&mut known, KNOWN_PASSWORD, KNOWN_SALT).as_ref() != Some(known_output) {
                tracing::error!(
                    "argon2-rust fails its known-answer test on this machine: the slower implementation is used"
                );
                return None;
            }
            let argon2 = implementation(params.m_cost(), params.t_cost())?;
            Some(Self { argon2, idle: Mutex::new(Vec::new()) })
        }

        /// The output for a password and a salt.
        pub(super) fn compute(&self, password: &[u8], salt: &[u8]) -> Option<[u8; 32]> {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut hasher = idle.unwrap_or_else(|| self.argon2.hasher());
            let output = hash(&mut hasher, password, salt);
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(hasher);
            output
        }
    }

    fn implementation(memory_kib: u32, passes: u32) -> Option<Argon2> {
        let (memory, tag) = (Memory::kib(memory_kib.into()), TagLen::bytes(32));
        let params = Params::builder().memory(memory).passes(passes).lanes(1).tag_len(tag).build().ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    fn hash(hasher: &mut Hasher, password: &[u8], salt: &[u8]) -> Option<[u8; 32]> {
        let mut output = [0; 32];
        hasher.hash_into(password, salt, &mut output).ok().map(|()| output)
    }

    // The known answer was computed by the reference implementation in C (phc-winner-argon2 20190702). It is large
    // enough that most blocks depend on others, and small enough to cost 0.1 ms at start.
    const KNOWN_MEMORY_KIB: u32 = 256;
    const KNOWN_PASSES: u32 = 2;
    const KNOWN_PASSWORD: &[u8] = b"a known password";
    const KNOWN_SALT: &[u8] = b"a salt of 16 byt";
    const KNOWN_OUTPUT: [u8; 32] = [
        0x69, 0x36, 0x85, 0xcb, 0xac, 0x34, 0x56, 0x44, 0xfe, 0x46, 0xba, 0x9f, 0x6c, 0x3b, 0xe5, 0xe7, 0xab,
        0x8f, 0x0a, 0xb6, 0x7d, 0xbf, 0x84, 0x5e, 0x85, 0x6a, 0x83, 0x28, 0x7a, 0x2c, 0xa3, 0x59,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &[u8] = b"a salt of 16 byt";

    fn engine(memory_kib: u32, passes: u32) -> Engine {
        Engine::new(Params::new(memory_kib, passes, 1, None).unwrap())
    }

    #[test]
    fn a_hash_to_be_stored_and_its_check_are_the_same() {
        for (memory_kib, passes) in [(8, 1), (9, 3), (1021, 2), (19_456, 2)] {
            let engine = engine(memory_kib, passes);
            for password in ["", "x", "correct horse battery staple", &"long".repeat(256)] {
                let stored = engine.make(password.as_bytes(), SALT).unwrap();
                assert_eq!(engine.check(password.as_bytes(), SALT), Some(stored), "{memory_kib} {password}");
                assert_eq!(
                    engine.reference(password.as_bytes(), SALT),
                    Some(stored),
                    "{memory_kib} {password}"
                );
                assert_ne!(engine.check(b"another", SALT), Some(stored), "{memory_kib} {password}");
            }
        }
    }

    #[cfg(feature = "simd-argon2")]
    #[test]
    fn an_implementation_that_fails_the_known_answer_test_is_not_used() {
        let params = Params::new(64, 1, 1, None).unwrap();
        assert!(simd::Simd::proven(&params).is_some());
        assert!(simd::Simd::proven_by(&[0; 32], &params).is_none());
    }

    #[cfg(feature = "simd-argon2")]
    #[test]
    fn nothing_is_stored_where_the_implementations_disagree() {
        let params = Params::new(64, 1, 1, None).unwrap();
        let mut engine = engine(64, 1);
        engine.simd = simd::Simd::proven(&Params::new(64, 2, 1, None).unwrap());
        assert_eq!(engine.make(b"x", SALT), None);
        engine.simd = simd::Simd::proven(&params);
        assert!(engine.make(b"x", SALT).is_some());
    }
}
