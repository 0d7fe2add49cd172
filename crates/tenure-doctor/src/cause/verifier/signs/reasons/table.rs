//! How a table of reasons is written.

/// For each reason a sign for answers and one for logs. `TEXTS` is what the logs are searched for.
macro_rules! reasons {
    ($($answer:ident, $log:ident = $name:literal, $means:literal, $words:literal, [$($needle:literal),+ $(,)?];)*) => {
        $(pub(in crate::cause::verifier) static $answer: Sign = Sign {
            name: concat!("answer-says-", $name),
            means: concat!("the refusal says: ", $means),
            find: |evidence| {
                static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern($words));
                said(evidence, WORDS.as_ref())
            },
        };
        pub(in crate::cause::verifier) static $log: Sign = Sign {
            name: concat!("log-says-", $name),
            means: concat!("a log says: ", $means),
            find: |evidence| logged(evidence, concat!("log-says-", $name)),
        };)*

        /// Names and needles, for the logs.
        pub(crate) const TEXTS: &[(&str, &str)] =
            &[$($((concat!("log-says-", $name), $needle),)+)*];
    };
}
