//! Signing in at an upstream provider: the browser goes there, comes back with an answer, and the login goes on.
//!
//! An answer counts once, in the browser that left for it, for the provider that it was sent to. So `state` is a secret
//! whose hash is a row: it leads to the login, which belongs to a browser, and is claimed before anything is redeemed.
//! Nonce and PKCE verifier are derived from it under the master key: reading it in an address reveals neither, and
//! nothing of them is stored. Each provider has a redirect URI of its own, so that one provider's answer cannot be passed
//! off as another's even where it does not name itself (RFC 9700 §4.4.2).
//!
//! Out of here the browser goes on to the application in a navigation of its own: it came from a form of the provider's, and
//! Chromium holds every redirect after that against the policy of the page with the form (`form-action`), which knows us
//! and not the application.
//!
//! The user is found by provider and `sub` alone. Whatever goes wrong leads back to the page that was left, which says
//! so and offers the local form; nothing of it counts against an account, because no account was tried.

use std::time::Duration;

use axum::extract::Path;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use futures_util::FutureExt;
use openidconnect::core::CoreAuthPrompt;

use super::login::{Due, Login, Outcome};
use super::page_request::PageRequest;
use super::step::links;
use super::steps;
use crate::crypto::random;
use crate::crypto::secret::{self, Secret};
use crate::domain::acr::Acr;
use crate::domain::event::{Event, UpstreamFailure};
use crate::domain::fact::FactKind;
use crate::domain::form::Problem;
use crate::domain::ids::Reference;
use crate::domain::interaction::{RefusalCause, UnlinkedUpstreamUser};
use crate::domain::policy::Need;
use crate::domain::time::Time;
use crate::domain::upstream::{Upstream, Vouched, understood};
use crate::http::{Cookies, cookies, see_other};
use crate::oidc_client::{CallbackParameters, ProviderError};
use crate::protocol::authorize::AuthorizeError;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::upstream_states::{self, UpstreamState};
use crate::storage::upstreams::StoredUpstream;
use crate::storage::{interactions, upstream_accounts};
use crate::upstream::{Testimony, UpstreamClient, UpstreamRequest};

/// How long ago a user may have signed in there where the application does not say: a user who signed in before that is
/// asked to again (NIST SP 800-63B-4 draft, AAL2).
const REMEMBERED: Duration = Duration::from_hours(12);
/// How far the provider's clock and ours may differ.
const LEEWAY: Duration = Duration::from_secs(10);

/// The parts of the address of a departure.
#[derive(Debug, serde::Deserialize)]
pub(super) struct DepartureAddress {
    interaction: String,
    upstream: String,
}

/// The part of the address of an arrival.
#[derive(Debug, serde::Deserialize)]
pub(super) struct ArrivalAddress {
    upstream: String,
}

/// `GET /login/{interaction}/with/{upstream}`
pub(super) async fn depart(page_request: PageRequest, Path(way): Path<DepartureAddress>) -> Response {
    let answer = match Login::resume(page_request.clone(), &way.interaction).boxed().await {
        Ok(Some(login)) if login.is_of(page_request.browser().as_ref()) => {
            leave(login, &way.upstream).boxed().await
        }
        Ok(_) => return page_request.expired(StatusCode::GONE).await,
        Err(error) => return page_request.answer_error(error),
    };
    answer.unwrap_or_else(|error| page_request.failed(&error))
}

/// `GET /login/from/{upstream}`
pub(super) async fn arrive(
    page_request: PageRequest,
    Path(origin): Path<ArrivalAddress>,
    uri: Uri,
) -> Response {
    let answer = match Parameters::parse(uri.query().unwrap_or_default().as_bytes()) {
        Ok(answer) if answer.each_once().is_ok() => answer,
        _ => return page_request.expired(StatusCode::GONE).await,
    };
    match returned(&page_request, &origin.upstream, &answer).boxed().await {
        Ok(response) => response,
        Err(AuthorizeError::Internal(error)) => page_request.failed(&error),
        Err(error) => page_request.answer_error(error),
    }
}

impl Login {
    /// What we are to this provider, as the issuer of this login.
    fn party<'a>(&'a self, stored: &'a StoredUpstream) -> Result<UpstreamClient<'a>, Internal> {
        let (idp, upstream) = (self.idp(), &stored.upstream);
        let secret = match &stored.sealed_secret {
            Some(sealed) => Some(idp.sealer().open(sealed, &StoredUpstream::row(&upstream.id))?),
            None => None,
        };
        Ok(UpstreamClient {
            upstream,
            secret: secret.map(|bytes| String::from_utf8_lossy(&bytes).into_owned().into()),
            redirect_uri: self.page_request.issuer.url.at(&format!("/login/from/{}", upstream.name)),
            outbound: idp.outbound(),
            cache: idp.upstreams(),
            patience: idp.settings().upstream_deadline,
            now: idp.now(),
        })
    }

    fn derived(&self, purpose: &str, state: &str) -> String {
        self.idp().sealer().keyed_hash(purpose, state).as_str().to_owned()
    }

    /// Whether the login waits for a sign-in.
    fn is_open(&self) -> bool {
        matches!(self.next(), Due::Ask(Need::FirstFactor { .. } | Need::UpstreamProof { .. }))
    }

    /// How long ago the user may have signed in upstream.
    fn patience(&self) -> Duration {
        let asked = self.request().max_age.map_or(REMEMBERED, Duration::from_secs);
        if self.request().is_fresh() { Duration::ZERO } else { asked.min(REMEMBERED) }
    }

    /// The request that is sent with the browser.
    fn upstream_request(&self, upstream: &Upstream, state: &str) -> UpstreamRequest {
        let steps_up = matches!(self.next(), Due::Ask(Need::UpstreamProof { .. }));
        let asked = self.request();
        let two = asked.essential_acr() == Some(Acr::TwoFactors)
            || asked.acr_values.iter().any(|acr| acr == Acr::TwoFactors.as_str());
        let prompt = if steps_up || asked.is_fresh() {
            Some(CoreAuthPrompt::Login)
        } else {
            self.interaction.progress.alone.then_some(CoreAuthPrompt::SelectAccount)
        };
        UpstreamRequest {
            state: state.to_owned(),
            nonce: self.derived("upstream nonce", state),
            verifier: self.derived("upstream verifier", state),
            prompt,
            max_age: if steps_up { Duration::ZERO } else { self.patience() },
            acr_values: if steps_up || two { upstream.rules.mfa_acr.clone() } else { Vec::new() },
            locale: self.locale().tag().to_owned(),
        }
    }
}

/// Sends the browser away, and remembers in it that this way was taken.
async fn leave(login: Login, name: &str) -> Result<Response, Internal> {
    let offered = login.upstreams().await?;
    let chosen = offered.iter().find(|stored| stored.upstream.name.as_str() == name);
    let Some(stored) = chosen.filter(|_| login.is_open()) else {
        return Ok(see_other(&login.address(steps::current(&login))));
    };
    let (upstream, state) = (&stored.upstream, Secret::generate());
    let request = login.upstream_request(upstream, state.expose());
    let address = match login.party(stored)?.authorization_url(request).await {
        Ok(address) => address,
        Err(error) => return fail(login, upstream, &error).await,
    };
    let departure = UpstreamState {
        state: state.hash(),
        interaction: login.interaction.id.clone(),
        upstream: upstream.id.clone(),
        departed_at: login.now,
    };
    let whole = login.whole();
    let noted = login.idp().db().write(move |tx| {
        let departure = departure.clone();
        let whole = whole.clone();
        async move {
            if let Some(whole) = whole {
                interactions::save(tx, &whole).await?;
            }
            upstream_states::insert(tx, &departure).await
        }
        .boxed()
    });
    noted.await?;
    let mut response = see_other(address.as_str());
    let choice = cookies::keep(&login.page_request.issuer, Cookies::UPSTREAM, upstream.name.as_str());
    response.headers_mut().extend(choice.map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}

/// Finds the login that was left, and goes on with it.
async fn returned(
    page_request: &PageRequest,
    name: &str,
    answer: &Parameters,
) -> Result<Response, AuthorizeError> {
    let Some(state) = answer.get("state") else { return Ok(page_request.expired(StatusCode::GONE).await) };
    let found = {
        let mut reader = page_request.idp.db().read();
        let (issuer, now) = (&page_request.issuer.id, page_request.idp.now());
        let found = upstream_states::by_state(&mut reader.tx(), &secret::hash(state), issuer, now).await;
        found.map_err(Internal::from)?
    };
    let Some(departure) = found else { return Ok(page_request.expired(StatusCode::GONE).await) };
    let login = Login::resume(page_request.clone(), departure.interaction.as_str()).boxed().await?;
    let Some(login) = login.filter(|login| login.is_of(page_request.browser().as_ref())) else {
        return Ok(page_request.expired(StatusCode::FORBIDDEN).await);
    };
    let offered = login.upstreams().await?;
    let here = |stored: &&StoredUpstream| {
        stored.upstream.id == departure.upstream && stored.upstream.name.as_str() == name
    };
    let Some(stored) = offered.iter().find(here).filter(|_| login.is_open()) else {
        return Ok(see_other(&login.address(steps::current(&login))));
    };
    let claimed = departure.state.clone();
    let claimed = login.idp().db().write(move |tx| {
        let state = claimed.clone();
        async move { upstream_states::claim(tx, &state).await }.boxed()
    });
    if !claimed.await.map_err(Internal::from)? {
        return Ok(see_other(&login.address(steps::current(&login))));
    }
    let nonce = login.derived("upstream nonce", state);
    let verifier = login.derived("upstream verifier", state);
    let (code, iss, error) = (answer.get("code"), answer.get("iss"), answer.get("error"));
    let answer = CallbackParameters { code, iss, error, nonce, verifier };
    let testimony = login.party(stored)?.redeem(&answer).boxed().await;
    let testimony = testimony.and_then(|said| Ok((proved_at(&login, &departure, &said)?, said)));
    match testimony {
        Ok((at, testimony)) => Ok(vouched(login, &stored.upstream, testimony, at).await?),
        Err(error) => Ok(fail(login, &stored.upstream, &error).await?),
    }
}

/// When the factors were proved there: never later than it was, and not longer ago than the request allows.
///
/// A provider that does not say (though a request with `max_age` requires `auth_time`) has seen the user within the time that
/// it was asked for: it counts as the earliest moment of that, and where the application itself asks, as no answer.
fn proved_at(login: &Login, departure: &UpstreamState, said: &Testimony) -> Result<Time, ProviderError> {
    let earliest = departure.departed_at.minus(login.patience());
    let asked = login.request().max_age.is_some() || login.request().is_fresh();
    match said.auth_time {
        None if asked => {
            Err(ProviderError::Unproved("it is not said when the user signed in (auth_time)".into()))
        }
        None => Ok(earliest.min(login.now)),
        Some(at) if at.plus(LEEWAY) < earliest => {
            Err(ProviderError::Unproved("the user signed in too long ago (auth_time)".into()))
        }
        Some(at) if at > login.now.plus(LEEWAY) => {
            Err(ProviderError::Unproved("the user signed in at a time that lies ahead (auth_time)".into()))
        }
        Some(at) => Ok(at.max(earliest).min(login.now)),
    }
}

/// A user is signed in there: one with a linked account, or an unlinked one.
async fn vouched(
    mut login: Login,
    upstream: &Upstream,
    testimony: Testimony,
    at: Time,
) -> Result<Response, Internal> {
    let Testimony { subject, acr, amr, .. } = testimony;
    let mfa = upstream.rules.is_mfa(acr.as_deref(), &amr);
    let vouched = Vouched { upstream: upstream.id.clone(), mfa, amr: understood(&amr, mfa) };
    let known = {
        let mut reader = login.idp().db().read();
        upstream_accounts::user(&mut reader.tx(), &upstream.id, &subject).await?
    };
    if let Some(user) = known {
        login.identify(&user).await?;
        // Who may not sign in here is told what a stranger is told.
        let may = login.may_sign_in_at(upstream).await?;
        if let Some(epoch) = login.user.as_ref().filter(|_| may).map(|login_user| login_user.epoch()) {
            let at = login.moment(&user, at);
            let proves = FactKind::Upstream(vouched);
            login.interaction.progress.first_factor_proved(&user, epoch, proves, at);
            let (login, outcome) = login.store().await?;
            return Ok(login.respond_apart(outcome));
        }
    }
    login.interaction.progress.start_again();
    login.user = None;
    let issuer = upstream.issuer.clone();
    login.interaction.progress.unlinked = Some(UnlinkedUpstreamUser { issuer, subject, vouched, at });
    let reference = random::reference();
    login.refuse(links::LINK, RefusalCause::NotLinked, Some(reference.clone()));
    tell(&mut login, upstream, UpstreamFailure::NotLinked, None, reference);
    let (login, outcome) = login.store().await?;
    Ok(steps::respond(&login, outcome))
}

impl Login {
    /// The answer to the browser, without a redirect that leads away from here.
    fn respond_apart(&self, outcome: Outcome) -> Response {
        let away = matches!(outcome, Outcome::Code(..) | Outcome::Refused(_) | Outcome::Denied(_));
        let redirect = steps::respond(self, outcome);
        let address = redirect.headers().get(LOCATION).and_then(|address| address.to_str().ok());
        let Some(address) = address.filter(|_| away).map(str::to_owned) else { return redirect };
        let application = self.validated.client().name_in(self.locale()).to_owned();
        let mut page = self.apart(address, application);
        let cookies = redirect.headers().get_all(SET_COOKIE).into_iter().cloned();
        page.headers_mut().extend(cookies.map(|cookie| (SET_COOKIE, cookie)));
        page
    }
}

/// Back to the page that was left, which says what happened.
async fn fail(mut login: Login, upstream: &Upstream, error: &ProviderError) -> Result<Response, Internal> {
    let (problem, reason) = match error {
        ProviderError::Unavailable(_) => (Problem::UpstreamUnavailable, UpstreamFailure::Unavailable),
        ProviderError::Refused(_) => (Problem::UpstreamRefused, UpstreamFailure::Refused),
        ProviderError::Unproved(_) => (Problem::UpstreamUnproved, UpstreamFailure::Unproved),
    };
    let reference = random::reference();
    let step = match login.next() {
        Due::Ask(need) => steps::asking(&need),
        _ => links::FIRST,
    };
    tracing::warn!(upstream = %upstream.name, %reference, %error, "nobody was signed in upstream");
    login.refuse(step, problem, Some(reference.clone()));
    tell(&mut login, upstream, reason, Some(error.to_string()), reference);
    let (login, outcome) = login.store().await?;
    Ok(steps::respond(&login, outcome))
}

fn tell(
    login: &mut Login,
    upstream: &Upstream,
    reason: UpstreamFailure,
    hint: Option<String>,
    reference: Reference,
) {
    let (issuer, upstream) = (login.interaction.issuer.clone(), upstream.name.clone());
    login.tell(Event::UpstreamFailed { issuer, upstream, reason, hint, reference });
}
