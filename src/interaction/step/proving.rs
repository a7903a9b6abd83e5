//! Proves a second factor: what was brought is consumed, and noted as a fact, by the write that stores the login.

use futures_util::FutureExt;

use super::super::login::{Login, Outcome, trust};
use super::super::login_user::LoginUser;
use super::verdicts::accepts;
use crate::account::ceremony::SecondFactorProof;
use crate::crypto::random;
use crate::domain::form::Problem;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;

/// Takes the second factor that was brought. Where it is right and the box is ticked, the browser is trusted from now on,
/// except after a recovery code.
pub(in crate::interaction) async fn prove(
    login: Login,
    login_user: Box<LoginUser>,
    proof: SecondFactorProof<'_>,
    form: &Parameters,
    (step, wrong): (&'static str, Problem),
) -> Result<(Login, Outcome), Internal> {
    let attempt = {
        let participant = login.participant(&login_user);
        login.idp().account().second_factor_attempt(&participant, login.ceremony(), proof).await?
    };
    let Some(attempt) = attempt else { return Ok((login, Outcome::Conflict)) };
    let trust = if attempt.is_recovery() { None } else { trust::wanted(&login, &login_user, form) };
    let user = login_user.user.id;
    let (reference, at) = (random::reference(), login.proof_time(&user));
    let written = login.write(move |mut login, tx| {
        let (attempt, trust, wrong) = (attempt.clone(), trust.clone(), wrong);
        let (reference, user) = (reference.clone(), user.clone());
        async move {
            let verdict = attempt.consume(tx, login.now).await?;
            let is_right = accepts(&mut login, step, (&attempt, verdict), wrong, &reference);
            if let Some(fact) = attempt.proves().filter(|_| is_right) {
                login.learn_at(&user, fact, at);
                trust::remember(&mut login, tx, trust).await?;
            }
            Ok(login)
        }
        .boxed()
    });
    written.await
}
