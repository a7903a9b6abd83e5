//! Rows to try things with. They live as long as the tests, so that closures can take them along.

use std::time::Duration;

use vestibule::domain::acr::{Acr, AuthContext};
use vestibule::domain::audience::{Audience, ResourceIndicator};
use vestibule::domain::authenticator::{
    Authenticator, AuthenticatorKind, AuthenticatorState, TotpParameters,
};
use vestibule::domain::branding::Branding;
use vestibule::domain::claims::{ClaimsRequest, Profile};
use vestibule::domain::client::{Client, ClientAuthentication, ClientMetadata};
use vestibule::domain::epoch::Epoch;
use vestibule::domain::fact::{FactKind, Facts};
use vestibule::domain::grant::{Grant, IssuedCode, OpaqueToken};
use vestibule::domain::ids::{
    AuthenticatorId, ClientId, GrantId, Hash, InteractionId, IssuerId, SessionId, TenantId, UserId,
};
use vestibule::domain::interaction::{Interaction, Progress};
use vestibule::domain::locale::Locale;
use vestibule::domain::redirect_uri::RedirectUri;
use vestibule::domain::request::{AuthorizationRequest, Prompt, ResponseMode};
use vestibule::domain::scope::Scope;
use vestibule::domain::session::Session;
use vestibule::domain::tenant::{Tenant, TenantDomain, TenantPolicy};
use vestibule::domain::time::Time;
use vestibule::domain::user::{ComputerName, Role, User, Username};
use vestibule::domain::zone::Zone;
use vestibule::storage::{Db, clients, codes, grants, tenants, users};

use super::write;

/// Of rows of which nothing has ended.
pub(super) const FIRST: Epoch = Epoch::FIRST;
pub(super) const NOW: Time = Time::from_unix(1_800_000_000);

pub(super) fn later(seconds: u64) -> Time {
    NOW.plus(Duration::from_secs(seconds))
}

pub(super) fn keep<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

pub(super) fn hash(text: &str) -> &'static Hash {
    keep(Hash::new(text))
}

pub(super) fn tenant(name: &str) -> &'static Tenant {
    keep(Tenant {
        id: TenantId::new(format!("tenant-{name}")),
        domain: TenantDomain::parse(&format!("{name}.sms")).unwrap(),
        name: format!("Works {name}"),
        reseller: None,
        disabled: false,
        epoch: FIRST,
        locale: Locale::De,
        time_zone: Zone::parse("Europe/Berlin").unwrap(),
        policy: TenantPolicy { session_idle: 77, ..TenantPolicy::default() },
        branding: Branding { accent: Some("#0b5fff".to_owned().try_into().unwrap()), logo: None },
    })
}

pub(super) fn user(tenant: &Tenant, name: &str) -> &'static User {
    keep(User {
        id: UserId::new(format!("user-{}-{}", tenant.id, name.to_lowercase())),
        tenant: tenant.id.clone(),
        username: Username::parse(name).unwrap(),
        disabled: false,
        epoch: FIRST,
        roles: vec![Role::Admin],
        profile: Profile { email: Some("anna@example.test".to_owned()), ..Profile::default() },
        updated_at: NOW,
        personal_desktop: ComputerName::parse("pc-anna").ok(),
        directory: None,
        upstream: None,
    })
}

pub(super) fn client(issuer: IssuerId, id: &str) -> &'static Client {
    keep(Client {
        id: ClientId::new(id),
        issuer,
        disabled: false,
        epoch: FIRST,
        authentication: ClientAuthentication::ClientSecretBasic(Hash::new("secret")),
        metadata: ClientMetadata {
            client_name: Some("Shop".to_owned()),
            redirect_uris: vec![RedirectUri::parse("https://shop.test/cb").unwrap()],
            ..ClientMetadata::default()
        },
    })
}

pub(super) fn authenticator(user: &User, name: &str, state: AuthenticatorState) -> &'static Authenticator {
    let kind = AuthenticatorKind::Totp {
        parameters: TotpParameters { digits: 8, ..TotpParameters::default() },
        drift: 0,
    };
    let id = AuthenticatorId::new(format!("{}/{name}", user.id));
    let pending = Authenticator::pending(id, user.id.clone(), kind, NOW);
    keep(Authenticator { state, last_accepted: 10, ..pending })
}

pub(super) fn session(user: &User, issuer: IssuerId, cookie: &str) -> &'static Session {
    let mut facts = Facts::default();
    facts.add(&user.id, FactKind::Password, NOW);
    keep(Session {
        id: SessionId::new(format!("session-{cookie}")),
        cookie: Hash::new(cookie),
        issuer,
        user: user.id.clone(),
        epoch: FIRST,
        facts,
        created_at: NOW,
        used_at: NOW,
        expires_at: later(3600),
        user_agent: Some("Mozilla/5.0".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        clients: [ClientId::new("shop")].into(),
    })
}

pub(super) fn interaction(name: &str) -> &'static Interaction {
    keep(Interaction {
        id: InteractionId::new(name),
        issuer: IssuerId::root(),
        grant: GrantId::new(format!("grant-{name}")),
        request: request(),
        browser: None,
        network: None,
        carried: false,
        progress: Progress::default(),
        epoch: FIRST,
        requested_at: NOW,
        expires_at: later(900),
        version: 0,
    })
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        issuer: IssuerId::root(),
        client: ClientId::new("shop"),
        redirect_uri: "https://shop.test/cb".to_owned(),
        response_mode: ResponseMode::FormPost,
        scope: Scope::parse("openid email"),
        resource: Audience::default(),
        state: Some("a+b%20c".to_owned()),
        nonce: None,
        code_challenge: None,
        prompt: Prompt { login: true, ..Prompt::default() },
        max_age: Some(0),
        acr_values: Vec::new(),
        claims: ClaimsRequest::default(),
        login_hint: None,
        expected_sub: None,
        ui_locales: vec![Locale::De],
    }
}

/// A tenant with a user and a client, all stored.
#[derive(Clone, Copy)]
pub(super) struct World {
    pub(super) tenant: &'static Tenant,
    pub(super) anna: &'static User,
    pub(super) shop: &'static Client,
}

impl World {
    pub(super) async fn store(db: &Db) -> Self {
        let tenant = tenant("a");
        let world = Self {
            tenant,
            anna: user(tenant, "Anna"),
            shop: client(IssuerId::of_tenant(&tenant.id), "shop"),
        };
        write!(db, tx => async {
            tenants::upsert(tx, world.tenant).await?;
            users::upsert(tx, world.anna).await?;
            clients::upsert(tx, world.shop).await
        })
        .unwrap();
        world
    }

    pub(super) fn grant(self, name: &str) -> &'static Grant {
        keep(Grant {
            id: GrantId::new(name),
            issuer: IssuerId::of_host(&self.tenant.id, "login.test"),
            client: self.shop.id.clone(),
            user: self.anna.id.clone(),
            session: SessionId::new("session"),
            epoch: FIRST,
            scope: Scope::parse("openid email"),
            audience: ResourceIndicator::parse("https://api.test").into_iter().collect(),
            claims: ClaimsRequest::default(),
            context: AuthContext {
                auth_time: NOW,
                acr: Acr::TwoFactors,
                amr: vec!["pwd".to_owned(), "otp".to_owned()],
            },
            created_at: NOW,
            expires_at: later(360),
            refresh_idle: None,
        })
    }

    /// An opaque token, of the grant or the client's own.
    pub(super) fn opaque(self, name: &str, grant: Option<&Grant>) -> &'static OpaqueToken {
        keep(OpaqueToken {
            hash: Hash::new(format!("token-{name}")),
            jti: name.to_owned(),
            issuer: IssuerId::of_host(&self.tenant.id, "login.test"),
            client: self.shop.id.clone(),
            grant: grant.map(|grant| grant.id.clone()),
            epoch: FIRST,
            subject: "somebody".to_owned(),
            scope: Scope::parse("openid"),
            audience: Audience::default(),
            issued_at: NOW,
            expires_at: later(300),
        })
    }

    /// A grant with a code, neither stored.
    pub(super) fn new_code(self, name: &str) -> (&'static Grant, &'static IssuedCode) {
        let grant = self.grant(&format!("grant-{name}"));
        let code = keep(IssuedCode {
            hash: Hash::new(format!("code-{name}")),
            grant: grant.id.clone(),
            redirect_uri: "https://shop.test/cb".to_owned(),
            code_challenge: Some("challenge".to_owned()),
            nonce: None,
            expires_at: later(60),
        });
        (grant, code)
    }

    /// A grant with a code, both stored.
    pub(super) async fn code(self, db: &Db, name: &str) -> (&'static Grant, &'static IssuedCode) {
        self.code_in(db, name, FIRST).await
    }

    /// The same, made in this epoch.
    pub(super) async fn code_in(
        self,
        db: &Db,
        name: &str,
        epoch: Epoch,
    ) -> (&'static Grant, &'static IssuedCode) {
        let (grant, code) = self.new_code(name);
        let grant: &Grant = keep(Grant { epoch, ..grant.clone() });
        write!(db, tx => async {
            grants::queue_insert(tx, grant)?;
            codes::queue_insert(tx, code)
        })
        .unwrap();
        (grant, code)
    }

    /// Disables or enables one of the three.
    pub(super) async fn set_disabled(self, db: &Db, what: What, disabled: bool) {
        let tenant = keep(Tenant { disabled, ..self.tenant.clone() });
        let user = keep(User { disabled, ..self.anna.clone() });
        let client = keep(Client { disabled, ..self.shop.clone() });
        write!(db, tx => async {
            match what {
                What::User => users::upsert(tx, user).await,
                What::Tenant => tenants::upsert(tx, tenant).await,
                What::Client => clients::upsert(tx, client).await,
            }
        })
        .unwrap();
    }
}

/// What a grant stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    User,
    Tenant,
    Client,
}

impl What {
    pub(super) const ALL: [Self; 3] = [Self::User, Self::Tenant, Self::Client];

    /// The epoch of a grant after its end: the tenant is both the user's and the client's.
    pub(super) fn raises(self, epoch: Epoch) -> Epoch {
        if self == Self::Tenant { epoch.next().next() } else { epoch.next() }
    }
}
