//! What ends things.

use vestibule::{SupportAction, SupportOutcome};

use super::things::Scene;
use crate::login::DOMAIN;
use crate::recovery::{NEW, choose};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    PasswordSet,
    PasswordChanged,
    DeviceReplaced,
    EnrolmentReset,
    BreakGlassMade,
    BreakGlassUsed,
    UserDisabled,
    UserDeleted,
    TenantDisabled,
    TenantDeleted,
    ClientDisabled,
    ClientDeleted,
}

impl Event {
    pub(super) const ALL: [Self; 12] = [
        Self::PasswordSet,
        Self::PasswordChanged,
        Self::DeviceReplaced,
        Self::EnrolmentReset,
        Self::BreakGlassMade,
        Self::BreakGlassUsed,
        Self::UserDisabled,
        Self::UserDeleted,
        Self::TenantDisabled,
        Self::TenantDeleted,
        Self::ClientDisabled,
        Self::ClientDeleted,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PasswordSet => "password set by an operator",
            Self::PasswordChanged => "password changed by its user",
            Self::DeviceReplaced => "device replaced by an operator",
            Self::EnrolmentReset => "enrolment reset",
            Self::BreakGlassMade => "break-glass link made",
            Self::BreakGlassUsed => "break-glass link used",
            Self::UserDisabled => "user disabled",
            Self::UserDeleted => "user deleted",
            Self::TenantDisabled => "tenant disabled",
            Self::TenantDeleted => "tenant deleted",
            Self::ClientDisabled => "client disabled",
            Self::ClientDeleted => "client deleted",
        }
    }

    /// It happens, and is undone where it can be.
    pub(super) async fn happens(self, scene: &Scene) {
        let user = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"{}\"\n", scene.user);
        let tenant = format!("[[tenants]]\ndomain = \"{DOMAIN}\"\n");
        let client = "[[clients]]\nclient_id = \"till\"\n";
        match self {
            Self::PasswordSet => {
                scene.apply(&format!("{user}password = \"{NEW}\"\n")).await;
                scene.password_is(NEW);
            }
            Self::PasswordChanged => {
                let link = scene.link().await;
                change(scene, &link).await;
            }
            Self::DeviceReplaced => {
                let other = "[[users.authenticators]]\nkind = \"totp\"\nsecret = \"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"\n";
                scene.apply(&format!("{user}{other}")).await;
            }
            Self::EnrolmentReset => {
                assert_eq!(scene.help(SupportAction::ResetEnrolment).await, SupportOutcome::Done);
            }
            Self::BreakGlassMade => drop(scene.help(SupportAction::BreakGlass).await),
            Self::BreakGlassUsed => {
                let SupportOutcome::Link(link) = scene.help(SupportAction::BreakGlass).await else {
                    panic!("no link")
                };
                change(scene, &link).await;
            }
            Self::UserDisabled => on_and_off(scene, &user).await,
            Self::TenantDisabled => on_and_off(scene, &tenant).await,
            Self::ClientDisabled => on_and_off(scene, client).await,
            Self::UserDeleted => delete(scene, &user).await,
            Self::TenantDeleted => delete(scene, &tenant).await,
            Self::ClientDeleted => delete(scene, client).await,
        }
    }
}

/// Chooses another password with a link; who has a device has to prove it.
async fn change(scene: &Scene, link: &str) {
    let mut browser = scene.idp().browser();
    let page = browser.get(link).await;
    assert_eq!(page.step(), Some("new_password"), "{}", page.body);
    let page = choose(&mut browser, &page, NEW).await;
    if page.step() == Some("second_factor") {
        let page = browser.submit(&page, &[("code", &scene.code())]).await;
        assert_eq!(page.step(), Some("reset_done"), "{}", page.body);
    }
    scene.password_is(NEW);
}

async fn on_and_off(scene: &Scene, who: &str) {
    scene.apply(&format!("{who}disabled = true\n")).await;
    scene.apply(&format!("{who}disabled = false\n")).await;
}

async fn delete(scene: &Scene, who: &str) {
    scene.apply(&format!("{who}state = \"absent\"\n")).await;
    scene.make_again().await;
}
