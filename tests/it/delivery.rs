//! Delivery of mail and texts: what a real mail server receives, and what happens to a message when sending fails.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::time::timeout;
use vestibule::SendOutcome;
use vestibule::domain::contact::{EmailAddress, PhoneNumber};
use vestibule::domain::ids::{MessageId, UserId};
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::locale::Locale;
use vestibule::domain::message::{
    AccountNotice, Channel, CodePurpose, Confidential, Content, DeliveredCode, Delivery, MailContent,
    MessageContent, MessageLink,
};
use vestibule::domain::outbound::{AllowedHost, Outbound};
use vestibule::domain::settings::Settings;
use vestibule::domain::time::Time;
use vestibule::domain::zone::Zone;
use vestibule::notify::{Gateway, GatewaySettings, Smtp, SmtpError};
use vestibule::testing::TestIdp;

use super::login::HOUSE;
use super::support::smtp::{SmtpServer, Trouble};
use super::support::{HurriedClock, listen, serve};

const SOON: Duration = Duration::from_mins(10);

/// A provider that mails over this server, and a user of it.
async fn house(server: &SmtpServer, query: &str) -> (TestIdp, UserId) {
    let from = EmailAddress::parse("no-reply@id.test").unwrap();
    let url = format!("smtp://localhost:{}{query}", server.port);
    let smtp = Smtp::new(&url, &from, Some(server.ca.as_bytes())).unwrap();
    let settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let idp = TestIdp::with_parts(settings, HOUSE, |parts| parts.mailer(smtp)).await;
    let bert = bert(&idp).await;
    (idp, bert)
}

async fn bert(idp: &TestIdp) -> UserId {
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let login = browser.get(&shop.authorization_url("openid")).await;
    let fields =
        [("tenant", "123456.sms"), ("username", "bert"), ("password", "correct horse battery staple")];
    let back = browser.submit(&login, &fields).await;
    UserId::new(shop.redeem(&back).await.id_token["sub"].as_str().unwrap())
}

fn mail(to: &str, mail: MailContent) -> MessageContent {
    let content = Content::Mail { to: EmailAddress::parse(to).unwrap(), mail };
    MessageContent { locale: Locale::De, account: "bert".to_owned(), content }
}

fn notice(to: &str) -> MessageContent {
    mail(
        to,
        MailContent::Notice {
            event: AccountNotice::PasswordChanged,
            at: Time::from_unix(1_796_137_500),
            zone: Zone::UTC,
        },
    )
}

fn code() -> DeliveredCode {
    DeliveredCode { purpose: CodePurpose::SignIn, code: Confidential::new("493817"), minutes: 10 }
}

fn sms(to: &str) -> MessageContent {
    let to = PhoneNumber::parse(to, None).unwrap();
    let content = Content::Sms { to, code: code(), host: "id.test".to_owned() };
    MessageContent { locale: Locale::Fr, account: "bert".to_owned(), content }
}

async fn queue(idp: &TestIdp, user: &UserId, letter: MessageContent) -> MessageId {
    let posted = idp.idp().send(user, letter, SOON).await.unwrap();
    let SendOutcome::Queued(id) = posted else { panic!("{posted:?}") };
    id
}

async fn delivery(idp: &TestIdp, id: &MessageId) -> Delivery {
    idp.idp().delivery(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_mail_goes_encrypted_and_arrives_whole() {
    let server = SmtpServer::start(true, &[]).await;
    let (idp, bert) = house(&server, "?tls=required").await;
    let id = queue(&idp, &bert, mail("bert@Bücher.example", MailContent::Code(code()))).await;
    assert_eq!(delivery(&idp, &id).await, Delivery::Waiting);
    idp.mailbox().await;
    assert_eq!(delivery(&idp, &id).await, Delivery::Sent);
    let [received] = &server.received()[..] else { panic!("not one mail") };
    assert!(received.encrypted && received.from.contains("<no-reply@id.test>"), "{received:?}");
    assert!(received.to.contains("<bert@xn--bcher-kva.example>"), "{received:?}");
    for part in
        ["\"Example Works\" <no-reply@id.test>", "Auto-Submitted: auto-generated", "493817", "text/html"]
    {
        assert!(received.data.contains(part), "{part} is not in {}", received.data);
    }
    assert!(received.data.contains(&format!("Message-ID: <{id}@id.test>")), "{}", received.data);
}

#[tokio::test]
async fn tls_is_never_dropped() {
    let server = SmtpServer::start(false, &[]).await;
    let (idp, bert) = house(&server, "?tls=required").await;
    let id = queue(&idp, &bert, notice("bert@example.test")).await;
    for _ in 0..40 {
        idp.mailbox().await;
        idp.clock().advance(Duration::from_mins(1));
    }
    assert!(server.received().is_empty());
    let failed = delivery(&idp, &id).await;
    assert!(matches!(&failed, Delivery::Failed(reason) if reason.contains("STARTTLS")), "{failed:?}");
}

#[tokio::test]
async fn a_server_that_nobody_trusts_gets_nothing() {
    let (server, other) = (SmtpServer::start(true, &[]).await, SmtpServer::start(true, &[]).await);
    let mistaken = server.mistaken_for(&other);
    let (idp, bert) = house(&mistaken, "?tls=required").await;
    let id = queue(&idp, &bert, notice("bert@example.test")).await;
    idp.mailbox().await;
    assert_eq!((mistaken.received().len(), delivery(&idp, &id).await), (0, Delivery::Waiting));
}

/// 0.0.0.0 is this machine by an address that is not its own: a relay on the operator's network, as far as we can tell.
#[tokio::test]
async fn a_relay_that_the_operator_allows_gets_mail_unencrypted() {
    let server = SmtpServer::start(false, &[]).await;
    let from = EmailAddress::parse("no-reply@id.test").unwrap();
    let url = format!("smtp://0.0.0.0:{}", server.port);
    assert_eq!(Smtp::new(&url, &from, None).unwrap_err(), SmtpError::Plain);
    let allow = vec![AllowedHost::parse(&format!("0.0.0.0:{}", server.port)).unwrap()];
    let smtp = Smtp::within(&url, &from, &Outbound { allow, ..Outbound::default() }).unwrap();
    let settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let idp = TestIdp::with_parts(settings, HOUSE, |parts| parts.mailer(smtp)).await;
    let bert = bert(&idp).await;
    for to in ["bert@xn--bcher-kva.example", "\"Bert B\"@example.test", "bert@[192.0.2.1]"] {
        let id = queue(&idp, &bert, notice(to)).await;
        idp.mailbox().await;
        assert_eq!(delivery(&idp, &id).await, Delivery::Sent, "{to}");
        let mail = server.received().pop().unwrap();
        assert!(!mail.encrypted);
        assert_eq!(mail.to.trim_end(), format!("RCPT TO:<{to}>"));
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_and_sent_once() {
    let busy = Trouble::Refuse("451 4.3.0 later\r\n");
    let server = SmtpServer::start(false, &[busy, Trouble::DropInData]).await;
    let (idp, bert) = house(&server, "").await;
    let id = queue(&idp, &bert, notice("bert@example.test")).await;
    for pause in [5, 30] {
        idp.mailbox().await;
        assert_eq!(delivery(&idp, &id).await, Delivery::Waiting);
        idp.clock().advance(Duration::from_secs(pause));
    }
    idp.mailbox().await;
    assert_eq!((server.received().len(), delivery(&idp, &id).await), (1, Delivery::Sent));
    idp.clock().advance(Duration::from_hours(1));
    idp.mailbox().await;
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_costs_one_copy_with_the_same_name() {
    let server = SmtpServer::start(false, &[Trouble::DropAfterData]).await;
    let (idp, bert) = house(&server, "").await;
    let id = queue(&idp, &bert, notice("bert@example.test")).await;
    for _ in 0..3 {
        idp.mailbox().await;
        idp.clock().advance(Duration::from_mins(1));
    }
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|mail| mail.data.contains(&format!("Message-ID: <{id}@id.test>"))));
}

/// A gateway that is busy at first: the text is handed in twice under one key, and taken once.
#[tokio::test]
async fn a_text_goes_over_the_gateway_until_it_is_taken() {
    let (listener, address) = listen().await;
    let asked: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let note = asked.clone();
    let answer = move |headers: HeaderMap, body: String| {
        let mut asked = note.lock().unwrap();
        asked.push((headers["idempotency-key"].to_str().unwrap().to_owned(), body));
        let status = if asked.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        async move { status }
    };
    serve(listener, Router::new().route("/sms", post(answer)));
    let gateway = GatewaySettings {
        url: format!("{address}/sms"),
        method: "POST".to_owned(),
        body: Some("to={number}&text={text}".to_owned()),
        ..GatewaySettings::default()
    };
    let gateway = Gateway::new(&gateway, &Outbound::default()).unwrap();
    let settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let idp = TestIdp::with_parts(settings, HOUSE, |parts| parts.sms(gateway)).await;
    let bert = bert(&idp).await;
    let id = queue(&idp, &bert, sms("+4915112345678")).await;
    assert_eq!(idp.idp().messages_waiting(Channel::Sms).await.unwrap(), 1);
    for _ in 0..10 {
        idp.mailbox().await;
        idp.clock().advance(Duration::from_mins(1));
    }
    assert_eq!(delivery(&idp, &id).await, Delivery::Sent);
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
    assert_eq!(asked[0].0, format!("\"{id}\""));
    assert!(
        asked[0].1.starts_with("to=%2B4915112345678&text=") && asked[0].1.contains("493817"),
        "{asked:?}"
    );
    let counted: Vec<_> = idp.idp().figures().messages.into_iter().collect();
    assert_eq!(counted, [((Channel::Sms, "put_off"), 1), ((Channel::Sms, "sent"), 1)]);
    assert_eq!(idp.idp().messages_waiting(Channel::Sms).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_refused_for_good_is_given_up_and_told() {
    let server = SmtpServer::start(false, &[Trouble::Refuse("550 5.1.1 nobody here\r\n")]).await;
    let (idp, bert) = house(&server, "").await;
    let id = queue(&idp, &bert, notice("bert@example.test")).await;
    idp.mailbox().await;
    let failed = delivery(&idp, &id).await;
    assert!(matches!(&failed, Delivery::Failed(reason) if reason.contains("550")), "{failed:?}");
    let told = format!("{:?}", idp.events().all());
    assert!(told.contains("MessageFailed") && !told.contains("bert@example.test"), "{told}");
}

#[tokio::test]
async fn a_code_that_has_expired_is_never_sent() {
    let idp = TestIdp::with(HOUSE).await;
    let bert = bert(&idp).await;
    let id = queue(&idp, &bert, mail("bert@example.test", MailContent::Code(code()))).await;
    idp.clock().advance(SOON);
    assert_eq!(idp.mailbox().await, []);
    assert!(matches!(delivery(&idp, &id).await, Delivery::Failed(_)));
}

/// A sign-in beside a mail server that says nothing: mail is a row, and the row is all that is waited for.
#[tokio::test]
async fn nobody_waits_for_the_mail_server() {
    let server = SmtpServer::start(false, &[Trouble::Silence]).await;
    let (idp, bert_id) = house(&server, "").await;
    let id = queue(&idp, &bert_id, notice("bert@example.test")).await;
    let housekeeping = tokio::spawn(idp.idp().clone().housekeeping());
    while delivery(&idp, &id).await == Delivery::Waiting {
        tokio::task::yield_now().await;
    }
    assert_eq!(bert(&idp).await, bert_id);
    assert_eq!(delivery(&idp, &id).await, Delivery::Sending);
    housekeeping.abort();
}

/// A burst of "I have forgotten my password": each mail asks the catalogue for its tenant while the lane looks up who
/// is meant by the next request. Before, the lane waited for a lock in a delivery that it did not poll meanwhile, and
/// with it every request of the provider.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_reset_mails_holds_nobody_up() {
    const USERS: usize = 100;
    let user = |number| {
        format!(
            "[[users]]\ntenant = \"123456.sms\"\nusername = \"u{number}\"\nemail = \"u{number}@example.test\"\n"
        )
    };
    let document: String = std::iter::once(HOUSE.to_owned()).chain((0..USERS).map(user)).collect();
    let server = SmtpServer::start(false, &[]).await;
    let from = EmailAddress::parse("no-reply@id.test").unwrap();
    let smtp =
        Smtp::new(&format!("smtp://localhost:{}", server.port), &from, Some(server.ca.as_bytes())).unwrap();
    let settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let idp =
        TestIdp::with_parts(settings, &document, |parts| parts.mailer(smtp).clock(HurriedClock::default()))
            .await;
    let housekeeping = tokio::spawn(idp.idp().clone().housekeeping());
    let told = async {
        for number in 0..USERS {
            let octets = [192, 0, 2, u8::try_from(number).unwrap()];
            let mut browser = idp.browser().from_address((octets, 4711).into());
            let username = format!("u{number}");
            let mut ask = async || {
                let page = browser.get(&format!("{}/reset", TestIdp::ISSUER)).await;
                if page.status == 503 {
                    return page.status;
                }
                browser.submit(&page, &[("tenant", "123456.sms"), ("username", &username)]).await.status
            };
            // On a busy machine a user may be told to come back.
            let mut status = ask().await;
            while status == 503 {
                status = ask().await;
            }
            assert_eq!(status, 200, "{number}");
        }
        while server.received().len() < USERS {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_mins(2), told).await.expect("every mail is sent");
    housekeeping.abort();
}

/// Housekeeping learns of a new message by its commit: the clock stands still, so no later look is due.
#[tokio::test]
async fn two_nodes_send_it_once() {
    let idp = TestIdp::with(HOUSE).await;
    let other = idp.node().await;
    let bert = bert(&idp).await;
    for number in 0..20 {
        queue(&idp, &bert, notice(&format!("bert{number}@example.test"))).await;
    }
    let (here, there) = tokio::join!(idp.mailbox(), other.mailbox());
    let mut sent: Vec<_> = here.into_iter().chain(there).map(|sent| sent.to).collect();
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), 20);
    let (here, there) = tokio::join!(idp.mailbox(), other.mailbox());
    assert_eq!(here.len() + there.len(), 20);
}

/// Attacks 133 and 134.
#[tokio::test]
async fn who_asks_too_often_waits_longer_and_longer() {
    let idp = TestIdp::with(HOUSE).await;
    let bert = bert(&idp).await;
    let send = async |letter: MessageContent| idp.idp().send(&bert, letter, SOON).await.unwrap();
    let ask = || sms("+4915112345678");
    let began = idp.idp().now();
    let mut waits = Vec::new();
    for _ in 0..12 {
        loop {
            match send(ask()).await {
                SendOutcome::Queued(_) => break,
                SendOutcome::Wait(until) => {
                    waits.push(until.since(idp.idp().now()));
                    idp.clock().advance(Duration::from_secs(until.since(idp.idp().now()).unsigned_abs()));
                }
                SendOutcome::Impossible => panic!("impossible"),
            }
        }
    }
    assert_eq!(waits[..2], [60, 60], "{waits:?}");
    assert!(waits[2..].iter().any(|wait| *wait > 1500), "{waits:?}");
    assert!(idp.idp().now().since(began) > 4 * 3600, "{waits:?}");
    // Another country, and a link: three, and then one an hour.
    assert_eq!(send(sms("+12025550123")).await, SendOutcome::Impossible);
    let reset = || {
        let address = Confidential::new("https://id.test/reset");
        mail("bert@example.test", MailContent::Reset(MessageLink { address, minutes: 30 }))
    };
    for _ in 0..3 {
        assert!(matches!(send(reset()).await, SendOutcome::Queued(_)));
        assert!(matches!(send(reset()).await, SendOutcome::Wait(_)), "twice in a minute");
        idp.clock().advance(Duration::from_mins(1));
    }
    let SendOutcome::Wait(until) = send(reset()).await else { panic!("a fourth") };
    assert!((3000..=3600).contains(&until.since(idp.idp().now())));
    // Notices cannot be suppressed by a flood of requests.
    for _ in 0..30 {
        assert!(matches!(send(notice("bert@example.test")).await, SendOutcome::Queued(_)));
    }
}

#[tokio::test]
async fn the_mailbox_finds_code_and_link() {
    let idp = TestIdp::with(HOUSE).await;
    let bert = bert(&idp).await;
    queue(&idp, &bert, sms("+33612345678")).await;
    let address = Confidential::new("https://id.test/reset?key=x");
    queue(&idp, &bert, mail("bert@example.test", MailContent::Reset(MessageLink { address, minutes: 30 })))
        .await;
    let sent = idp.mailbox().await;
    let code = sent.iter().find(|sent| sent.to == "+33612345678").unwrap().code();
    assert_eq!(code, Some("493817"));
    let link = sent.iter().find(|sent| sent.to == "bert@example.test").unwrap().link();
    assert_eq!(link, Some("https://id.test/reset?key=x"));
}
