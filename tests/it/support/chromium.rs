//! A real Chromium, driven over `WebDriver` by a chromedriver of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, TypingData, WindowHandle};
use tokio::sync::Semaphore;

/// Two Chromiums keep two cores busy.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// How the person in front of it has set up the browser.
#[derive(Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) language: &'static str,
    pub(crate) javascript: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { language: "en", javascript: true }
    }
}

/// A browser window.
pub(crate) struct Chromium {
    driver: WebDriver,
    /// The source of axe-core; it waits for promises, which never come true where pages may run no scripts.
    axe: Option<String>,
    /// The virtual authenticator that is plugged in.
    authenticator: Mutex<Option<Value>>,
}

/// Tells a story to a fresh Chromium, which is gone afterwards whatever happened; without a Chromium it is left out.
pub(crate) async fn browse(habits: Habits, story: impl AsyncFnOnce(&Chromium)) {
    let suite = "pages in a real Chromium";
    let Some(program) = super::optional(suite, "VESTIBULE_TEST_CHROMEDRIVER") else { return };
    let Some(chrome) = super::optional(suite, "VESTIBULE_TEST_CHROME") else { return };
    let Some(axe) = super::optional(suite, "VESTIBULE_TEST_AXE") else { return };
    let axe = habits.javascript.then(|| std::fs::read_to_string(axe).unwrap());
    let _turn = AT_ONCE.acquire().await.unwrap();
    let driver = Driver::start(&program);
    let session =
        WebDriver::new(&driver.address, habits.capabilities(&chrome, &driver.profile)).await.unwrap();
    let told = session.run_and_quit(async |driver| -> WebDriverResult<()> {
        story(&Chromium { driver, axe, authenticator: Mutex::default() }).await;
        Ok(())
    });
    told.await.unwrap();
}

impl Habits {
    fn capabilities(self, chrome: &str, profile: &Path) -> ChromeCapabilities {
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary(chrome).unwrap();
        for argument in [
            "--headless=new",
            "--no-sandbox", // root may not have one, and only our own pages are opened
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--enable-blink-features=ComputedAccessibilityInfo",
            &format!("--user-data-dir={}", profile.display()),
            &format!("--accept-lang={}", self.language),
            "--window-size=1280,900",
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        let scripts = if self.javascript { 1 } else { 2 };
        let preferences = json!({
            "profile.managed_default_content_settings.javascript": scripts,
            "intl.accept_languages": self.language,
        });
        capabilities.add_experimental_option("prefs", preferences).unwrap();
        capabilities.set("goog:loggingPrefs", json!({ "browser": "ALL" })).unwrap();
        capabilities
    }
}

impl Chromium {
    pub(crate) async fn open(&self, address: &str) {
        self.driver.goto(address).await.unwrap();
    }

    pub(crate) async fn back(&self) {
        self.driver.back().await.unwrap();
    }

    pub(crate) async fn reload(&self) {
        self.driver.refresh().await.unwrap();
    }

    pub(crate) async fn address(&self) -> String {
        self.driver.current_url().await.unwrap().into()
    }

    /// The step of the hosted login that is on the screen, if it is one.
    pub(crate) async fn step(&self) -> String {
        let main = self.element("main").await;
        main.attr("data-step").await.unwrap().unwrap_or_default()
    }

    /// What stands on the page, as a reader sees it.
    pub(crate) async fn text(&self, selector: &str) -> String {
        self.element(selector).await.text().await.unwrap()
    }

    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self.driver.find_all(By::Css(selector)).await.unwrap() {
            texts.push(element.text().await.unwrap());
        }
        texts
    }

    pub(crate) async fn has(&self, selector: &str) -> bool {
        !self.driver.find_all(By::Css(selector)).await.unwrap().is_empty()
    }

    /// Types into the field of that name, in place of what was there.
    pub(crate) async fn fill(&self, field: &str, value: &str) {
        let field = self.element(&format!("[name={field}]")).await;
        field.clear().await.unwrap();
        field.send_keys(value).await.unwrap();
    }

    pub(crate) async fn value(&self, field: &str) -> String {
        self.element(&format!("[name={field}]")).await.value().await.unwrap().unwrap_or_default()
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.element(selector).await.click().await.unwrap();
    }

    /// Answers what the form asks under this name: ticks the box, chooses, types. `false`: it is a button, and not pressed.
    pub(crate) async fn answer(&self, name: &str, value: &str) -> bool {
        let named = format!("main form [name={name}]");
        let element = self.element(&named).await;
        let kind = element.attr("type").await.unwrap().unwrap_or_default();
        match (element.tag_name().await.unwrap().as_str(), kind.as_str()) {
            ("button", _) => return false,
            ("select", _) => self.click(&format!("{named} option[value='{value}']")).await,
            (_, "radio") => self.click(&format!("{named}[value='{value}']")).await,
            (_, "checkbox") => self.click(&named).await,
            _ => self.fill(name, value).await,
        }
        true
    }

    /// Waits for a page that does not go on by itself.
    pub(crate) async fn settle(&self) {
        while self.has("main[data-step=onward]").await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Forgets all cookies, as a browser that was never anywhere.
    pub(crate) async fn forget(&self) {
        self.driver.cdp().send_raw("Network.clearBrowserCookies", json!({})).await.unwrap();
    }

    /// Is it there, and can it be seen?
    pub(crate) async fn sees(&self, selector: &str) -> bool {
        match self.driver.find(By::Css(selector)).await {
            Ok(element) => element.is_displayed().await.unwrap(),
            Err(_) => false,
        }
    }

    /// Presses the button that goes on, the form's first, and waits for the page it leads to.
    pub(crate) async fn submit(&self) {
        self.follow("main form button[type=submit], main form button:not([type])").await;
    }

    /// Clicks on what leads to another page, and waits for that.
    pub(crate) async fn follow(&self, selector: &str) {
        self.leave(async || self.click(selector).await).await;
    }

    /// Does what leads to another page, and waits for that.
    pub(crate) async fn leave(&self, act: impl AsyncFnOnce()) {
        let page = self.element("html").await;
        act().await;
        let gone = page.wait_until().wait(Duration::from_secs(30), Duration::from_millis(50)).stale().await;
        assert!(gone.is_ok(), "still at {}", self.address().await);
    }

    /// Presses keys wherever the focus is.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) {
        self.driver.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Goes on with the Tab key until the focus is on what the selector names; there it must be seen.
    pub(crate) async fn tab_to(&self, selector: &str) {
        const FOCUS: &str = "const focus = document.activeElement, style = getComputedStyle(focus);
            return [focus.matches(arguments[0]), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 1]";
        for _ in 0..40 {
            let focus = self.script(FOCUS, vec![json!(selector)]).await;
            let [is_there, is_seen] = [0, 1].map(|at| focus[at] == true);
            if is_there {
                assert!(is_seen, "{selector} does not show that it has the focus");
                return;
            }
            self.press(Key::Tab).await;
        }
        panic!("the Tab key does not reach {selector} at {}", self.address().await);
    }

    /// Plugs in a virtual authenticator of this make, whose user is there and consents to everything.
    pub(crate) async fn plug_in(&self, make: Value) {
        let mut options = json!({ "protocol": "ctap2", "isUserVerified": true });
        options.as_object_mut().unwrap().extend(make.as_object().unwrap().clone());
        self.cdp("WebAuthn.enable", json!({ "enableUI": false })).await;
        let added = self.cdp("WebAuthn.addVirtualAuthenticator", json!({ "options": options })).await;
        *self.authenticator.lock().unwrap() = Some(added["authenticatorId"].clone());
    }

    /// Takes the virtual authenticator away.
    pub(crate) async fn unplug(&self) {
        let id = self.authenticator.lock().unwrap().take();
        self.cdp("WebAuthn.removeVirtualAuthenticator", json!({ "authenticatorId": id })).await;
    }

    /// Does the user answer the virtual authenticator? What it was asked before, it is not asked again.
    pub(crate) async fn answer_authenticator(&self, answers: bool) {
        let id = self.authenticator.lock().unwrap().clone();
        let parameters = json!({ "authenticatorId": id, "enabled": answers });
        self.cdp("WebAuthn.setAutomaticPresenceSimulation", parameters).await;
    }

    async fn cdp(&self, command: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(command, parameters).await.unwrap()
    }

    pub(crate) async fn forget_cookies(&self) {
        self.cdp("Network.clearBrowserCookies", json!({})).await;
    }

    /// Is there such an element, and can it be seen?
    pub(crate) async fn is_seen(&self, selector: &str) -> bool {
        self.element(selector).await.is_displayed().await.unwrap()
    }

    /// Waits until the browser has gone to an address that begins like this.
    pub(crate) async fn wait_for_address(&self, start: &str) {
        self.wait(async || self.address().await.starts_with(start)).await;
    }

    /// Waits until the element says this.
    pub(crate) async fn wait_for_text(&self, selector: &str, part: &str) {
        self.wait(async || self.text(selector).await.contains(part)).await;
    }

    async fn wait(&self, is_so: impl AsyncFn() -> bool) {
        for _ in 0..300 {
            if is_so().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("waited in vain at {}: {}", self.address().await, self.text("body").await);
    }

    /// What a script of the test's own returns.
    pub(crate) async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.driver.execute(script, arguments).await.unwrap().json().clone()
    }

    /// What the browser complained of since last asked: blocked by the content security policy, not found, and the like.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.unwrap();
        log.into_iter().filter(|entry| entry.level != "INFO").map(|entry| entry.message).collect()
    }

    /// The tab that is in front.
    pub(crate) async fn tab(&self) -> WindowHandle {
        self.driver.window().await.unwrap()
    }

    /// Opens another tab in front of this one, and returns this one, to switch back to.
    pub(crate) async fn new_tab(&self) -> WindowHandle {
        let here = self.driver.window().await.unwrap();
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
        here
    }

    /// Switches to a tab, and returns the one that was in front.
    pub(crate) async fn switch_to(&self, tab: WindowHandle) -> WindowHandle {
        let here = self.driver.window().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
        here
    }

    /// Looks at the page as large as it is, on a screen of that width and in that colour scheme, and keeps the picture.
    /// Returns what makes it hard to read or use there.
    pub(crate) async fn look(&self, width: u32, scheme: &str, name: &str) -> Vec<String> {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await.unwrap();
        self.resize(width, 900).await;
        let height = self.script("return document.documentElement.scrollHeight", vec![]).await;
        self.resize(width, height.as_u64().unwrap().max(600)).await;
        let path = screenshots().join(format!("{name}-{scheme}-{width}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        self.driver.screenshot(&path).await.unwrap();
        self.faults().await
    }

    /// What is wrong with the page for someone who reads, sees or points differently.
    pub(crate) async fn faults(&self) -> Vec<String> {
        let found = self.script(include_str!("accessibility.js"), vec![]).await;
        let mut faults: Vec<String> = serde_json::from_value(found).unwrap();
        if let Some(axe) = &self.axe {
            // Half a megabyte, which a page keeps until the next is opened.
            if self.script("return !window.axe", vec![]).await == true {
                self.script(axe, vec![]).await;
            }
            let found = self.driver.execute_async(include_str!("axe.js"), vec![]).await.unwrap();
            faults.extend(serde_json::from_value::<Vec<String>>(found.json().clone()).unwrap());
        }
        faults
    }

    /// Gives the page a screen of that size; below 600 wide it is a telephone's.
    pub(crate) async fn resize(&self, width: u32, height: u64) {
        let screen =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
    }

    async fn element(&self, selector: &str) -> WebElement {
        if let Ok(element) = self.driver.query(By::Css(selector)).first().await {
            return element;
        }
        let page = self.driver.find(By::Css("body")).await.unwrap().text().await.unwrap();
        panic!("no {selector} at {}:\n{page}", self.address().await)
    }
}

fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots")
}

/// A chromedriver on a port of its choice.
struct Driver {
    process: Child,
    address: String,
    profile: PathBuf,
}

impl Driver {
    fn start(program: &str) -> Self {
        // It has to be there before the first request is sent, though only http is spoken.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let mut process = Command::new(program).arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let port = said.lines().find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("ChromeDriver was started successfully on port ")?
                .trim_end_matches('.')
                .parse::<u16>()
                .ok()
        });
        let port = port.expect("chromedriver says its port");
        let profile = std::env::temp_dir().join(format!("vestibule-chromium-{}-{port}", std::process::id()));
        Self { process, address: format!("http://127.0.0.1:{port}"), profile }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Both are gone already, or the temporary directory is a little fuller.
        drop(self.process.kill().and_then(|()| self.process.wait()));
        drop(std::fs::remove_dir_all(&self.profile));
    }
}
