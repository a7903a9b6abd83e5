//! Management for callers other than `apply`: members are JSON, and a mistake names its member.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Change, ChangeKind, ChangeSet, Error, Members, clients, resellers, tenants, upstreams, users};
use crate::testing::TestIdp;

async fn begin(idp: &TestIdp) -> ChangeSet<'_> {
    idp.idp().management().change_set().await.unwrap()
}

async fn write(idp: &TestIdp, changes: Vec<Change>) {
    let changes = Arc::new(changes);
    let written = idp.idp().db().write(move |tx| {
        let changes = Arc::clone(&changes);
        Box::pin(async move {
            for change in changes.iter() {
                change.apply(tx).await?;
            }
            Ok(())
        })
    });
    written.await.unwrap();
}

fn mistakes(validated: Result<Change, Error>) -> Vec<String> {
    match validated {
        Err(Error::Mistakes(mistakes)) => mistakes.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

async fn tenant(set: &mut ChangeSet<'_>, members: Value) -> Result<Change, Error> {
    tenants::validate(set, &Members::read(&tenants::SCHEMA, &members)).await
}

async fn client(set: &mut ChangeSet<'_>, members: Value) -> Result<Change, Error> {
    clients::validate(set, &Members::read(&clients::SCHEMA, &members)).await
}

#[tokio::test]
async fn a_change_brings_the_store_to_the_members_and_then_there_is_none() {
    let idp = TestIdp::with("").await;
    let members = json!({ "domain": "one.test", "name": "One", "policy": { "session_idle": "1h" } });
    let created = tenant(&mut begin(&idp).await, members.clone()).await.unwrap();
    assert_eq!((created.kind, created.key.as_str()), (ChangeKind::Created, "tenant one.test"));
    write(&idp, vec![created]).await;
    assert_eq!(tenant(&mut begin(&idp).await, members).await.unwrap().kind, ChangeKind::Nothing);
    let renamed = tenant(&mut begin(&idp).await, json!({ "domain": "one.test", "name": "1" })).await.unwrap();
    assert_eq!(renamed.kind, ChangeKind::Changed);
    write(&idp, vec![renamed]).await;
    let exported = idp.idp().export().await.unwrap();
    assert!(exported.contains("name = \"1\"") && exported.contains("session_idle = \"1h\""), "{exported}");
}

#[tokio::test]
async fn mistakes_name_members_and_all_of_a_client_are_found_at_once() {
    let idp = TestIdp::with("").await;
    let mut set = begin(&idp).await;
    let members = json!({ "policy": { "mfa": "never" }, "hosts": ["a b"] });
    let expected = [
        "hosts[0]: must be a host name without port; the port is that of the root issuer",
        "policy.mfa: must be one of: optional, required",
        "domain: is missing",
    ];
    let mut found = mistakes(tenant(&mut set, members).await);
    found.sort_unstable_by_key(|text| !text.starts_with("hosts"));
    assert_eq!(found, expected);

    let members = json!({
        "client_id": "shop",
        "grant_types": ["password"],
        "token_endpoint_auth_method": "none",
        "roles_claim": "sub",
    });
    let expected = [
        "grant_types[0]: must be one of: authorization_code, refresh_token, client_credentials",
        "roles_claim: sub is a name that the provider or a registry uses",
    ];
    assert_eq!(mistakes(client(&mut set, members).await), expected);
    assert_eq!(mistakes(tenant(&mut set, json!("one.test")).await)[0], "must be a table");
}

/// What is validated together sees what was validated before it; what refers to a thing keeps it from being removed.
#[tokio::test]
async fn a_set_is_validated_as_if_it_were_written_one_by_one() {
    let idp = TestIdp::with("[[resellers]]\nname = \"shop\"").await;
    let mut set = begin(&idp).await;
    let user = Members::read(&users::SCHEMA, &json!({ "tenant": "one.test", "username": "anna" }));
    assert_eq!(mistakes(users::validate(&mut set, &user).await), ["tenant: there is no tenant one.test"]);

    let mut set = begin(&idp).await;
    let upstream = json!({
        "name": "theirs",
        "reseller": "shop",
        "title": "Theirs",
        "issuer": "https://theirs.test",
        "client_id": "us",
        "token_endpoint_auth_method": "none",
    });
    let changes = vec![
        tenant(&mut set, json!({ "domain": "one.test", "reseller": "shop" })).await.unwrap(),
        upstreams::validate(&mut set, &Members::read(&upstreams::SCHEMA, &upstream)).await.unwrap(),
        users::validate(&mut set, &user).await.unwrap(),
    ];
    write(&idp, changes).await;

    let absent = |name: &str| json!({ "name": name, "state": "absent" });
    let mut set = begin(&idp).await;
    let reseller = Members::read(&resellers::SCHEMA, &absent("shop"));
    resellers::validate(&mut set, &reseller).await.unwrap();
    let refused = set.check_removals().await.unwrap();
    let (key, mistake) = refused.first().unwrap();
    assert_eq!(key, "reseller shop");
    assert!(mistake.problem.starts_with("is still used by "), "{mistake}");
}
