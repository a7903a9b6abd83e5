//! Grants, codes, consents and sessions; client assertions.

use std::future::ready;

use std::sync::Arc;

use vestibule::domain::fact::FactKind;
use vestibule::domain::grant::{Grant, OpaqueToken};
use vestibule::domain::ids::{ClientId, DirectoryKey, GrantId, IssuerId, SessionId, UserId};
use vestibule::domain::scope::Scope;
use vestibule::domain::session::Session;
use vestibule::domain::upstream::Owner;
use vestibule::domain::user::{ComputerName, User, Username};
use vestibule::storage::codes::Redemption;
use vestibule::storage::grants::GrantWithUser;
use vestibule::storage::sweep::sweep;
use vestibule::storage::{
    Db, Error, GrantCache, access_tokens, assertions, clients, codes, consents, ended_sessions, grants,
    revoked_tokens, sessions, tenants, upstream_accounts, upstreams, users,
};

use super::rows::{FIRST, NOW, What, World, hash, keep, later, session};
use super::upstreams::upstream;
use super::{on_each, read, write};

#[tokio::test]
async fn a_code_gives_its_grant_once() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, code) = world.code(db, "1").await;
        let Redemption::Fresh(fresh) = write!(db, tx => codes::redeem(tx, &code.hash, NOW)).unwrap() else {
            panic!("not fresh")
        };
        assert_eq!((&fresh.code, &fresh.grant, &fresh.user), (code, grant, world.anna));
        for at in [NOW, later(30), later(600)] {
            let again = write!(db, tx => codes::redeem(tx, &code.hash, at)).unwrap();
            assert!(matches!(again, Redemption::Reused(id) if id == grant.id));
        }
        let unknown = write!(db, tx => codes::redeem(tx, hash("guessed"), NOW)).unwrap();
        assert!(matches!(unknown, Redemption::Unknown));
    })
    .await;
}

#[tokio::test]
async fn an_old_code_is_no_code() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (_, code) = world.code(db, "1").await;
        for at in [later(60), later(61), NOW] {
            let answer = write!(db, tx => codes::redeem(tx, &code.hash, at)).unwrap();
            assert_eq!(matches!(answer, Redemption::Fresh(_)), at == NOW, "{at:?}");
        }
    })
    .await;
}

/// What happened between issue and redemption counts.
#[tokio::test]
async fn a_grant_dies_with_whatever_it_stands_on() {
    on_each(async |db| {
        let world = World::store(db).await;
        let grounds = GrantCache::new(db.clone());
        let mut epoch = FIRST;
        for what in What::ALL {
            let (grant, code) = world.code_in(db, &unique(), epoch).await;
            let found = ground(db, &grounds, grant).await.unwrap();
            assert_eq!(&found.grant, grant);
            world.set_disabled(db, what, true).await;
            assert_eq!(ground(db, &grounds, grant).await, None, "{what:?}");
            world.set_disabled(db, what, false).await;
            assert_eq!(ground(db, &grounds, grant).await, None, "{what:?}: it does not come back");
            let redeemed = write!(db, tx => codes::redeem(tx, &code.hash, NOW)).unwrap();
            assert!(matches!(redeemed, Redemption::Unknown));
            epoch = what.raises(epoch);
        }
        let (grant, _) = world.code_in(db, &unique(), epoch).await;
        assert!(ground(db, &grounds, grant).await.is_some());
        assert!(write!(db, tx => grants::revoke(tx, &grant.id, NOW)).unwrap());
        assert!(!write!(db, tx => grants::revoke(tx, &grant.id, NOW)).unwrap());
        assert_eq!(ground(db, &grounds, grant).await, None);
        assert_eq!(read!(db, tx => grants::by_id(tx, &grant.id)).as_ref(), Some(grant));
    })
    .await;
}

/// Whichever row's epoch is raised first, what was made before the later event is void, and what is made after it is
/// valid.
#[tokio::test]
async fn endings_count_in_either_order() {
    on_each(async |db| {
        let world = World::store(db).await;
        let grounds = GrantCache::new(db.clone());
        let mut epoch = FIRST;
        for first in What::ALL {
            for second in What::ALL {
                let (before, _) = world.code_in(db, &unique(), epoch).await;
                world.set_disabled(db, first, true).await;
                world.set_disabled(db, first, false).await;
                epoch = first.raises(epoch);
                let (between, _) = world.code_in(db, &unique(), epoch).await;
                world.set_disabled(db, second, true).await;
                world.set_disabled(db, second, false).await;
                epoch = second.raises(epoch);
                let (after, _) = world.code_in(db, &unique(), epoch).await;
                let mut alive = Vec::new();
                for grant in [before, between, after] {
                    alive.push(ground(db, &grounds, grant).await.is_some());
                }
                assert_eq!(alive, [false, false, true], "{first:?}, then {second:?}");
            }
        }
    })
    .await;
}

/// A row in the place of a removed one starts above it: what was begun for that one does not go on with this.
#[tokio::test]
async fn an_epoch_never_repeats() {
    on_each(async |db| {
        let world = World::store(db).await;
        let of_user = async || read!(db, tx => users::by_id(tx, &world.anna.id)).unwrap().epoch;
        let of_client =
            async || read!(db, tx => clients::by_id(tx, &world.shop.issuer, &world.shop.id)).unwrap().epoch;
        for what in [What::User, What::Tenant, What::Client, What::Tenant] {
            world.set_disabled(db, what, true).await;
            world.set_disabled(db, what, false).await;
        }
        let tenant = read!(db, tx => tenants::by_id(tx, &world.tenant.id)).unwrap().epoch;
        let (user, client) = (of_user().await + tenant, of_client().await);
        write!(db, tx => async {
            users::remove(tx, &world.anna.id).await?;
            users::upsert(tx, world.anna).await?;
            clients::remove(tx, &world.shop.issuer, &world.shop.id).await?;
            clients::upsert(tx, world.shop).await
        })
        .unwrap();
        assert!(of_user().await > user && of_client().await > client);
        let (user, client) = (of_user().await + tenant, of_client().await);
        write!(db, tx => async {
            tenants::remove(tx, &world.tenant.id).await?;
            tenants::upsert(tx, world.tenant).await?;
            users::upsert(tx, world.anna).await?;
            clients::upsert(tx, world.shop).await
        })
        .unwrap();
        assert!(of_user().await > user && of_client().await > client, "they go with their tenant");
        for _ in 0..70 {
            write!(db, tx => async {
                users::remove(tx, &world.anna.id).await?;
                users::upsert(tx, world.anna).await
            })
            .unwrap();
        }
        let number = serde_json::to_value(of_user().await).unwrap().as_i64().unwrap();
        assert!((70..100).contains(&number), "however many come and go, there are numbers left: {number}");
    })
    .await;
}

/// What a grant stands on: the same whether it is remembered or read.
async fn ground(db: &Db, grounds: &GrantCache, grant: &Grant) -> Option<GrantWithUser> {
    let read = read!(db, tx => grants::with_user(tx, &grant.id, Some("jti")));
    for _ in 0..2 {
        let remembered = grounds.of_grant(&grant.id, "jti").await.unwrap();
        assert_eq!(remembered.as_deref(), read.as_ref());
    }
    read
}

/// A cached entry is read again as soon as any part of it has changed.
#[tokio::test]
async fn what_changes_in_a_user_is_seen_behind_every_grant() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, _) = world.code(db, "1").await;
        let (anna, grounds) = (&world.anna.id, GrantCache::new(db.clone()));
        let seen = async || ground(db, &grounds, grant).await.unwrap().user;
        assert_eq!(seen().await, *world.anna);

        let renamed = keep(User { username: Username::parse("annie").unwrap(), ..world.anna.clone() });
        write!(db, tx => users::upsert(tx, renamed)).unwrap();
        assert_eq!(seen().await, *renamed);

        let desktop = keep(ComputerName::parse("pc-anna").unwrap());
        write!(db, tx => users::desktop_asked(tx, anna, Some(desktop), later(1))).unwrap();
        assert_eq!(seen().await.personal_desktop.as_ref(), Some(desktop));

        let north = upstream("north", Owner::Tenant(world.tenant.id.clone()));
        write!(db, tx => upstreams::upsert(tx, north)).unwrap();
        assert!(write!(db, tx => upstream_accounts::link(tx, anna, &north.upstream.id, "nora")).unwrap());
        assert!(seen().await.upstream.is_some());
        write!(db, tx => upstream_accounts::set(tx, anna, None)).unwrap();
        assert_eq!(seen().await.upstream, None);
    })
    .await;
}

/// Likewise for a user who comes from the host's directory.
#[tokio::test]
async fn what_the_directory_changes_is_seen_behind_every_grant() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (id, username) = (UserId::new("theirs"), Username::parse("bert").unwrap());
        let directory = Some(DirectoryKey::new("7"));
        let person = keep(User { id, username, directory, personal_desktop: None, ..world.anna.clone() });
        write!(db, tx => users::stand_for(tx, person)).unwrap();
        let (own, _) = world.code(db, "1").await;
        let grant = keep(Grant { id: GrantId::new("theirs"), user: person.id.clone(), ..own.clone() });
        write!(db, tx => ready(grants::queue_insert(tx, grant))).unwrap();
        let grounds = GrantCache::new(db.clone());
        assert_eq!(ground(db, &grounds, grant).await.unwrap().user, *person);
        let renamed = keep(User { username: Username::parse("bertie").unwrap(), ..person.clone() });
        write!(db, tx => users::stand_for(tx, renamed)).unwrap();
        assert_eq!(ground(db, &grounds, grant).await.unwrap().user, *renamed);
    })
    .await;
}

/// One token of two that stand on the same grant.
#[tokio::test]
async fn a_revoked_token_stands_on_nothing() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, _) = world.code(db, "1").await;
        let grounds = GrantCache::new(db.clone());
        assert!(ground(db, &grounds, grant).await.is_some());
        write!(db, tx => revoked_tokens::insert(tx, "jti", later(60))).unwrap();
        assert_eq!(ground(db, &grounds, grant).await, None);
        assert!(grounds.of_grant(&grant.id, "another").await.unwrap().is_some());
    })
    .await;
}

fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed).to_string()
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_grants() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (one, _) = world.code(db, "1").await;
        let (two, _) = world.code(db, "2").await;
        assert_eq!(
            write!(db, tx => grants::revoke_session(tx, keep(SessionId::new("other")), NOW)).unwrap(),
            0
        );
        assert_eq!(write!(db, tx => grants::revoke_session(tx, &one.session, NOW)).unwrap(), 2);
        assert_eq!(ground(db, &GrantCache::new(db.clone()), two).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_grant_needs_its_client_and_its_user() {
    on_each(async |db| {
        let world = World::store(db).await;
        let grant = world.grant("1");
        write!(db, tx => clients::remove(tx, &world.shop.issuer, &world.shop.id)).unwrap();
        assert!(matches!(write!(db, tx => ready(grants::queue_insert(tx, grant))), Err(Error::Conflict)));
        write!(db, tx => clients::upsert(tx, world.shop)).unwrap();
        write!(db, tx => ready(grants::queue_insert(tx, grant))).unwrap();
        write!(db, tx => users::remove(tx, &world.anna.id)).unwrap();
        assert_eq!(read!(db, tx => grants::by_id(tx, &grant.id)), None);
    })
    .await;
}

#[tokio::test]
async fn a_consent_is_one_users_to_one_client() {
    on_each(async |db| {
        let World { anna, shop, tenant, .. } = World::store(db).await;
        let scope = keep(Scope::parse("openid email"));
        let host = keep(IssuerId::of_host(&tenant.id, "login.test"));
        write!(db, tx => consents::record(tx, &anna.id, host, &shop.id, scope)).unwrap();
        assert_eq!(read!(db, tx => consents::of(tx, &anna.id, &shop.issuer, &shop.id)).as_ref(), Some(scope));
        assert_eq!(read!(db, tx => consents::of(tx, &anna.id, &IssuerId::root(), &shop.id)), None);
        assert_eq!(read!(db, tx => consents::of(tx, &anna.id, host, &ClientId::new("other"))), None);
        let less = keep(Scope::parse("openid"));
        write!(db, tx => consents::record(tx, &anna.id, host, &shop.id, less)).unwrap();
        assert_eq!(read!(db, tx => consents::of(tx, &anna.id, host, &shop.id)).as_ref(), Some(less));
    })
    .await;
}

#[tokio::test]
async fn a_session_is_found_by_its_cookie_at_its_issuer_in_its_time() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let root = IssuerId::root();
        let own = session(anna, root.clone(), "c");
        write!(db, tx => ready(sessions::queue_insert(tx, own))).unwrap();
        assert_eq!(find(db, &root, "c", NOW).await.as_ref(), Some(own));
        assert_eq!(find(db, &IssuerId::new("other"), "c", NOW).await, None);
        assert_eq!(find(db, &root, "guess", NOW).await, None);
        assert_eq!(find(db, &root, "c", own.expires_at).await, None);

        for used_at in [later(60), later(30)] {
            let used = keep(Session { used_at, clients: [ClientId::new("forum")].into(), ..own.clone() });
            write!(db, tx => ready(sessions::queue_touch(tx, used))).unwrap();
        }
        let found = find(db, &root, "c", NOW).await.unwrap();
        assert_eq!((found.used_at, &found.clients), (later(60), &[ClientId::new("forum")].into()));
        let stale = keep(Session { cookie: hash("old").clone(), ..own.clone() });
        let touched = write!(db, tx => ready(sessions::queue_touch(tx, stale)));
        assert!(matches!(touched, Err(Error::Conflict)), "the cookie it had before");

        assert!(write!(db, tx => ended_sessions::end(tx, &own.id)).unwrap().is_some());
        assert!(write!(db, tx => ended_sessions::end(tx, &own.id)).unwrap().is_none());
        assert_eq!(find(db, &root, "c", NOW).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_replaced_cookie_opens_nothing() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let root = IssuerId::root();
        let own = session(anna, root.clone(), "old");
        write!(db, tx => ready(sessions::queue_insert(tx, own))).unwrap();
        let mut facts = own.facts.clone();
        facts.add(&anna.id, FactKind::RecoveryCode, later(5));
        let raised = keep(Session { cookie: hash("new").clone(), facts, used_at: later(5), ..own.clone() });
        assert!(write!(db, tx => sessions::replace_cookie(tx, &own.cookie, raised)).unwrap());
        assert!(!write!(db, tx => sessions::replace_cookie(tx, &own.cookie, raised)).unwrap());
        assert_eq!(find(db, &root, "old", NOW).await, None);
        assert_eq!(find(db, &root, "new", NOW).await.as_ref(), Some(raised));

        let other = session(anna, root.clone(), "other");
        write!(db, tx => ready(sessions::queue_insert(tx, other))).unwrap();
        assert_eq!(
            write!(db, tx => ended_sessions::end_others(tx, &anna.id, Some(&own.id))).unwrap().len(),
            1
        );
        assert_eq!(write!(db, tx => ended_sessions::end_others(tx, &anna.id, None)).unwrap().len(), 1);
    })
    .await;
}

async fn find(
    db: &Db,
    issuer: &IssuerId,
    cookie: &str,
    now: vestibule::domain::time::Time,
) -> Option<Session> {
    read!(db, tx => sessions::by_cookie(tx, issuer, hash(cookie), now))
}

#[tokio::test]
async fn an_assertion_counts_once_for_its_client() {
    on_each(async |db| {
        let (root, other) = (keep(IssuerId::root()), keep(IssuerId::new("other")));
        let (shop, forum) = (keep(ClientId::new("shop")), keep(ClientId::new("forum")));
        for (issuer, client, jti, first) in [
            (root, shop, "1", true),
            (root, shop, "1", false),
            (root, shop, "2", true),
            (root, forum, "1", true),
            (other, shop, "1", true),
        ] {
            let claimed =
                write!(db, tx => assertions::claim(tx, issuer, client, hash(jti), later(60))).unwrap();
            assert_eq!(claimed, first, "{issuer} {client} {jti}");
        }
    })
    .await;
}

/// A grant with an opaque token, and an opaque token of the client's own.
async fn opaque_tokens(
    db: &Db,
    world: World,
) -> (&'static Grant, &'static OpaqueToken, &'static OpaqueToken) {
    let (grant, _) = world.code(db, "1").await;
    let (users_own, clients_own) = (world.opaque("1", Some(grant)), world.opaque("2", None));
    write!(db, tx => async {
        access_tokens::insert(tx, users_own).await?;
        access_tokens::insert(tx, clients_own).await
    })
    .unwrap();
    (grant, users_own, clients_own)
}

#[tokio::test]
async fn an_opaque_token_lives_as_long_as_what_it_stands_on() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, users_own, clients_own) = opaque_tokens(db, world).await;
        let grounds = GrantCache::new(db.clone());
        let alive = async |token: &OpaqueToken, at| {
            let read = read!(db, tx => access_tokens::alive(tx, &token.issuer, &token.hash, at));
            for _ in 0..2 {
                let remembered = grounds.of_token(&token.issuer, &token.hash, at).await.unwrap();
                let whole = |(token, ground): (Arc<_>, Option<Arc<_>>)| {
                    (OpaqueToken::clone(&token), ground.as_deref().cloned())
                };
                assert_eq!(remembered.map(whole), read, "the same whether it is remembered or read");
            }
            read
        };
        let ground = GrantWithUser { grant: grant.clone(), user: world.anna.clone(), version: 0 };
        let whole = (users_own.clone(), Some(ground));
        assert_eq!(alive(users_own, NOW).await, Some(whole));
        assert_eq!(alive(clients_own, later(299)).await, Some((clients_own.clone(), None)));
        for token in [users_own, clients_own] {
            assert_eq!(alive(token, later(300)).await, None, "expired");
            let elsewhere = OpaqueToken { issuer: IssuerId::root(), ..token.clone() };
            assert_eq!(alive(&elsewhere, NOW).await, None, "at another issuer");
        }

        for (what, both) in [(What::User, false), (What::Client, true), (What::Tenant, true)] {
            world.set_disabled(db, what, true).await;
            for _ in 0..2 {
                assert_eq!(alive(users_own, NOW).await, None, "{what:?}");
                assert_eq!(alive(clients_own, NOW).await.is_none(), both, "{what:?}");
                world.set_disabled(db, what, false).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_opaque_token_ends_with_its_grant_and_when_its_client_says_so() {
    on_each(async |db| {
        let world = World::store(db).await;
        let (grant, users_own, clients_own) = opaque_tokens(db, world).await;
        let alive = async |token: &OpaqueToken, at| {
            read!(db, tx => access_tokens::alive(tx, &token.issuer, &token.hash, at))
        };
        assert!(alive(users_own, NOW).await.is_some());
        write!(db, tx => grants::revoke(tx, &grant.id, NOW)).unwrap();
        assert_eq!(alive(users_own, NOW).await, None);

        let other = keep(ClientId::new("other"));
        let (issuer, hash) = (&clients_own.issuer, &clients_own.hash);
        assert!(!write!(db, tx => access_tokens::revoke(tx, issuer, other, hash)).unwrap());
        assert!(alive(clients_own, NOW).await.is_some());
        assert!(write!(db, tx => access_tokens::revoke(tx, issuer, &clients_own.client, hash)).unwrap());
        assert_eq!(alive(clients_own, NOW).await, None);
        assert_eq!(write!(db, tx => sweep(tx, later(300), 100)).unwrap(), 1, "the expired token");
    })
    .await;
}
