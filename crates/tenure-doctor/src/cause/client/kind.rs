//! What the client presents: too much, or the wrong kind.

use crate::cause::client::{browsed, presented, signs};
use crate::cause::{Cause, Layer, Step};
use crate::probe::Probe;
use crate::sign::{keys, probes, token};
use crate::{Prior, Strength};

pub(super) const TOO_LARGE: Cause = Cause {
    id: "TN0113",
    title: "the token is larger than what a server on the way accepts as a header",
    layer: Layer::Transport,
    prior: Prior::Usual,
    story: "Servers read header fields into buffers of a fixed size: 8 KiB in nginx and Apache httpd, 16 \
            KiB in Node.js. A token that lists every group and permission of its user outgrows them. The \
            server answers 400 or 431, or ends the connection, before anything looks at the token. Only \
            users with many groups are hit, and a new login does not help them.",
    signs: &[
        (&presented::HEADER_TOO_LARGE, Strength::Marks),
        (&signs::HEADER_TOO_LARGE_NGINX, Strength::Points),
        (&signs::HEADER_TOO_LARGE_APACHE, Strength::Points),
        (&signs::HEADER_TOO_LARGE_TOMCAT, Strength::Points),
        (&signs::HEADER_FIELDS_TOO_LARGE, Strength::Points),
        (&signs::HEADER_TOO_LARGE_NETTY, Strength::Points),
        (&signs::HEADER_TOO_LARGE_PUMA, Strength::Points),
        (&signs::HEADER_TOO_LARGE_KESTREL, Strength::Points),
        (&signs::HEADER_TOO_LARGE_IIS, Strength::Points),
        (&signs::LOGGED_TOO_LONG_HEADER, Strength::Marks),
        (&browsed::TOO_LARGE_BROWSED, Strength::Marks),
        (&presented::TOO_LARGE_TO_READ, Strength::Marks),
        (&presented::LARGE_TOKEN, Strength::Suggests),
    ],
    against: &[
        (&probes::REFUSED_401, Strength::Points),
        (&probes::REFUSED_403, Strength::Suggests),
    ],
    settled_by: &[
        &[&presented::HEADER_TOO_LARGE],
        &[&presented::TOO_LARGE_TO_READ],
        &[&signs::LOGGED_TOO_LONG_HEADER],
        &[&browsed::TOO_LARGE_BROWSED],
    ],
    ruled_out_by: &[&probes::ACCEPTED, &probes::REFUSED_401],
    fix: "Make the token smaller: only the claims that the API reads, groups by id or by a reference that \
          it looks up. Raising the limit (`large_client_header_buffers` in nginx, `LimitRequestFieldSize` \
          in Apache httpd, `--max-http-header-size` in Node.js) has to be done at every layer on the \
          way, some of which (load balancers, content delivery networks) have none to raise.",
    next: &[
        Step::Probe(Probe::Garbage),
        Step::Probe(Probe::OtherToken),
        Step::Probe(Probe::LargeHeader),
        Step::Supply("the token", "--token-file FILE"),
    ],
    references: &[
        "DouglasNeuroInformatics/OpenDataCapture#1534",
        "auth0/node-jsonwebtoken#363",
        "dotnet/aspnetcore#25271",
        "RFC 6585, section 5",
    ],
};

pub(super) const ID_TOKEN: Cause = Cause {
    id: "TN0114",
    title: "the client sends its ID token where an access token is due, or the other way round",
    layer: Layer::Client,
    prior: Prior::Common,
    story: "A sign-in by OpenID Connect returns two tokens of one issuer, both signed, both valid. The ID \
            token tells the client who signed in; the access token is for APIs. An API that looks at \
            `token_use`, the audience, the type or the scopes refuses the other one, with a signature \
            that is good. In Amazon API Gateway a Cognito authorizer of a method with scopes wants the \
            access token, and of a method without scopes the ID token.",
    signs: &[
        (&presented::OTHER_KIND_TURNS, Strength::Marks),
        (&signs::TOKEN_USE_NOT_ALLOWED, Strength::Marks),
        (&presented::ID_TOKEN_REFUSED, Strength::Points),
        (&presented::ACCESS_TOKEN_REFUSED, Strength::Hints),
        (&keys::VERIFIES, Strength::Hints),
        (&probes::OTHER_TOKEN_ACCEPTED, Strength::Hints),
    ],
    against: &[
        (&token::EXPIRED, Strength::Points),
        (&keys::NO_KEY_VERIFIES, Strength::Points),
        (&probes::NEVER_EVALUATED, Strength::Points),
        (&probes::FLIPS, Strength::Points),
    ],
    settled_by: &[
        &[&presented::OTHER_KIND_TURNS],
        &[&signs::TOKEN_USE_NOT_ALLOWED],
    ],
    ruled_out_by: &[&probes::ACCEPTED],
    fix: "Send the access token to APIs. In Amazon API Gateway either list the scopes at the method and \
          send the access token, or send the ID token to methods without scopes; deploy the stage \
          afterwards. An API that verifies by itself should check the kind (`token_use`, `typ`) and say \
          so in its refusal.",
    next: &[
        Step::Supply(
            "the user's other token, to compare",
            "--other-token-file FILE",
        ),
        Step::Probe(Probe::OtherToken),
        Step::Probe(Probe::Altered),
    ],
    references: &[
        "https://repost.aws/knowledge-center/api-gateway-cognito-401-unauthorized",
        "awslabs/nx-plugin-for-aws#828",
        "RFC 9068, section 4",
    ],
};

pub(super) const OPAQUE: Cause = Cause {
    id: "TN0115",
    title: "the token is opaque or encrypted, and the API reads signed JWTs",
    layer: Layer::Client,
    prior: Prior::Usual,
    story: "Some issuers give an access token that only they can read, opaque or encrypted to themselves, \
            unless the client names the API that it is for (`audience` at Auth0, `resource` by RFC 8707). \
            It works at the issuer's own userinfo endpoint and nowhere else. To an API that verifies \
            JWTs it is not a token at all: its parser counts the dots and refuses it.",
    signs: &[
        (&presented::SIGNED_TURNS, Strength::Marks),
        (&presented::UNREADABLE_REFUSED, Strength::Points),
        (&presented::UNREADABLE_LOGGED, Strength::Marks),
        (&presented::ENCRYPTED_DIRECTLY, Strength::Points),
        (&presented::ISSUER_ACCEPTS, Strength::Suggests),
        (&presented::NOT_A_JWT, Strength::Suggests),
    ],
    against: &[
        (&token::IN_TIME, Strength::Marks),
        (&token::EXPIRED, Strength::Marks),
        (&token::NO_TOKEN, Strength::Marks),
        (&token::BROKEN, Strength::Points),
    ],
    settled_by: &[
        &[&presented::SIGNED_TURNS],
        &[&presented::UNREADABLE_REFUSED, &presented::NOT_A_JWT],
        &[&presented::UNREADABLE_LOGGED],
        &[
            &presented::UNREADABLE_REFUSED,
            &presented::ENCRYPTED_DIRECTLY,
        ],
    ],
    ruled_out_by: &[&probes::ACCEPTED],
    fix: "Ask for a token for the API: the parameter `audience` (Auth0) or `resource` (RFC 8707) in the \
          authorization request, with the identifier that the API is registered under. Sign in again: \
          refreshed tokens keep the old audience. An API that is to take opaque tokens has to ask the \
          issuer's introspection endpoint.",
    next: &[
        Step::Probe(Probe::Userinfo),
        Step::Probe(Probe::Garbage),
        Step::Supply(
            "a token that the API is known to accept",
            "--other-token-file FILE",
        ),
    ],
    references: &[
        "auth0/nextjs-auth0#1809",
        "auth0/auth0-spa-js#822",
        "zuplo/zudoku#2206",
        "RFC 8707",
    ],
};
