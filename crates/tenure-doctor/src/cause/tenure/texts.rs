//! What Tenure's service writes, in answers and in its log.

use crate::sign::answer::{At, texts};

texts! {
    /// The session was copied.
    THEFT = "tenure-theft", At::Issuer, "theft_detected", "the session was ended because two holders of one sign-in went on";
    /// The client is gone from the configuration.
    CLIENT_REMOVED = "tenure-client-removed", At::Issuer, "\"reason\":\"client_removed\"", "the session was ended because its client is no longer registered";
    /// The account is disabled.
    ACCOUNT_DISABLED = "tenure-account-disabled", At::Issuer, "\"reason\":\"account_disabled\"", "the account is disabled";
    /// Its audit trail: with how many sessions.
    ACCOUNT_DISABLED_AUDIT = "tenure-account-disabled-audit", At::Issuer, "account_disabled (", "the account was disabled, which ended its sessions";
    /// A refresh in the name of a client that is not there.
    NOT_REGISTERED = "tenure-not-registered", At::Refresh, "\"the client is not registered\"", "the client is not registered";
    /// 503, in the log.
    ANSWERED_503 = "tenure-answered-503", At::Issuer, "answered 503", "the service answered 503";
    /// The store's errors (`StoreError`).
    STORE_UNREACHABLE = "tenure-store-unreachable", At::Issuer, "the store cannot be reached", "the service does not reach its store";
    /// Likewise.
    STORE_READ_ONLY = "tenure-store-read-only", At::Issuer, "the store is read-only", "the store takes no writes";
    /// Likewise.
    STORE_FULL = "tenure-store-full", At::Issuer, "the disk of the store is full", "the store's disk is full";
    /// Likewise.
    STORE_BUSY = "tenure-store-busy", At::Issuer, "the store is busy", "the store is busy";
    /// A store that forgets is said in every line.
    MEMORY_JSON = "tenure-memory-store", At::Issuer, "\"store\":\"memory\"", "the service keeps sessions in memory";
    /// The same in text logs.
    MEMORY_TEXT = "tenure-memory-store-text", At::Issuer, "store=\"memory\"", "the service keeps sessions in memory";
    /// Its warning at start.
    MEMORY_BANNER = "tenure-memory-banner", At::Issuer, "sessions are lost when this process ends", "the service keeps sessions in memory";
    /// The row of a readable token is gone.
    UNKNOWN_LINEAGE = "tenure-unknown-lineage", At::Issuer, "unknown_lineage", "a refresh token of a session that the store does not have";
    /// Keys were made anew, or another server's token came.
    KEY_MISSING = "tenure-key-missing", At::Issuer, "this server lacks a key", "the service lacks the key of a refresh token";
    /// The clock, in answers.
    CLOCK_DOUBTED = "tenure-doubts-clock", At::Issuer, "this server doubts its clock", "the service does not believe its clock";
    /// The clock, in the log.
    CLOCK_JUMPED = "tenure-clock-doubted", At::Issuer, "clock_doubted", "the service's clock jumped";
    /// The clocks of service and store.
    CLOCK_APART = "tenure-clock-apart", At::Issuer, "clock_apart", "the clocks of service and store differ";
    /// The rate limit.
    TOO_MANY = "tenure-too-many", At::Issuer, "too many requests; see Retry-After", "the service asks to slow down";
    /// The limit of one session.
    TOO_OFTEN = "tenure-refreshes-too-often", At::Issuer, "this session refreshes too often", "one session refreshes too often";
    /// Cookie mode without its header field.
    NO_CSRF = "tenure-csrf-missing", At::Issuer, "cookie mode takes the header X-Tenure-CSRF", "a request in cookie mode lacks X-Tenure-CSRF: 1";
    /// Cookie mode from another origin.
    OTHER_SITE = "tenure-other-site", At::Issuer, "the request comes from another site", "a request in cookie mode comes from an origin that the client does not have";
    /// Its client library and command line, where the service is to be asked without TLS.
    NEEDS_TLS = "tenure-needs-tls", At::Issuer, "needs https (http is for loopback only)", "Tenure's client sends no tokens in the clear";
    /// The service's own configuration, read at its start.
    ISSUER_WITHOUT_TLS = "tenure-issuer-without-tls", At::Issuer, "would send tokens in the clear; use https, or a loopback", "the service does not start with an issuer of http";
    /// A client that is not registered, or has another secret.
    UNKNOWN_CLIENT = "tenure-invalid-client", At::Refresh, "\"invalid_client\"", "the issuer does not know the client";
}
