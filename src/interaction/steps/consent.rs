//! What the application may have. Denying it is the button that cancels every page.

use futures_util::FutureExt;
use url::Url;

use crate::domain::fact::FactKind;
use crate::domain::policy::Need;
use crate::interaction::login::Login;
use crate::interaction::step::{Showing, Step, StepView, Submitting};
use crate::protocol::parameters::Parameters;
use crate::views::{self, ApplicationInfo, Body, Form};

pub(super) struct ConsentStep;

impl Step for ConsentStep {
    fn name(&self) -> &'static str {
        "consent"
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Consent(_))
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let (Need::Consent(scope), Some(login_user)) = (need, &login.user) else {
                return Ok(StepView::late(login));
            };
            let own = login.idp().catalogue().own_scopes().await?;
            let asked = own.scopes.iter().filter(|own| scope.contains(&own.name));
            Ok(StepView::Page(Body::Consent(views::ConsentView {
                form,
                application: ApplicationInfo::of(login.validated.client(), login.locale()),
                host: host(&login.request().redirect_uri),
                scope: scope.clone(),
                titles: asked.map(|own| (own.name.clone(), own.title.clone())).collect(),
                account: login_user.user.username.to_string(),
            })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        if let (Some(_), Need::Consent(scope)) = (form.get("allow"), need) {
            login.learn(FactKind::Consent(scope.clone()));
        }
        login.store().boxed()
    }
}

/// Where the answer goes, as people read it: the host, or the private scheme of an application on the device.
fn host(redirect_uri: &str) -> String {
    let url = Url::parse(redirect_uri).ok();
    let host = url.as_ref().and_then(Url::host_str).or_else(|| url.as_ref().map(Url::scheme));
    host.unwrap_or_default().to_owned()
}
