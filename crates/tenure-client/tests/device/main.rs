//! A sign-in that waits for a person elsewhere, in virtual time and over a scripted transport.

#[cfg(test)]
mod script;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenure_client::{
        Clock, Config, DeviceSignIn, Error, Found, MemoryVault, Millis, Session, State, Trouble,
        Vault as _,
    };
    use tokio::time::Instant;

    use crate::script::{Script, answer, granted, pending, slow_down};

    /// Both clocks are tokio's, which a test moves.
    #[derive(Debug)]
    struct PausedClock(Instant);

    impl Clock for PausedClock {
        fn wall(&self) -> Millis {
            Millis(1_800_000_000_000) + self.mono()
        }

        fn mono(&self) -> Millis {
            self.0.elapsed().into()
        }
    }

    struct Bench {
        script: Script,
        vault: MemoryVault,
        session: Session,
    }

    impl Bench {
        async fn new() -> Self {
            let (script, vault) = (Script::default(), MemoryVault::new());
            let config = Config::new("https://id.example.com", "tv", vault.clone())
                .expect("a good configuration")
                .clock(PausedClock(Instant::now()))
                .transport(script.clone());
            let session = Session::open(config).await.expect("opened");
            Self {
                script,
                vault,
                session,
            }
        }

        /// Begun, with these answers to come.
        async fn begun(
            polls: impl IntoIterator<Item = crate::script::Reply>,
        ) -> (Self, DeviceSignIn) {
            let bench = Self::new().await;
            bench.script.poll(polls);
            let sign_in = bench.session.sign_in_device().await.expect("begun");
            (bench, sign_in)
        }

        fn holds_a_session(&self) -> bool {
            let found = self.vault.load().expect("readable");
            matches!(found, Found::Record(record) if record.tokens.is_some())
        }

        fn is_signed_in(&self) -> bool {
            matches!(self.session.state(), State::Active { .. })
        }
    }

    fn code(refused: Result<(), Error>) -> String {
        match refused {
            Err(Error::SignInRefused { code, .. }) => code,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_shows_the_code_and_asks_as_often_as_it_may() {
        let polls = [pending(), slow_down(), pending(), granted()];
        let (bench, sign_in) = Bench::begun(polls).await;
        assert_eq!(sign_in.user_code(), "WDJB-MJHT");
        assert_eq!(sign_in.verification_uri(), "https://id.example.com/device");
        assert_eq!(
            sign_in.verification_uri_complete(),
            Some("https://id.example.com/device?user_code=WDJB-MJHT")
        );
        assert_eq!(sign_in.expires_in(), Duration::from_mins(10));
        assert!(!format!("{sign_in:?}").contains("the-device-code"));

        sign_in.wait().await.expect("signed in");
        assert!(bench.is_signed_in() && bench.holds_a_session());
        assert_eq!(bench.script.gaps(), [5, 5, 10, 10]);
        sign_in.wait().await.expect("it stays signed in");
        assert_eq!(bench.script.polls().len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_on_the_way_does_not_end_the_wait() {
        let html = answer(200, "text/html", "<h1>Please sign in to this network</h1>");
        let polls = [
            Err(Trouble::Timeout),
            Err(Trouble::Connection),
            Err(Trouble::Dns),
            answer(503, "retry-after: 60", ""),
            answer(429, "retry-after: 7", r#"{"error":"slow_down"}"#),
            answer(403, "text/html", "<h1>Blocked</h1>"),
            html,
            granted(),
        ];
        let (bench, sign_in) = Bench::begun(polls).await;
        sign_in.wait().await.expect("signed in");
        assert!(bench.is_signed_in());
        assert_eq!(bench.script.gaps(), [5, 10, 20, 30, 60, 7, 14, 28]);
        let keys: Vec<_> = bench
            .script
            .polls()
            .into_iter()
            .map(|poll| poll.key)
            .collect();
        assert!(keys.iter().all(|key| *key == keys[0] && key.len() == 22));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_told_and_can_be_asked_about_again() {
        let denied = answer(400, "x: y", r#"{"error":"access_denied"}"#);
        let over = answer(400, "x: y", r#"{"error":"expired_token"}"#);
        let (bench, sign_in) = Bench::begun([pending(), denied, over]).await;
        assert_eq!(code(sign_in.wait().await), "access_denied");
        assert_eq!(code(sign_in.wait().await), "expired_token");
        assert!(!bench.holds_a_session());
        assert_eq!(bench.script.polls().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_stays_offline_gives_up_when_the_code_has_expired() {
        let (bench, sign_in) = Bench::begun(vec![Err(Trouble::Connection); 100]).await;
        assert_eq!(code(sign_in.wait().await), "expired_token");
        let asked: u64 = bench.script.gaps().iter().sum();
        assert!((600..=630).contains(&asked), "{asked} s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_that_goes_away_loses_nothing() {
        let (bench, sign_in) = Bench::begun([pending(), granted()]).await;
        bench.script.hold_answers();
        tokio::select! {
            biased;
            _ = sign_in.wait() => panic!("no answer has come"),
            () = bench.script.asked(1) => {}
        }
        bench.script.release(1);
        bench.script.asked(2).await;
        drop(sign_in);
        assert!(!bench.is_signed_in());
        bench.script.release(1);
        let mut states = bench.session.subscribe();
        let active = states.wait_for(|state| matches!(state, State::Active { .. }));
        active.await.expect("an answer that was under way is kept");
        assert!(bench.holds_a_session());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_asked_after_the_handle_is_gone() {
        let (bench, sign_in) = Bench::begun(vec![pending(); 100]).await;
        tokio::select! {
            biased;
            _ = sign_in.wait() => panic!("nobody has decided"),
            () = bench.script.asked(3) => {}
        }
        drop(sign_in);
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(bench.script.polls().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_cannot_is_a_matter_of_configuration() {
        for (begin, why) in [
            (
                r#"{"error":"unauthorized_client","error_description":"no"}"#,
                "unauthorized_client no",
            ),
            (r#"{"error":"invalid_scope"}"#, "invalid_scope"),
        ] {
            let bench = Bench::new().await;
            bench.script.begin(answer(400, "x: y", begin));
            let refused = bench.session.sign_in_device().await.expect_err("refused");
            assert!(
                matches!(&refused, Error::Misconfigured(text) if text.contains(why)),
                "{refused}"
            );
        }
        for metadata in [
            r#"{"issuer":"https://id.example.com","token_endpoint":"https://id.example.com/t"}"#,
            r#"{"issuer":"https://id.example.com","token_endpoint":"https://id.example.com/t",
                "device_authorization_endpoint":"https://evil.example.com/d"}"#,
        ] {
            let bench = Bench::new().await;
            bench.script.metadata(metadata);
            let refused = bench.session.sign_in_device().await;
            assert!(
                matches!(refused, Err(Error::Misconfigured(_))),
                "{metadata}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_sent_to_a_page_that_is_none() {
        for uri in [
            "javascript:alert(1)",
            "http://id.example.com/device",
            "file:///etc",
        ] {
            let bench = Bench::new().await;
            let begun = format!(
                r#"{{"device_code":"c","user_code":"U","verification_uri":"{uri}","expires_in":60}}"#
            );
            bench.script.begin(answer(200, "x: y", &begun));
            let refused = bench.session.sign_in_device().await;
            assert!(matches!(refused, Err(Error::Misconfigured(_))), "{uri}");
        }
        for begun in [
            "<html>",
            "{}",
            r#"{"device_code":"","user_code":" ","verification_uri":"https://id.example.com","expires_in":1}"#,
        ] {
            let bench = Bench::new().await;
            bench.script.begin(answer(200, "x: y", begun));
            let refused = bench.session.sign_in_device().await;
            assert!(matches!(refused, Err(Error::Transient { .. })), "{begun}");
        }
    }
}
