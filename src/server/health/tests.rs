//! The conditions under which `/healthz` fails.

use tower::ServiceExt;

use super::*;
use crate::domain::message::Channel;
use crate::testing::TestIdp;

async fn healthz(health: &Health) -> StatusCode {
    let request = axum::extract::Request::get("/healthz").body(axum::body::Body::empty()).unwrap();
    health.router().oneshot(request).await.unwrap().status()
}

/// A process is unhealthy only if a restart would help.
#[tokio::test]
async fn only_a_process_that_has_stopped_beside_a_living_database_is_red() {
    let idp = TestIdp::with("").await;
    let probe = Duration::from_mins(1);
    let health = Health { stalled: Duration::ZERO, probe, ..Health::new(idp.idp().clone()) };
    assert_eq!(healthz(&health).await, StatusCode::OK, "nothing to do");
    for channel in Channel::ALL {
        let lane = idp.idp().parts().lanes.of(channel);
        lane.begin();
        assert_eq!(healthz(&health).await, StatusCode::SERVICE_UNAVAILABLE, "{channel:?}");
        assert_eq!(healthz(&Health::new(idp.idp().clone())).await, StatusCode::OK, "not for a minute yet");
        lane.rest();
        assert_eq!(healthz(&health).await, StatusCode::OK);
    }
    // PostgreSQL has no such file; `tests/it/storage` runs a server that hangs.
    if std::fs::remove_file(idp.folder().join("vestibule.db")).is_ok() {
        idp.idp().parts().lanes.of(Channel::Mail).begin();
        assert_eq!(healthz(&health).await, StatusCode::OK, "the database is gone");
    }
}
