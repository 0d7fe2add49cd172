//! What the logs of the wild call things: data. Keys are compared as [`super::record::key`] writes
//! them, as the whole path or its last part; with `=`, as the whole path only.

/// Names of one thing, the surest first.
pub(super) type Names = &'static [&'static str];

pub(super) const TIME: Names = &[
    "=time",
    "=timestamp",
    "=ts",
    "=asctime",
    "=datetime",
    "=startutc",
    "=requesttimeepoch",
    "=requesttime",
    "=starttime",
    "=eventtime",
    "=date",
    "=t",
    "=at",
    "=fields.timestamp",
    "=startlocal",
    "=published",
    "=timegenerated",
    "=realtimetimestamp",
];
pub(super) const MESSAGE: Names = &[
    "=event",
    "=fields.event",
    "=msg",
    "=message",
    "=fields.message",
    "=eventname",
    "=eventtype",
    "=textpayload",
    "=jsonpayload.message",
    "=name",
    "=log",
    "=action",
];
pub(super) const STATUS: Names = &[
    "res.statuscode",
    "response.statuscode",
    "response.status",
    "res.status",
    "statuscode",
    "httpstatus",
    "httpstatuscode",
    "downstreamstatus",
    "responsecode",
    "responsestatus",
    "status",
    "answeredstatus",
];
pub(super) const METHOD: Names = &[
    "req.method",
    "request.method",
    "httpmethod",
    "requestmethod",
    "method",
];
pub(super) const PATH: Names = &[
    "req.url",
    "request.url",
    "request.path",
    "requestpath",
    "requesturi",
    "requesturl",
    "resourcepath",
    "routekey",
    "path",
    "url",
    "uri",
    "route",
    "endpoint",
];
pub(super) const USER: Names = &[
    "userid",
    "user.id",
    "userhash",
    "usersub",
    "uid",
    "sub",
    "user",
    "username",
    "accountid",
    "email",
    "clientusername",
    "remoteuser",
    "principal",
    "subject",
];
pub(super) const SESSION: Names = &[
    "sessionid",
    "sid",
    "session",
    "sessionhash",
    "family",
    "familyid",
];
pub(super) const PROCESS: Names = &["pid", "processid", "workerpid"];
pub(super) const HOST: Names = &[
    "pod",
    "podname",
    "instance",
    "instanceid",
    "container",
    "containerid",
    "worker",
    "workerid",
    "replica",
    "=hostname",
    "=host",
    "fields.hostname",
];
pub(super) const CLIENT: Names = &[
    "clientid",
    "client",
    "azp",
    "deviceid",
    "installid",
    "device",
    "app",
];
pub(super) const ADDRESS: Names = &[
    "xforwardedfor",
    "xrealip",
    "httpxforwardedfor",
    "realip",
    "calleripaddress",
    "ipaddress",
    "remoteaddr",
    "remoteaddress",
    "remoteip",
    "clientip",
    "clientaddr",
    "clienthost",
    "sourceip",
    "ip",
];
pub(super) const AGENT: Names = &["useragent", "httpuseragent", "ua", "agent"];
/// Refresh tokens themselves, as they were presented and as they were issued.
pub(super) const TOKEN_IN: Names = &[
    "req.body.refreshtoken",
    "body.refreshtoken",
    "oldrefreshtoken",
    "presentedtoken",
    "refreshtoken",
    "rt",
    "refreshtokenid",
    "jti",
];
pub(super) const TOKEN_OUT: Names = &[
    "res.body.refreshtoken",
    "response.refreshtoken",
    "newrefreshtoken",
    "issuedtoken",
    "newjti",
];
/// What stands for a refresh token where a log is careful.
pub(super) const HASH_IN: Names = &[
    "refreshtokenhash",
    "refreshtokenfp",
    "refreshtokenfingerprint",
    "oldtokenhash",
    "oldtokenfp",
    "oldhash",
    "fromtokenhash",
    "parenthash",
    "tokenhash",
    "tokenfingerprint",
    "tokenfp",
    "rthash",
    "rtfp",
    "tokenin",
    "fpin",
    "fromfp",
    "presentedfp",
    "presentedhash",
    "refreshfp",
    "refreshhash",
    "fingerprint",
    "fp",
    "presentedrefreshtokenhash",
    "presentedrefreshtokenfp",
    "presentedrefreshtokenfingerprint",
    "presentedrefreshtokensha256",
    "presentedrefreshtokendigest",
    "usedrefreshtokenhash",
    "usedrefreshtokenfp",
    "usedrefreshtokenfingerprint",
    "usedrefreshtokensha256",
    "usedrefreshtokendigest",
    "refreshtokensha256",
    "refreshtokendigest",
    "presentedtokenhash",
    "presentedtokenfp",
    "presentedtokenfingerprint",
    "presentedtokensha256",
    "presentedtokendigest",
    "tokensha256",
    "oldtokenfingerprint",
    "oldrefreshtokenhash",
    "oldrefreshtokenfp",
];
pub(super) const HASH_OUT: Names = &[
    "newrefreshtokenhash",
    "newrefreshtokenfp",
    "newtokenhash",
    "newtokenfp",
    "newhash",
    "newfp",
    "totokenhash",
    "childhash",
    "tokenout",
    "fpout",
    "tofp",
    "issuedfp",
    "issuedhash",
    "nexthash",
    "successorhash",
    "issuedrefreshtokenhash",
    "issuedrefreshtokenfp",
    "issuedrefreshtokenfingerprint",
    "issuedrefreshtokensha256",
    "issuedrefreshtokendigest",
    "newrefreshtokenfingerprint",
    "newrefreshtokensha256",
    "newrefreshtokendigest",
    "issuedtokenhash",
    "issuedtokenfp",
    "issuedtokenfingerprint",
    "issuedtokensha256",
    "issuedtokendigest",
    "successorfp",
    "successorfingerprint",
    "successorsha256",
    "successordigest",
    "successortokenhash",
    "successortokenfp",
    "successortokenfingerprint",
    "successortokensha256",
    "successortokendigest",
    "nexttokenhash",
    "nexttokenfp",
    "nexttokenfingerprint",
    "nexttokensha256",
    "nexttokendigest",
    "rotatedto",
];
/// The access token of a request, itself or what stands for it.
pub(super) const ACCESS: Names = &[
    "req.headers.authorization",
    "headers.authorization",
    "authorization",
    "accesstoken",
];
pub(super) const ACCESS_HASH: Names =
    &["accesstokenhash", "accesstokenfp", "accessfp", "accesshash"];
pub(super) const NEW_ACCESS: Names = &[
    "res.body.accesstoken",
    "response.accesstoken",
    "newaccesstoken",
];
pub(super) const NEW_ACCESS_HASH: Names = &[
    "newaccesstokenhash",
    "newaccessfp",
    "newaccesshash",
    "accesstokenhash",
    "accessfp",
];
pub(super) const ERROR: Names = &[
    "res.body.error",
    "response.error",
    "error.code",
    "error.error",
    "err.code",
    "oautherror",
    "errorcode",
    "error",
    "errortype",
    "res.body.type",
    "err.type",
    "exception",
    "err.message",
    "error.message",
    "authorizererror",
    "err",
];

/// Where the words of an error stand, besides its name; each may be there.
pub(super) const DETAIL: &[Names] = &[
    &["errordescription"],
    &["errordetail"],
    &["=body", "responsebody", "=detail"],
];
pub(super) const REASON: Names = &["reason", "cause", "why", "trigger", "initiator", "source"];
pub(super) const LIFETIME: Names = &[
    "res.body.expiresin",
    "expiresin",
    "accessexpiresin",
    "accessttl",
    "lifetime",
    "ttl",
];
pub(super) const GRANT: Names = &["req.body.granttype", "body.granttype", "granttype", "grant"];
pub(super) const HAS_TOKEN: Names = &[
    "hadtoken",
    "hastoken",
    "hasauthheader",
    "hasauthorization",
    "authorizationpresent",
    "withtoken",
    "tokenpresent",
    "authheader",
];
/// What an app keeps of its user besides the session.
pub(super) const SHOWN: Names = &["isloggedin", "issignedin", "isauthenticated", "loggedin"];
pub(super) const RETRY: Names = &[
    "hadretrytoken",
    "isretry",
    "retried",
    "afterrefresh",
    "retry",
];
pub(super) const MISSING: Names = &["missing", "missingkeys", "missingkey"];
/// Parts of a stored session, as a read of the store reports on them.
pub(super) const PARTS: Names = &[
    "idtoken",
    "accesstoken",
    "refreshtoken",
    "expiresat",
    "accessexpiresat",
];

/// What a name says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing that counts: it is planned, or it is about something else.
    Nothing,
    Login,
    RefreshSent,
    RefreshOk,
    RefreshFailed,
    /// Answered; the status says how.
    RefreshAnswered,
    /// The issuer saw a used token again.
    Reuse,
    /// The request failed again after a refresh.
    RetryExhausted,
    RequestSent,
    /// The app removed what it had stored.
    Cleared,
    /// The user interface shows a signed-out user.
    SignedOut,
    /// The issuer ended the session.
    Revoked,
    StoreRead,
    StoreWrite,
    Restored,
    Launched,
    Restarted,
    /// Kept in the memory of one process; counts where it is about sessions or tokens.
    Memory,
}

/// Words that all have to be in the name (small letters, parts of words apart by one blank); `!` where
/// one must not. The first row that fits counts.
pub(super) const SAYINGS: &[(&[&str], Says)] = &[
    (&["refresh", "schedul"], Says::Nothing),
    (&["refresh", "skip"], Says::Nothing),
    (&["refresh", "not needed"], Says::Nothing),
    (&["refresh", "not due"], Says::Nothing),
    (&["will refresh"], Says::Nothing),
    (&["token", "reuse"], Says::Reuse),
    (&["reuse", "detect"], Says::Reuse),
    (&["refresh", "already used"], Says::Reuse),
    (&["family", "revoked"], Says::Reuse),
    (&["token", "replay"], Says::Reuse),
    (&["retry", "exhausted"], Says::RetryExhausted),
    (&["memory cache"], Says::Memory),
    (&["memory", "fall"], Says::Memory),
    (&["memorystore"], Says::Memory),
    (&["memory store"], Says::Memory),
    (&["in memory", "using"], Says::Memory),
    (&["refresh", "fail"], Says::RefreshFailed),
    (&["refresh", "error"], Says::RefreshFailed),
    (&["refresh", "reject"], Says::RefreshFailed),
    (&["refresh", "denied"], Says::RefreshFailed),
    (&["refresh", "refused"], Says::RefreshFailed),
    (&["refresh", "timed out"], Says::RefreshFailed),
    (&["refresh", "timeout"], Says::RefreshFailed),
    (&["refresh", "invalid"], Says::RefreshFailed),
    (&["not refresh"], Says::RefreshFailed),
    (&["refresh", "succe"], Says::RefreshOk),
    (&["refresh", " ok"], Says::RefreshOk),
    (&["refresh", "complete"], Says::RefreshOk),
    (&["refreshed"], Says::RefreshOk),
    (&["token", "renewed"], Says::RefreshOk),
    (&["token", "rotated"], Says::RefreshOk),
    (&["refresh", "response"], Says::RefreshAnswered),
    (&["refresh", "answer"], Says::RefreshAnswered),
    (&["refresh", "result"], Says::RefreshAnswered),
    (&["refresh", "start"], Says::RefreshSent),
    (&["refresh", "request", "!after"], Says::RefreshSent),
    (&["refresh", "sent"], Says::RefreshSent),
    (&["refresh", "send"], Says::RefreshSent),
    (&["refresh", "attempt"], Says::RefreshSent),
    (&["refresh", "begin"], Says::RefreshSent),
    (&["refreshing", "token"], Says::RefreshSent),
    (&["refreshing", "session"], Says::RefreshSent),
    (&["sign in", "cleared"], Says::Nothing),
    (&["clear", "navigat", "login"], Says::SignedOut),
    (&["clear", "redirect", "login"], Says::SignedOut),
    (&["clear", "session"], Says::Cleared),
    (&["clear", "token"], Says::Cleared),
    (&["clear", "credential"], Says::Cleared),
    (&["clear", "auth"], Says::Cleared),
    (&["wip", "session"], Says::Cleared),
    (&["delet", "tokens"], Says::Cleared),
    (&["remov", "tokens"], Says::Cleared),
    (&["session", "revoked"], Says::Revoked),
    (&["token", "revoked"], Says::Revoked),
    (&["session", "ended"], Says::Revoked),
    (&["sessions", "ended"], Says::Revoked),
    (&["logged out"], Says::SignedOut),
    (&["signed out"], Says::SignedOut),
    (&["sign out"], Says::SignedOut),
    (&["signout"], Says::SignedOut),
    (&["log out"], Says::SignedOut),
    (&["logout"], Says::SignedOut),
    (&["redirect", "login"], Says::SignedOut),
    (&["redirect", "sign in"], Says::SignedOut),
    (&["navigat", "login"], Says::SignedOut),
    (&["show", "login"], Says::SignedOut),
    (&["bootstrap", "complete"], Says::Restored),
    (&["bootstrap", "done"], Says::Restored),
    (&["bootstrap", "finish"], Says::Restored),
    (&["session", "restored"], Says::Restored),
    (&["restore", "done"], Says::Restored),
    (&["restore", "complete"], Says::Restored),
    (&["restore", "finish"], Says::Restored),
    (&["hydrat", "complete"], Says::Restored),
    (&["hydrated"], Says::Restored),
    (&["write", "fail"], Says::Nothing),
    (&["session", "write"], Says::StoreWrite),
    (&["store", "write"], Says::StoreWrite),
    (&["storage", "write"], Says::StoreWrite),
    (&["token", "stored"], Says::StoreWrite),
    (&["tokens", "saved"], Says::StoreWrite),
    (&["session", "saved"], Says::StoreWrite),
    (&["session", "stored"], Says::StoreWrite),
    (&["session", "persisted"], Says::StoreWrite),
    (&["session", "read"], Says::StoreRead),
    (&["store", "read"], Says::StoreRead),
    (&["storage", "read"], Says::StoreRead),
    (&["session", "load"], Says::StoreRead),
    (&["keychain", "read"], Says::StoreRead),
    (&["tokens", "read"], Says::StoreRead),
    (&["login", "succe"], Says::Login),
    (&["login", " ok"], Says::Login),
    (&["login", "complete"], Says::Login),
    (&["logged in", "!not"], Says::Login),
    (&["signed in", "!not"], Says::Login),
    (&["sign in", "succe"], Says::Login),
    (&["session started"], Says::Login),
    (&["user authenticated"], Says::Login),
    (&["app", "launch"], Says::Launched),
    (&["app start"], Says::Launched),
    (&["cold start"], Says::Launched),
    (&["bootstrap", "start"], Says::Launched),
    (&["listening on"], Says::Restarted),
    (&["server listening"], Says::Restarted),
    (&["server started"], Says::Restarted),
    (&["service started"], Says::Restarted),
    (&["started server process"], Says::Restarted),
    (&["application startup complete"], Says::Restarted),
    (&["booting worker"], Says::Restarted),
    (&["worker started"], Says::Restarted),
    (&["server", "restart"], Says::Restarted),
    (&["service", "restart"], Says::Restarted),
    (&["worker", "restart"], Says::Restarted),
    (&["process", "restart"], Says::Restarted),
    (&["container", "restart"], Says::Restarted),
    (&["api", "restart"], Says::Restarted),
    (&["request", "start"], Says::RequestSent),
    (&["request", "sent"], Says::RequestSent),
    (&["request", "send"], Says::RequestSent),
];

/// What [`Says::Memory`] has to be about.
pub(super) const KEPT: &[&str] = &[
    "session",
    "token",
    "refresh",
    "auth",
    "login",
    "memorystore",
];

/// What a path's last parts are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Login,
    Refresh,
    /// A token endpoint: a refresh or another grant.
    Token,
    Logout,
}

/// Ends of paths, in small letters; the first that fits counts.
pub(super) const ROUTES: &[(&str, Route)] = &[
    ("/refresh", Route::Refresh),
    ("/refresh-token", Route::Refresh),
    ("/refresh_token", Route::Refresh),
    ("/refreshtoken", Route::Refresh),
    ("/token/renew", Route::Refresh),
    ("/login", Route::Login),
    ("/signin", Route::Login),
    ("/sign-in", Route::Login),
    ("/logout", Route::Logout),
    ("/signout", Route::Logout),
    ("/sign-out", Route::Logout),
    ("/revoke", Route::Logout),
    ("/token", Route::Token),
];

/// What an answer to a refresh means for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The refresh token is dead.
    Dead,
    /// It was presented twice, which killed it.
    Reused,
    /// No answer, or one that says nothing about the token.
    Passing,
}

/// Parts of an error's text, in small letters, with the name under which it is shown.
pub(super) const FATES: &[(&str, &str, Fate)] = &[
    ("already_used", "refresh_token_already_used", Fate::Reused),
    ("already used", "refresh_token_already_used", Fate::Reused),
    ("reuse", "refresh_token_reuse", Fate::Reused),
    ("invalid_grant", "invalid_grant", Fate::Dead),
    ("invalid grant", "invalid_grant", Fate::Dead),
    (
        "notauthorizedexception",
        "NotAuthorizedException",
        Fate::Dead,
    ),
    ("invalid refresh token", "invalid refresh token", Fate::Dead),
    (
        "refresh_token_not_found",
        "refresh_token_not_found",
        Fate::Dead,
    ),
    (
        "refresh token has expired",
        "refresh token expired",
        Fate::Dead,
    ),
    ("session expired", "session expired", Fate::Dead),
    ("session not active", "session not active", Fate::Dead),
    ("unknown refresh token", "unknown refresh token", Fate::Dead),
    (
        "refresh token not found",
        "refresh_token_not_found",
        Fate::Dead,
    ),
    ("session_not_found", "session_not_found", Fate::Dead),
    ("session not found", "session_not_found", Fate::Dead),
    ("waf", "WAF block", Fate::Passing),
    ("timeout", "timeout", Fate::Passing),
    ("timed out", "timeout", Fate::Passing),
    ("etimedout", "timeout", Fate::Passing),
    ("econn", "network", Fate::Passing),
    ("network", "network", Fate::Passing),
    ("net::err", "network", Fate::Passing),
    ("fetch failed", "network", Fate::Passing),
    ("socket", "network", Fate::Passing),
    ("connection", "network", Fate::Passing),
    ("offline", "network", Fate::Passing),
    ("unreachable", "network", Fate::Passing),
    ("too many requests", "429", Fate::Passing),
    ("rate limit", "429", Fate::Passing),
    ("unavailable", "unavailable", Fate::Passing),
    ("temporarily", "unavailable", Fate::Passing),
    ("forbiddenexception", "ForbiddenException", Fate::Passing),
];

/// Reasons of a sign-out that a person gave.
pub(super) const WANTED: Names = &[
    "user", "manual", "logout", "log out", "sign out", "signout", "button", "settings", "admin",
    "password",
];

/// Reasons that no person gave, whatever else they name.
pub(super) const UNWANTED: Names = &[
    "refresh", "fail", "error", "expire", "invalid", "timeout", "40", "50", "forced", "force",
];
