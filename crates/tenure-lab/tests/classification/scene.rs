//! Sets up what a case of the table describes.

use tokio::net::TcpSocket;

use crate::certificates::{Authority, self_signed};
use crate::fixture::{Event, Refresh};
use crate::http2::{CANCEL, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM, Turn};
use crate::service::{Act, Service, answer};

pub(crate) struct Scene {
    pub(crate) service: Service,
    pub(crate) issuer: String,
    /// A connection is opened and used before the refresh, so that it can be stale.
    pub(crate) warm: bool,
    /// The client gives up before the test does.
    pub(crate) impatient: bool,
    /// Whether the service can be reached at all.
    pub(crate) reachable: bool,
    /// Keeps a port from everybody else, without listening.
    _reserved: Option<TcpSocket>,
}

const HOST: &str = "127.0.0.1";
const TOKENS: &str = r#"{"access_token":"access-2","refresh_token":"refresh-2","expires_in":900}"#;

/// As long as a header says and longer than what follows.
const LONG: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n";

impl Scene {
    pub(crate) async fn of(case: &Refresh, authority: &Authority) -> Self {
        let Some(event) = case.event else {
            let bytes = answer(case.status.expect("a status"), &case.headers, &case.body);
            return Self::plain([Act::Answer(bytes)]).await;
        };
        match event {
            // RFC 6761 section 6.4: there is no such name, and never will be.
            Event::NoName => Self::nowhere("https://tenure.invalid".into()).await,
            Event::NoListener => Self::no_listener().await,
            Event::Silence => Self::plain([Act::Hold(Vec::new())]).await.impatient(),
            Event::Stall => Self::plain([Act::Hold(LONG.into())]).await.impatient(),
            Event::StaleKeepAlive => Self::plain([dropped_later()]).await.warm(),
            event => match (over_http1(event), over_tls(event, authority)) {
                (Some(act), _) => Self::plain([act]).await,
                (_, Some(act)) => Self::tls([act]).await,
                _ => Self::http2(event, authority).await,
            },
        }
    }

    /// A further connection, on which the service is as it should be.
    pub(crate) fn recovers(&self, authority: &Authority) {
        let act = if self.issuer.starts_with("https") {
            good(authority)
        } else {
            Act::Answer(tokens())
        };
        self.service.then([act]);
    }

    async fn plain(acts: impl IntoIterator<Item = Act>) -> Self {
        let service = Service::start(acts).await;
        let issuer = format!("http://{HOST}:{}", service.port);
        Self {
            service,
            issuer,
            warm: false,
            impatient: false,
            reachable: true,
            _reserved: None,
        }
    }

    async fn tls(acts: impl IntoIterator<Item = Act>) -> Self {
        let scene = Self::plain(acts).await;
        Self {
            issuer: scene.issuer.replace("http:", "https:"),
            ..scene
        }
    }

    /// A connection that was used before, and another one where the client may want it.
    async fn http2(event: Event, authority: &Authority) -> Self {
        let body = || TOKENS.to_owned();
        let first = || Turn::Answer(body());
        let (turns, another) = match event {
            Event::H2GoawayIdle => (vec![Turn::AnswerThenGoAway(body())], true),
            Event::H2GoawayUnprocessed => (vec![first(), Turn::GoAway(NO_ERROR)], true),
            Event::H2GoawayProcessed => (vec![first(), Turn::GoAwayThenAnswer(body())], false),
            Event::H2GoawayError => (vec![first(), Turn::GoAwayAfter(INTERNAL_ERROR)], false),
            Event::H2Reset => (vec![first(), Turn::Reset], false),
            Event::H2RefusedStream => (vec![first(), Turn::Cancel(REFUSED_STREAM), first()], false),
            Event::H2Cancel => (vec![first(), Turn::Cancel(CANCEL), first()], false),
            other => panic!("{other:?} is not about HTTP/2"),
        };
        let act = |turns| Act::Http2(authority.acceptor(HOST, &["h2"]), turns);
        let scene = Self::tls([act(turns)]).await.warm();
        scene.service.then(another.then(|| act(vec![first()])));
        scene
    }

    async fn nowhere(issuer: String) -> Self {
        Self {
            issuer,
            reachable: false,
            ..Self::plain([]).await
        }
    }

    async fn no_listener() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        let address = format!("{HOST}:0").parse().expect("an address");
        socket.bind(address).expect("a port");
        let port = socket.local_addr().expect("an address").port();
        Self {
            _reserved: Some(socket),
            ..Self::nowhere(format!("http://{HOST}:{port}")).await
        }
    }

    fn warm(self) -> Self {
        Self { warm: true, ..self }
    }

    fn impatient(self) -> Self {
        Self {
            impatient: true,
            ..self
        }
    }
}

fn over_http1(event: Event) -> Option<Act> {
    Some(match event {
        Event::ResetBeforeRequest => Act::ResetBefore,
        Event::ResetAfterRequest => Act::ResetAfter,
        Event::CloseAfterRequest => Act::Answer(Vec::new()),
        Event::HalfHeader => Act::Answer("HTTP/1.1 200 OK\r\nConte".into()),
        Event::HalfBody => Act::Answer(format!("{LONG}{TOKENS}").into()),
        Event::Endless => endless(),
        Event::NotHttp => Act::Answer("SSH-2.0-OpenSSH_9.2\r\n".into()),
        _ => return None,
    })
}

fn over_tls(event: Event, authority: &Authority) -> Option<Act> {
    Some(match event {
        Event::TlsPlain => Act::HangUp(answer(400, &[], "")),
        Event::TlsHangUp => Act::HangUp(Vec::new()),
        Event::TlsSelfSigned => Act::Tls(self_signed(HOST), tokens()),
        Event::TlsWrongHost => Act::Tls(authority.acceptor("id.example.com", &[]), tokens()),
        Event::TlsExpired => Act::Tls(authority.expired(HOST), tokens()),
        Event::TlsGood => good(authority),
        _ => return None,
    })
}

fn dropped_later() -> Act {
    let length = TOKENS.len();
    let alive = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{TOKENS}");
    Act::AnswerThenReset(alive.into())
}

fn good(authority: &Authority) -> Act {
    Act::Tls(authority.acceptor(HOST, &[]), tokens())
}

/// In the words of every endpoint of the table.
fn tokens() -> Vec<u8> {
    let body = r#"{"access_token":"access-2","refresh_token":"refresh-2","expires_in":900,
        "accessToken":"access-2","refreshToken":"refresh-2","expiresIn":900,
        "AuthenticationResult":{"AccessToken":"access-2","RefreshToken":"refresh-2","ExpiresIn":900}}"#;
    answer(200, &[], body)
}

fn endless() -> Act {
    let start = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[";
    Act::Endless(start.into(), b"0,".repeat(4096))
}
