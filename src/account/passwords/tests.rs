use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::TenantId;
use crate::domain::tenant::{Tenant, TenantDomain};
use crate::domain::user::Username;
use crate::testing::TestIdp;

const BCRYPT: &str = "$2b$04$2PcpWJyXYuiM659aNkFLWODTO1G4oBt89yvzFDlKlFiWM562ZI3sC";

/// Three users of four were moved; the other tenant has users of its own only.
async fn world() -> TestIdp {
    let user = |tenant: &str, name: &str, password: &str| {
        format!("[[users]]\ntenant = \"{tenant}\"\nusername = \"{name}\"\n{password}\n")
    };
    let house = |tenant: &str| format!("[[tenants]]\ndomain = \"{tenant}\"\nname = \"{tenant}\"\n");
    let moved = format!("password_hash = \"{BCRYPT}\"");
    let mut document = String::new();
    for tenant in ["moved.test", "own.test"] {
        document.push_str(&house(tenant));
        document.push_str(&user(tenant, "anna", "password = \"correct horse battery staple\""));
    }
    for name in ["bert", "carla", "dora"] {
        document.push_str(&user("moved.test", name, &moved));
    }
    TestIdp::with(&document).await
}

async fn tenant(idp: &TestIdp, domain: &str) -> Arc<Tenant> {
    let domain = TenantDomain::parse(domain).unwrap();
    idp.idp().account().catalogue.tenant_by_domain(&domain).await.unwrap().unwrap()
}

/// The schemes drawn for a thousand names, of which so many are imported.
async fn drawn(idp: &TestIdp, tenant: Option<&Tenant>, subject: &str) -> Vec<Option<String>> {
    let mut schemes = Vec::new();
    for n in 0..1000 {
        let name = format!("nobody{n}");
        schemes.push(idp.idp().account().scheme_for(tenant, subject, &name).await.unwrap());
    }
    schemes
}

fn imported(schemes: &[Option<String>]) -> usize {
    schemes.iter().flatten().count()
}

#[tokio::test]
async fn names_without_a_hash_take_the_times_of_the_tenants_users() {
    let idp = world().await;
    let moved = tenant(&idp, "moved.test").await;
    let schemes = drawn(&idp, Some(&moved), "moved.test").await;
    assert!((700..800).contains(&imported(&schemes)), "{}", imported(&schemes));
    assert!(schemes.iter().flatten().all(|scheme| scheme.starts_with("bcrypt,c=4/own,")), "{schemes:?}");
    assert_eq!(drawn(&idp, Some(&moved), "moved.test").await, schemes, "a name keeps its scheme");
    let own = tenant(&idp, "own.test").await;
    assert_eq!(imported(&drawn(&idp, Some(&own), "own.test").await), 0);
    // An unknown tenant is like all together: three of five.
    let unknown = imported(&drawn(&idp, None, "nowhere.test").await);
    assert!((540..660).contains(&unknown), "{unknown}");
}

#[tokio::test]
async fn a_scheme_that_nobody_has_any_more_is_drawn_no_more() {
    let idp = world().await;
    let moved = tenant(&idp, "moved.test").await;
    let before = drawn(&idp, Some(&moved), "moved.test").await;
    for name in ["bert", "carla"] {
        renew(&idp, &moved.id, name).await;
    }
    assert_eq!(drawn(&idp, Some(&moved), "moved.test").await, before, "it is read every five minutes");
    idp.clock().advance(Duration::from_mins(5));
    let after = drawn(&idp, Some(&moved), "moved.test").await;
    assert!((200..300).contains(&imported(&after)), "{}", imported(&after));
    for (before, after) in before.iter().zip(&after) {
        assert!(before.is_some() || after.is_none(), "what was ours stays ours, as a user's does");
    }
    renew(&idp, &moved.id, "dora").await;
    idp.clock().advance(Duration::from_mins(5));
    assert_eq!(imported(&drawn(&idp, Some(&moved), "moved.test").await), 0);
}

/// What a first sign-in does.
async fn renew(idp: &TestIdp, tenant: &TenantId, name: &'static str) {
    use crate::storage::users;
    let db = idp.idp().db();
    let name = Username::parse(name).unwrap();
    let found = users::credentials(&mut db.read().tx(), tenant, Some(&name)).await.unwrap().unwrap();
    let renewed = db.write(move |tx| {
        let (id, old) = (found.user.id.clone(), found.password_hash.clone().unwrap());
        Box::pin(async move { users::rehash_password(tx, &id, &old, "ours").await })
    });
    assert!(renewed.await.unwrap());
}
