//! What the log says of a sign-in in the browser. Alone in its process: whether an event is worth
//! recording is decided once for all threads.

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use bytes::Bytes;
    use http::{Request, Response};
    use tenure_client::{Config, MemoryVault, Session, Transport, Trouble};

    #[derive(Clone, Debug, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut log = self.0.lock().expect("not poisoned");
            log.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[derive(Debug)]
    struct Metadata;

    #[async_trait]
    impl Transport for Metadata {
        async fn send(&self, _: Request<Bytes>, _: usize) -> Result<Response<Bytes>, Trouble> {
            let text = r#"{"issuer":"https://id.example.com",
                "token_endpoint":"https://id.example.com/token",
                "authorization_endpoint":"https://id.example.com/authorize"}"#;
            Ok(Response::new(Bytes::from_static(text.as_bytes())))
        }
    }

    #[tokio::test]
    async fn the_exact_redirect_uri_is_told_and_the_state_is_not() {
        let log = Log::default();
        let lines = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || lines.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("the first");

        let config = Config::new("https://id.example.com", "app", MemoryVault::new());
        let config = config.expect("a good configuration").transport(Metadata);
        let session = Session::open(config).await.expect("opened");
        let sign_in = session.sign_in_code().await.expect("begun");
        let asked = |name: &str| {
            let mut pairs = sign_in.url().query_pairs();
            pairs
                .find(|(key, _)| key == name)
                .expect("sent")
                .1
                .into_owned()
        };
        let (redirect_uri, state) = (asked("redirect_uri"), asked("state"));

        let text = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
        let told =
            format!(r#""message":"sign_in_started","flow":"code","redirect_uri":"{redirect_uri}""#);
        assert!(text.contains(&told), "{told} is missing in\n{text}");
        for secret in [&*state, &asked("code_challenge")] {
            assert!(!text.contains(secret), "{secret} is in the log");
        }
    }
}
