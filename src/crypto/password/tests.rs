use argon2::{Params, PasswordHash, PasswordVerifier};

use super::*;

fn hasher() -> PasswordHasher {
    PasswordHasher::new(PasswordCost::CHEAPEST, 2, 2)
}

fn password(text: &str) -> Password {
    Password::normalise(text).unwrap()
}

/// A hash made by another hand, at a cost of its own.
fn foreign(text: &str, memory: u32, passes: u32, lanes: u32) -> String {
    use argon2::PasswordHasher as _;
    let params = Params::new(memory, passes, lanes, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_with_salt(text.as_bytes(), b"a salt of 16 byte").unwrap().to_string()
}

#[tokio::test]
async fn a_password_matches_its_own_hash_only() {
    let hasher = hasher();
    let stored = hasher.hash(password("correct horse")).await.unwrap();
    let right = hasher.verify(password("correct horse"), Against::Own(&stored)).await.unwrap();
    assert_eq!(right, PasswordCheck { matches: true, outdated: false });
    let wrong = hasher.verify(password("correct horsf"), Against::Own(&stored)).await.unwrap();
    assert_eq!(wrong, PasswordCheck { matches: false, outdated: false });
}

#[tokio::test]
async fn the_stored_form_is_the_standard_one() {
    let hasher = hasher();
    // Twice, so that memory that was used before makes the second.
    for text in ["first", "second"] {
        let stored = hasher.hash(password(text)).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{stored}");
        let hash = PasswordHash::new(&stored).unwrap();
        assert!(Argon2::default().verify_password(text.as_bytes(), &hash).is_ok());
    }
    assert_ne!(hasher.hash(password("x")).await.unwrap(), hasher.hash(password("x")).await.unwrap());
}

#[tokio::test]
async fn a_hash_of_another_cost_matches_and_is_outdated() {
    let hasher = hasher();
    for (memory, passes, lanes) in [(16, 1, 1), (8, 2, 1), (64, 3, 4), (8, 1, 1)] {
        let stored = foreign("x", memory, passes, lanes);
        let outdated = (memory, passes, lanes) != (8, 1, 1);
        let verdict = hasher.verify(password("x"), Against::Own(&stored)).await.unwrap();
        assert_eq!(verdict, PasswordCheck { matches: true, outdated }, "{stored}");
    }
}

#[tokio::test]
async fn without_a_usable_hash_nothing_matches() {
    let hasher = hasher();
    let dear = foreign("x", 8, 1, 1).replace("t=1", "t=4000000000");
    for stored in [None, Some(""), Some("x"), Some("$argon2id$"), Some(dear.as_str())] {
        let against = stored.map_or(Against::Nothing(None), Against::Own);
        let verdict = hasher.verify(password("x"), against).await.unwrap();
        assert_eq!(verdict, PasswordCheck { matches: false, outdated: false }, "{stored:?}");
    }
}

#[test]
fn a_pins_hash_is_one_that_we_would_compute() {
    let good = foreign("x", 19_456, 2, 1);
    let cut = good.rsplit_once('$').unwrap().0;
    let table = [
        (good.clone(), Ok(())),
        (good.replace("19456", "262144").replace("t=2", "t=10").replace("p=1", "p=4"), Ok(())),
        (good.replace("19456", "262145"), Err(PhcError::TooDear)),
        (good.replace("t=2", "t=11"), Err(PhcError::TooDear)),
        (good.replace("p=1", "p=5"), Err(PhcError::TooDear)),
        (good.replace("p=1", "p=0"), Err(PhcError::Malformed)),
        (good.replace("19456", "7"), Err(PhcError::Malformed)),
        (good.replace("argon2id", "argon2i"), Err(PhcError::Algorithm)),
        (good.replace("v=19", "v=16"), Err(PhcError::Algorithm)),
        (good.replace("v=19$", ""), Err(PhcError::Algorithm)),
        ("$2b$12$KIXQ4S1JtFvP1V0Zf1vGQeY8w0uF9yqG7Yw3H9Q9H0fGk3cQW7b6a".to_owned(), Err(PhcError::Malformed)),
        (cut.to_owned(), Err(PhcError::Malformed)),
        (format!("{cut}$c2hvcnQgb3V0cHV0"), Err(PhcError::Malformed)),
        (format!("{good}$x"), Err(PhcError::Malformed)),
        (String::new(), Err(PhcError::Malformed)),
    ];
    for (phc, expected) in table {
        assert_eq!(PasswordHasher::check_pin_hash(&phc), expected, "{phc}");
    }
}

#[tokio::test]
async fn beyond_the_queue_the_answer_is_busy() {
    let hasher = hasher();
    let held = Arc::clone(&hasher.0.permits).acquire_many_owned(2).await.unwrap();
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let hasher = hasher.clone();
            tokio::spawn(async move { hasher.hash(password("x")).await })
        })
        .collect();
    while hasher.0.capacity.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hasher.hash(password("x")).await, Err(HasherBusy));
    assert_eq!(hasher.verify(password("x"), Against::Nothing(None)).await, Err(HasherBusy));
    let imported = Against::Nothing(Some("bcrypt,c=4"));
    assert_eq!(hasher.verify(password("x"), imported).await, Err(HasherBusy), "every format needs a permit");
    drop(held);
    for hash in waiting {
        assert!(hash.await.unwrap().is_ok(), "whoever waits is served");
    }
    assert!(hasher.hash(password("x")).await.is_ok());
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_its_place() {
    let hasher = hasher();
    let held = Arc::clone(&hasher.0.permits).acquire_many_owned(2).await.unwrap();
    let other = hasher.clone();
    let waiting = tokio::spawn(async move { other.hash(password("x")).await });
    while hasher.0.capacity.available_permits() == 4 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_eq!(hasher.0.capacity.available_permits(), 4);
    drop(held);
}

#[tokio::test]
async fn memory_is_kept_but_never_more_than_runs_at_once() {
    let hasher = hasher();
    let many = (0..4).map(|_| hasher.hash(password("x")));
    futures_util::future::join_all(many).await;
    let kept = hasher.0.engine.kept_blocks();
    assert!((1..=2).contains(&kept.len()));
    hasher.verify(password("x"), Against::Own(&foreign("x", 1024, 1, 1))).await.unwrap();
    assert_eq!(hasher.0.engine.kept_blocks(), kept, "what a dear hash needed is given back");
    assert!(kept.iter().all(|&blocks| blocks == 8));
}

#[test]
fn a_password_is_normalised_and_never_cut() {
    let text = |typed: &str| Password::normalise(typed).map(|password| password.expose().to_owned());
    assert_eq!(text("rene\u{301}"), text("ren\u{e9}"));
    assert_eq!(text("\u{ff21}"), text("A"));
    assert_eq!(text(" a\0b "), Ok(" a\0b ".to_owned()));
    assert_eq!(text(&"x".repeat(128)), Ok("x".repeat(128)));
    assert_eq!(text(&"\u{1f512}".repeat(128)), Ok("\u{1f512}".repeat(128)));
    assert_eq!(text(""), Err(PasswordError::Empty));
    assert_eq!(text(&"x".repeat(129)), Err(PasswordError::TooLong));
    assert_eq!(
        text(&"\u{fdfa}".repeat(128)),
        Err(PasswordError::TooLong),
        "one character that becomes eighteen"
    );
    assert_eq!(text(&"x".repeat(1 << 20)), Err(PasswordError::TooLong));
}

#[test]
fn a_password_is_not_printed() {
    assert_eq!(format!("{:?}", password("hunter2")), "Password(..)");
}
