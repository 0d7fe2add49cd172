use tenure_core::secret::Secret;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{Mail, MailError, Mailer, Sender, protected};
use crate::config::Smtp;

fn mail() -> Mail {
    Mail {
        to: "ana@example.com".to_owned(),
        subject: "Sign in to Demo".to_owned(),
        text: "https://id.example.com/auth/magic?token=abc\n".to_owned(),
    }
}

fn mailer(url: &str) -> Mailer {
    let from = "Tenure <no-reply@example.com>".to_owned();
    let smtp = Smtp {
        url: Secret::new(url),
        from,
    };
    Mailer {
        smtp: Some(Sender::new(&smtp).unwrap()),
        outbox: None,
    }
}

/// Speaks as much SMTP (RFC 5321) as one mail takes; answers what it was told.
async fn take_one_mail(stream: TcpStream, refuse: bool) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"220 test\r\n").await.unwrap();
    let (mut said, mut in_data) = (Vec::new(), false);
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap() > 0 {
        let text = line.trim_end().to_owned();
        line.clear();
        let answer = match text.split(' ').next().unwrap() {
            "." => {
                in_data = false;
                "250 taken\r\n"
            }
            _ if in_data => "",
            "EHLO" => "250-test\r\n250 8BITMIME\r\n",
            "RCPT" if refuse => "550 no such mailbox\r\n",
            "DATA" => {
                in_data = true;
                "354 go on\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        said.push(text);
        stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
        if answer.starts_with("250 taken") || answer.starts_with("550") {
            break;
        }
    }
    said
}

async fn server(refuse: bool) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let taken = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        take_one_mail(stream, refuse).await
    });
    (url, taken)
}

#[tokio::test]
async fn a_mail_arrives_at_the_mail_server_as_written() {
    let (url, taken) = server(false).await;
    mailer(&url).send(mail()).await.unwrap();
    let said = taken.await.unwrap();
    let heard = |start: &str| said.iter().any(|line| line.starts_with(start));
    assert!(heard("MAIL FROM:<no-reply@example.com>"), "{said:?}");
    assert!(heard("RCPT TO:<ana@example.com>"), "{said:?}");
    assert!(heard("Subject: Sign in to Demo"), "{said:?}");
    assert!(
        heard("https://id.example.com/auth/magic?token=abc"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_refusal_is_an_error_that_says_nothing_of_the_mail() {
    let (url, taken) = server(true).await;
    let error = mailer(&url).send(mail()).await.unwrap_err();
    assert!(matches!(error, MailError::Server(_)));
    assert!(!error.to_string().contains("token"), "{error}");
    taken.await.unwrap();
}

#[tokio::test]
async fn without_a_mail_server_nothing_is_sent() {
    let mailer = Mailer {
        smtp: None,
        outbox: None,
    };
    assert!(!mailer.is_configured());
    assert!(matches!(
        mailer.send(mail()).await,
        Err(MailError::NotConfigured)
    ));
}

#[tokio::test]
async fn the_outbox_keeps_the_newest_fifty() {
    let mailer = Mailer {
        smtp: None,
        outbox: Some(parking_lot::Mutex::default()),
    };
    for number in 0..60 {
        mailer
            .send(Mail {
                subject: number.to_string(),
                ..mail()
            })
            .await
            .unwrap();
    }
    let subjects: Vec<_> = mailer
        .outbox()
        .into_iter()
        .map(|mail| mail.subject)
        .collect();
    assert_eq!(subjects.len(), 50);
    assert_eq!(subjects.first().map(String::as_str), Some("59"));
}

#[tokio::test]
async fn neither_links_nor_the_servers_password_are_in_debug() {
    let shown = format!(
        "{:?} {:?}",
        mail(),
        mailer("smtp://user:hunter2@127.0.0.1:1")
    );
    assert!(
        !shown.contains("token=abc") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
fn a_mail_server_beyond_this_machine_is_spoken_to_under_tls() {
    let url = |text: &str| protected(text).unwrap().to_string();
    assert!(url("smtp://mail.example.com:587").ends_with("?tls=required"));
    let chosen = "smtp://mail.example.com:587?tls=opportunistic";
    assert!(url(chosen).ends_with("?tls=opportunistic"));
    assert!(!url("smtps://mail.example.com").contains("tls=required"));
    for local in [
        "smtp://127.0.0.1:25",
        "smtp://[::1]:25",
        "smtp://localhost:25",
    ] {
        assert!(!url(local).contains("tls="), "{local}");
    }
}
