//! CPU time per operation, beside its ceiling.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::{Goal, House, Row};
use crate::ceilings::Ceilings;
use crate::http::{Connection, form, get, post};
use crate::load::{cost, cost_of};
use crate::login::{Visit, basic, sign_in, sign_in_at_peer};
use crate::process::Server;
use crate::world::USERS;

/// All of them.
pub(super) fn rows<'a>(delivered: &'a House, cheap: &'a House) -> Vec<Row<'a>> {
    vec![
        document(delivered, "discovery", discovery_cost),
        document(delivered, "JWKS", |server, long| cost_of(server, long, &get("/jwks", ""))),
        client_credentials(delivered, "client_credentials, JWT RS256", "rs256", 0.80, |c| c.rs256),
        client_credentials(delivered, "client_credentials, JWT ES256", "es256", 0.30, |c| c.es256),
        introspection(delivered, "introspection, JWT", "es256"),
        introspection(delivered, "introspection, opaque token", "opaque"),
        userinfo(delivered),
        refresh(cheap),
        login_without_hash(cheap),
        whole_login(delivered),
        administrators_login(delivered),
    ]
}

fn document<'a>(house: &'a House, name: &'static str, cost: fn(&Server, Duration) -> f64) -> Row<'a> {
    let measure = move |ceilings: &Ceilings, long| (cost(&house.server, long), ceilings.http);
    Row { name, beside: "H", goal: Goal::Part(0.70), measure: Box::new(measure) }
}

pub(super) fn discovery_cost(server: &Server, long: Duration) -> f64 {
    cost_of(server, long, &get("/.well-known/openid-configuration", ""))
}

fn client_credentials<'a>(
    house: &'a House,
    name: &'static str,
    client: &'a str,
    goal: f64,
    signature: fn(&Ceilings) -> f64,
) -> Row<'a> {
    let measure = move |ceilings: &Ceilings, long| {
        (client_credentials_cost(&house.server, client, long), signature(ceilings))
    };
    Row { name, beside: "S", goal: Goal::Part(goal), measure: Box::new(measure) }
}

pub(super) fn client_credentials_cost(server: &Server, client: &str, long: Duration) -> f64 {
    cost_of(server, long, &post("/token", &basic(client), "grant_type=client_credentials"))
}

fn refresh(house: &House) -> Row<'_> {
    let measure = |ceilings: &Ceilings, long| {
        let ceiling = ceilings.es256 + 1.3 * (ceilings.http + ceilings.write);
        (refresh_cost(&house.server, long, signed_in), ceiling)
    };
    let beside = "S + 1.3 (H + W)";
    Row { name: "refresh with rotation", beside, goal: Goal::Times(1.0), measure: Box::new(measure) }
}

/// Each client goes on with the successor of its own token; the access token is signed by ES256.
pub(super) fn refresh_cost(
    server: &Server,
    long: Duration,
    first: fn(usize, &mut Connection) -> String,
) -> f64 {
    cost(server, long, |number, connection| {
        let mut token = first(number, connection);
        move |connection: &mut Connection| {
            let parameters = form(&[("grant_type", "refresh_token"), ("refresh_token", &token)]);
            token = refresh_token(&connection.ask(&post("/token", &basic("es256"), &parameters)).json());
        }
    })
}

/// The first refresh token of the n-th user.
pub(super) fn signed_in(number: usize, connection: &mut Connection) -> String {
    let visit = Visit { username: &format!("user{number}"), client: "es256", scope: "offline_access" };
    refresh_token(&sign_in(connection, &visit))
}

fn refresh_token(tokens: &Value) -> String {
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

/// Each client asks about a token of its own.
fn introspection<'a>(house: &'a House, name: &'static str, client: &'a str) -> Row<'a> {
    let measure = move |ceilings: &Ceilings, long| {
        let measured = cost(&house.server, long, |number, connection| {
            let username = format!("user{number}");
            let visit = Visit { username: &username, client, scope: "openid profile" };
            let tokens = sign_in(connection, &visit);
            let token = form(&[("token", tokens["access_token"].as_str().unwrap())]);
            let request = post("/introspect", &basic(client), &token);
            assert_eq!(connection.ask(&request).json()["active"], true);
            move |connection: &mut Connection| drop(connection.ask(&request))
        });
        (measured, ceilings.http + ceilings.read)
    };
    Row { name, beside: "H + R", goal: Goal::Times(1.3), measure: Box::new(measure) }
}

fn userinfo(house: &House) -> Row<'_> {
    let measure =
        |ceilings: &Ceilings, long| (userinfo_cost(&house.server, long), ceilings.http + ceilings.read);
    Row { name: "UserInfo", beside: "H + R", goal: Goal::Times(1.3), measure: Box::new(measure) }
}

/// With an access token signed by ES256.
pub(super) fn userinfo_cost(server: &Server, long: Duration) -> f64 {
    cost(server, long, |number, connection| {
        let visit = Visit { username: &format!("user{number}"), client: "es256", scope: "openid profile" };
        let tokens = sign_in(connection, &visit);
        let token = tokens["access_token"].as_str().unwrap();
        let request = get("/userinfo", &format!("Authorization: Bearer {token}\r\n"));
        move |connection: &mut Connection| drop(connection.ask(&request))
    })
}

fn login_without_hash(house: &House) -> Row<'_> {
    let measure = |ceilings: &Ceilings, long| {
        let Ceilings { es256, http, write, .. } = ceilings;
        (login_cost(&house.server, long), es256 + 5.0 * http + 4.0 * write)
    };
    Row {
        name: "login without its hash",
        beside: "S + 5 H + 4 W",
        goal: Goal::Times(1.3),
        measure: Box::new(measure),
    }
}

fn whole_login(house: &House) -> Row<'_> {
    let measure = |ceilings: &Ceilings, long| (login_cost(&house.server, long), ceilings.argon2);
    Row { name: "whole login", beside: "Argon2id", goal: Goal::Part(0.92), measure: Box::new(measure) }
}

fn administrators_login(house: &House) -> Row<'_> {
    // Numbers of their own: each code counts once, and administrators must not come round within its 30 seconds.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let measure = |_: &Ceilings, long| {
        (logins(&house.server, long, "admin", &NEXT, sign_in), login_cost(&house.server, long))
    };
    let name = "administrator's login with TOTP";
    Row { name, beside: "a login without", goal: Goal::Times(1.03), measure: Box::new(measure) }
}

/// A user's login, from the application's redirect to its tokens (ES256), one after the other on each connection.
pub(super) fn login_cost(server: &Server, long: Duration) -> f64 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    logins(server, long, "user", &NEXT, sign_in)
}

/// The same at the peer.
pub(super) fn peers_login_cost(server: &Server, long: Duration) -> f64 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    logins(server, long, "user", &NEXT, sign_in_at_peer)
}

/// Signs a user in and returns the token endpoint's answer.
type SignIn = fn(&mut Connection, &Visit<'_>) -> Value;

/// Each login is the next person's.
fn logins(server: &Server, long: Duration, kind: &str, next: &'static AtomicUsize, sign_in: SignIn) -> f64 {
    cost(server, long, |_, _| {
        |connection: &mut Connection| {
            let number = next.fetch_add(1, Ordering::Relaxed) % USERS;
            let visit =
                Visit { username: &format!("{kind}{number}"), client: "es256", scope: "openid profile" };
            sign_in(connection, &visit);
        }
    })
}
