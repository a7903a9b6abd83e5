//! What a provider counts about itself.

use serde_json::Value;
use vestibule::testing::TestIdp;
use vestibule::{Metrics, ResponseCount};

use super::login::{DOMAIN, PASSWORD, code, enter, house, open, sign_in};
use super::support::network::http;
use super::support::process::{Running, vestibule};

fn answered(figures: &Metrics, route: &str, method: &str, status: &str) -> u64 {
    let same = |row: &&ResponseCount| (row.route.as_str(), row.method, row.status) == (route, method, status);
    figures.answers.iter().find(same).map_or(0, |row| row.count)
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_was_sent() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let back = enter(&mut browser, &shop, "bert").await;
    let tokens = shop.redeem(&back).await;
    shop.userinfo(&tokens.access_token).await;
    for path in ["/nowhere", "/nowhere/else", "/t/123456.sms/jwks", "/t/other.sms/jwks", "/jwks"] {
        browser.get(&format!("{}{path}", TestIdp::ISSUER)).await;
    }
    let figures = idp.idp().figures();
    let count = |route, method, status| answered(&figures, route, method, status);
    assert_eq!(count("/authorize", "GET", "3xx"), 1);
    assert_eq!(count("/login/{interaction}/{step}", "GET", "2xx"), 1);
    assert_eq!(count("/login/{interaction}/{step}", "POST", "3xx"), 1);
    assert_eq!(count("/token", "POST", "2xx"), 1);
    assert_eq!(count("/userinfo", "GET", "2xx"), 1);
    assert_eq!(count("/jwks", "GET", "2xx"), 3, "one row for every issuer");
    assert_eq!(count("other", "GET", "4xx"), 2);
    let all: u64 = figures.answers.iter().map(|row| row.count).sum();
    assert_eq!(figures.times.iter().map(|(_, readings)| readings.count()).sum::<u64>(), all);
    let routes: Vec<_> = vestibule::Idp::routes().into_iter().map(|route| route.path.into_owned()).collect();
    for row in &figures.answers {
        assert!(row.route == "other" || routes.contains(&row.route), "{row:?}");
    }
}

#[tokio::test]
async fn logins_are_counted_by_how_they_come_out() {
    let (idp, shop) = house().await;
    enter(&mut idp.browser(), &shop, "bert").await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let page = sign_in(&mut browser, &page, "nobody", PASSWORD).await;
    let page = sign_in(&mut browser, &page, "tina", "wrong").await;
    let page = browser
        .submit(&page, &[("tenant", "nowhere.sms"), ("username", "tina"), ("password", PASSWORD)])
        .await;
    let page =
        browser.submit(&page, &[("tenant", DOMAIN), ("username", "tina"), ("password", PASSWORD)]).await;
    assert_eq!(page.step(), Some("second_factor"));
    let page = browser.submit(&page, &[("code", "000000")]).await;
    let back = browser.submit(&page, &[("code", &code(&idp))]).await;
    assert!(back.parameter("code").is_some());
    let figures = idp.idp().figures();
    let counts: Vec<_> = figures.logins.iter().map(|(outcome, count)| (*outcome, *count)).collect();
    assert_eq!(
        counts,
        [
            ("completed", 2),
            ("second_factor_failed", 1),
            ("tenant_unknown", 1),
            ("user_unknown", 1),
            ("wrong_password", 1),
        ]
    );
    assert_eq!(figures.events.get("login_failed"), Some(&3));
}

#[tokio::test]
async fn the_store_and_the_hashes_tell_how_busy_they_are() {
    let (idp, shop) = house().await;
    enter(&mut idp.browser(), &shop, "bert").await;
    let figures = idp.idp().figures();
    assert_eq!((figures.hashes.running, figures.hashes.waiting, figures.hashes.refused), (0, 0, 0));
    let store = figures.store;
    assert!(store.statements > 0 && store.writes > 0);
    assert_eq!((store.pool.in_use, store.pool.waits, store.pool.refused), (0, 0, 0));
    assert!(store.pool.most > 0);
    if let Some(writer) = store.writer {
        assert_eq!(writer.waiting, 0);
        let closures = writer.commits.sum;
        assert!(closures > 0 && writer.commits.count() <= closures, "{:?}", writer.commits);
    }
}

/// The address that a line of the log names.
fn address(process: &mut Running, message: &str, field: &str) -> String {
    let line: Value = serde_json::from_str(&process.wait_for_log(message)).unwrap();
    line["fields"][field].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_them_at_an_address_of_their_own() {
    let folder = std::env::temp_dir().join(format!("vestibule-metrics-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log-format", "json"];
    let mut process = Running::start(vestibule(&folder, &arguments));
    let aside = address(&mut process, "\"metrics\"", "metrics_listen");
    let front = address(&mut process, "\"ready\"", "listen");
    let get = async |address: &str, path: &str| {
        let request = http().get(format!("http://{address}{path}")).header("host", "localhost:8080");
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    };
    assert_eq!(get(&front, "/metrics").await.0, 404, "not where the Internet is");
    assert_eq!(get(&aside, "/jwks").await.0, 404, "and nothing else there");
    assert_eq!(get(&front, "/jwks?secret=canary").await.0, 200);
    assert_eq!(get(&front, "/canary").await.0, 404);
    let (status, kind, text) = get(&aside, "/metrics").await;
    assert_eq!((status, kind.as_deref()), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    for line in [
        "vestibule_outbox_waiting{channel=\"mail\"} 0",
        "vestibule_outbox_waiting{channel=\"sms\"} 0",
        "# TYPE vestibule_connections gauge",
        "vestibule_connections_refused_total 0",
        "# TYPE vestibule_http_requests_total counter",
        "vestibule_http_requests_total{route=\"/jwks\",method=\"GET\",status=\"2xx\"} 1",
        "# TYPE vestibule_http_request_duration_seconds histogram",
        "vestibule_http_request_duration_seconds_bucket{route=\"/jwks\",le=\"0.0001\"} ",
        "vestibule_http_request_duration_seconds_bucket{route=\"/jwks\",le=\"+Inf\"} 1",
        "vestibule_http_request_duration_seconds_count{route=\"/jwks\"} 1",
        "# TYPE vestibule_logins_total counter",
        "# TYPE vestibule_events_total counter",
        "vestibule_password_hashes_running 0",
        "vestibule_password_hashes_waiting 0",
        "vestibule_password_hashes_refused_total 0",
        "vestibule_db_connections_max 4",
        "vestibule_db_connections_in_use 0",
        "vestibule_db_connection_waits_total 0",
        "vestibule_db_writer_waiting 0",
        "vestibule_db_commit_closures_bucket{le=\"1\"} ",
        &format!("vestibule_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
        "process_start_time_seconds ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line} is not in:\n{text}");
    }
    assert!(!text.contains("canary"), "{text}");
    process.terminate();
    assert_eq!(process.end().0, Some(0));
    std::fs::remove_dir_all(&folder).unwrap();
}
