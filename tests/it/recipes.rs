//! The recipes of `docs/relying-parties.md` work as they stand: each is applied, its application is started and signs a
//! user in. Only the addresses of the issuer and of the application are replaced. An API with Spring needs a Java build, so
//! its tokens are checked here as Spring's decoder checks them.

use std::path::Path;
use std::process::Command;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, decode_header};
use serde_json::{Value, json};
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use super::relying_parties::{Provider, SUITE, free_address, programs};
use super::serve::Folder;
use super::support::network::{arrive, browser};
use super::support::optional;
use super::support::process::Running;

const RECIPES: &str = include_str!("../../docs/relying-parties.md");
const LOGIN: &str = "https://login.example.test";
const SHOP: &str = "https://shop.example.test";
const SECRET: &str = "a-secret-of-at-least-32-characters";
/// What the user types.
const FIELDS: [(&str, &str); 3] =
    [("tenant", "123456.sms"), ("username", "anna"), ("password", "correct horse battery staple")];

/// Who signs in; the recipe follows.
const PEOPLE: &str = r#"
    [[tenants]]
    domain = "123456.sms"
    name = "Example Works"
    [[groups]]
    tenant = "123456.sms"
    name = "staff"
    [[users]]
    tenant = "123456.sms"
    username = "anna"
    groups = ["staff"]
    password = "correct horse battery staple"
    name = "Anna Arndt"
    email = "anna@people.test"
    email_verified = true
"#;

/// The first code block in this language below the heading of a library.
fn block(library: &str, language: &str) -> &'static str {
    let (_, section) = RECIPES.split_once(&format!("\n## {library}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let (_, code) = section.split_once(&format!("```{language}\n")).unwrap();
    code.split_once("```").unwrap().0
}

/// What an application of the recipes is called and where it has what.
struct Recipe {
    library: &'static str,
    /// The language of its settings, and the file in which the application looks for them.
    settings: (&'static str, &'static str),
    sign_in: &'static str,
    sign_out: &'static str,
}

/// An application by a recipe, beside the provider that it was registered with.
struct Shop {
    recipe: Recipe,
    address: String,
    _application: Running,
    provider: Provider,
}

impl Shop {
    /// The program gets the folder with its settings and the port.
    fn start(recipe: Recipe, mut program: Command) -> Self {
        let (language, file) = recipe.settings;
        let host = free_address();
        let address = format!("http://{host}");
        let at_home = |language| block(recipe.library, language).replace(SHOP, &address);
        let folder = Folder::new(file);
        folder.write("apply.toml", &format!("{PEOPLE}{}", at_home("toml")));
        let provider = Provider::start_in(folder, "apply.toml");
        let settings = at_home(language).replace(LOGIN, &provider.issuer);
        provider.folder.write(file, &settings);
        let (_, port) = host.rsplit_once(':').unwrap();
        program.arg(provider.folder.path()).arg(port);
        let mut application = Running::start(program);
        let said = application.line();
        assert!(said == "ready\n", "{said}{}", application.end().1);
        Self { recipe, address, _application: application, provider }
    }

    /// What the application tells of its user.
    async fn user(&self, browser: &mut Browser) -> Value {
        browser.get(&self.address).await.json()
    }

    /// Presses the button on one of the application's pages.
    async fn press(&self, browser: &mut Browser, path: &str) -> Answer {
        let page = browser.get(&format!("{}{path}", self.address)).await;
        let answer = browser.submit(&page, &[]).await;
        arrive(browser, answer).await
    }

    async fn signs_in_and_out(&self) {
        let mut anna = browser();
        assert_eq!(self.user(&mut anna).await, Value::Null);
        let login = self.press(&mut anna, self.recipe.sign_in).await;
        assert_eq!(login.step(), Some("identify"), "{}: {}", login.url, login.body);
        let answer = anna.submit(&login, &FIELDS).await;
        let home = arrive(&mut anna, answer).await;
        self.shows_anna(&home);
        self.press(&mut anna, self.recipe.sign_out).await;
        assert_eq!(self.user(&mut anna).await, Value::Null);
        // The provider's session goes on, so there is nothing to type, until that ends too.
        self.shows_anna(&self.press(&mut anna, self.recipe.sign_in).await);
        self.press(&mut anna, self.recipe.sign_out).await;
        self.ends_the_session(&mut anna).await;
        let login = self.press(&mut anna, self.recipe.sign_in).await;
        assert_eq!(login.step(), Some("identify"), "{}: {}", login.url, login.body);
    }

    /// Follows the link of the recipe, which leads back.
    async fn ends_the_session(&self, browser: &mut Browser) {
        let link = block("Sign-out", "text").trim().replace(LOGIN, &self.provider.issuer);
        let page = browser.get(&link.replace(SHOP, &self.address)).await;
        assert_eq!(page.step(), Some("confirm_sign_out"), "{}", page.body);
        let answer = browser.submit(&page, &[]).await;
        let home = arrive(browser, answer).await;
        assert_eq!(home.url.as_str(), format!("{}/", self.address), "{}", home.body);
    }

    fn shows_anna(&self, home: &Answer) {
        assert_eq!(home.url.as_str(), format!("{}/", self.address), "{}", home.body);
        let user = home.json();
        let told = json!([user["name"], user["email"], user["groups"]]);
        assert_eq!(told, json!(["Anna Arndt", "anna@people.test", ["staff"]]), "{user}");
    }
}

#[tokio::test]
async fn auth_js_signs_in() {
    let Some(installed) = optional(SUITE, "VESTIBULE_TEST_AUTH_JS") else { return };
    // Node looks for a module's libraries beside the module.
    std::fs::copy(programs().join("auth-js/app.mjs"), Path::new(&installed).join("app.mjs")).unwrap();
    let recipe = Recipe {
        library: "Auth.js",
        settings: ("js", "auth.mjs"),
        sign_in: "/auth/signin",
        sign_out: "/auth/signout",
    };
    let mut node = Command::new("node");
    node.current_dir(installed).arg("app.mjs");
    node.env("AUTH_SECRET", "for the cookies of this run, and long enough");
    node.env("AUTH_VESTIBULE_SECRET", SECRET);
    Shop::start(recipe, node).signs_in_and_out().await;
}

#[tokio::test]
async fn django_allauth_signs_in() {
    let Some(python) = optional(SUITE, "VESTIBULE_TEST_ALLAUTH") else { return };
    let recipe = Recipe {
        library: "django-allauth",
        settings: ("python", "vestibule.py"),
        sign_in: "/accounts/oidc/vestibule/login/",
        sign_out: "/accounts/logout/",
    };
    let mut python = Command::new(python);
    // -B: nothing compiled is left in the source tree.
    python.arg("-B").arg(programs().join("allauth/app.py"));
    python.env("VESTIBULE_CLIENT_SECRET", SECRET);
    Shop::start(recipe, python).signs_in_and_out().await;
}

/// What one of Spring's properties says.
fn property(name: &str) -> &'static str {
    let prefix = format!("spring.security.oauth2.resourceserver.jwt.{name}=");
    let properties = block("Spring resource server", "properties");
    properties.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap()
}

/// As `NimbusJwtDecoder` checks by these properties.
fn spring_decodes(token: &str, keys: &JwkSet) -> jsonwebtoken::errors::Result<TokenData<Value>> {
    let header = decode_header(token)?;
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    let key = keys.find(&header.kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    // The clock of the test is not the machine's.
    validation.validate_exp = false;
    validation.set_issuer(&[property("issuer-uri")]);
    validation.set_audience(&[property("audiences")]);
    decode(token, &DecodingKey::from_jwk(key)?, &validation)
}

#[tokio::test]
async fn spring_takes_access_tokens_and_no_id_tokens() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let settings = Settings::new(IssuerUrl::parse(property("issuer-uri")).unwrap());
    let world = format!("{PEOPLE}{}", block("Spring resource server", "toml"));
    let idp = TestIdp::with_settings(settings, &world).await;
    let issuer = property("issuer-uri");
    let shop = Application::new(&idp, issuer, "shop", &format!("{SHOP}/callback"));
    let shop = shop.secret(SECRET);
    let mut anna = idp.browser();
    let login = anna.get(&shop.authorization_url("openid groups")).await;
    let tokens = shop.redeem(&anna.submit(&login, &FIELDS).await).await;
    let keys: JwkSet = serde_json::from_str(&anna.get(&format!("{issuer}/jwks")).await.body).unwrap();

    let claims = spring_decodes(&tokens.access_token, &keys).unwrap().claims;
    assert_eq!(claims[property("authorities-claim-name")], json!(["staff"]), "{claims}");
    let refused = spring_decodes(tokens.response["id_token"].as_str().unwrap(), &keys).unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::InvalidAudience);
}
