//! The verifiers, with their defaults, as their sources and documents have them.

use super::Rule;

/// How one verifier decides. Settings are at their defaults; what is expected comes with the question.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a rule that some have and others do not"
)]
pub(super) struct Verifier {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// Seconds that are added to `exp`.
    pub(super) leeway: u64,
    pub(super) edge: Edge,
    pub(super) expiry: Expiry,
    /// Seconds by which `nbf` and `iat` may lie in the future; nothing where they are not looked at.
    pub(super) nbf: Option<u64>,
    pub(super) iat: Option<u64>,
    /// Dates that must be numbers where they are there.
    pub(super) typed: &'static [&'static str],
    /// Digits in a string pass for a number, and a boolean for 0 or 1.
    pub(super) coerces: bool,
    /// Claims that must be there.
    pub(super) required: &'static [&'static str],
    /// Whether the issuer is compared, and whether a token without one is refused then.
    pub(super) issuer: bool,
    pub(super) issuer_required: bool,
    pub(super) audience: Audience,
    pub(super) typ: Type,
    pub(super) kid: bool,
    pub(super) token_use: Option<&'static str>,
    pub(super) algorithms: &'static [&'static str],
    /// The status of a refusal; 0 for a library.
    pub(super) status: u16,
    /// Where status or text are known for a rule.
    pub(super) says: &'static [(Rule, u16, &'static str)],
    pub(super) source: &'static str,
}

/// The last second of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// Refused from the second after `exp` and leeway.
    After,
    /// Refused from that second on.
    At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    Unchecked,
    WhenPresent,
    Required,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    Unchecked,
    /// Compared where one is expected; the claim must be there then.
    Asked,
    /// A token with an audience is refused where none is expected. `unasked`: an empty list passes for no
    /// claim, and one must be there where it is expected.
    IfPresent {
        unasked: bool,
    },
    /// The client's id must be in `aud`.
    Client,
    /// The claim `client_id` must be the client's.
    ClientClaim,
    /// `aud`, or `client_id` where there is no `aud`.
    EitherClaim,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Any,
    JwtOrNone,
    /// RFC 9068.
    AccessToken,
}

const RSA: &[&str] = &["RS256", "RS384", "RS512"];
const EVERY: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "HS256", "HS384", "HS512",
];
const DATES: &[&str] = &["exp", "nbf", "iat"];

/// What most do; rows say where they differ.
const COMMON: Verifier = Verifier {
    id: "",
    name: "",
    leeway: 0,
    edge: Edge::After,
    expiry: Expiry::WhenPresent,
    nbf: Some(0),
    iat: None,
    typed: DATES,
    coerces: false,
    required: &[],
    issuer: true,
    issuer_required: true,
    audience: Audience::Asked,
    typ: Type::Any,
    kid: false,
    token_use: None,
    algorithms: EVERY,
    status: 401,
    says: &[],
    source: "",
};

/// A library raises errors; the service around it chooses a status.
const LIBRARY: Verifier = Verifier {
    status: 0,
    ..COMMON
};

pub(super) const TABLE: &[Verifier] = &[
    Verifier {
        id: "envoy",
        name: "Envoy, Istio (jwt_authn)",
        leeway: 60,
        nbf: Some(60),
        says: &[
            (Rule::Expiry, 401, "Jwt is expired"),
            (Rule::NotBefore, 401, "Jwt not yet valid"),
            (Rule::Issuer, 401, "Jwt issuer is not configured"),
            (Rule::Audience, 403, "Audiences in Jwt are not allowed"),
            (Rule::Signature, 401, "Jwt verification fails"),
            (
                Rule::Shape,
                401,
                "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
            ),
            (Rule::Algorithm, 401, "Jwt header [alg] is not supported"),
        ],
        source: "google/jwt_verify_lib src/jwt.cc; envoyproxy/envoy jwt_authn filter.cc",
        ..COMMON
    },
    Verifier {
        id: "spring",
        name: "Spring Security resource server",
        leeway: 60,
        nbf: Some(60),
        algorithms: &["RS256"],
        typ: Type::JwtOrNone,
        says: &[
            (
                Rule::Expiry,
                401,
                "An error occurred while attempting to decode the Jwt: Jwt expired at …",
            ),
            (
                Rule::NotBefore,
                401,
                "An error occurred while attempting to decode the Jwt: Jwt used before …",
            ),
            (
                Rule::Issuer,
                401,
                "An error occurred while attempting to decode the Jwt: The iss claim is not valid",
            ),
            (
                Rule::Audience,
                401,
                "An error occurred while attempting to decode the Jwt: The aud claim is not valid",
            ),
            (
                Rule::Type,
                401,
                "An error occurred while attempting to decode the Jwt: …",
            ),
            (
                Rule::Signature,
                401,
                "An error occurred while attempting to decode the Jwt: Signed JWT rejected: Invalid signature",
            ),
            (
                Rule::Algorithm,
                401,
                "An error occurred while attempting to decode the Jwt: Signed JWT rejected: Another algorithm expected, or no matching key(s) found",
            ),
        ],
        source: "spring-projects/spring-security JwtTimestampValidator.java, NimbusJwtDecoder.java",
        ..COMMON
    },
    Verifier {
        id: "jsonwebtoken-rust",
        name: "jsonwebtoken (Rust)",
        leeway: 60,
        expiry: Expiry::Required,
        nbf: None,
        typed: &[],
        issuer_required: false,
        audience: Audience::IfPresent { unasked: false },
        algorithms: &[
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
            "HS256", "HS384", "HS512",
        ],
        says: &[
            (Rule::Expiry, 0, "ExpiredSignature"),
            (Rule::Presence, 0, "MissingRequiredClaim"),
            (Rule::Issuer, 0, "InvalidIssuer"),
            (Rule::Audience, 0, "InvalidAudience"),
            (Rule::Signature, 0, "InvalidSignature"),
            (Rule::Algorithm, 0, "InvalidAlgorithm"),
        ],
        source: "Keats/jsonwebtoken src/validation.rs",
        ..LIBRARY
    },
    Verifier {
        id: "pyjwt",
        name: "PyJWT (Python)",
        edge: Edge::At,
        iat: Some(0),
        coerces: true,
        audience: Audience::IfPresent { unasked: true },
        says: &[
            (Rule::Expiry, 0, "Signature has expired"),
            (Rule::NotBefore, 0, "The token is not yet valid (nbf)"),
            (Rule::IssuedAt, 0, "The token is not yet valid (iat)"),
            (Rule::Issuer, 0, "Invalid issuer"),
            (Rule::Audience, 0, "Audience doesn't match"),
            (Rule::Signature, 0, "Signature verification failed"),
            (Rule::Algorithm, 0, "The specified alg value is not allowed"),
            (Rule::Shape, 0, "Not enough segments"),
        ],
        source: "jpadilla/pyjwt jwt/api_jwt.py",
        ..LIBRARY
    },
    Verifier {
        id: "jose",
        name: "jose (JavaScript)",
        edge: Edge::At,
        says: &[
            (Rule::Expiry, 0, "\"exp\" claim timestamp check failed"),
            (Rule::NotBefore, 0, "\"nbf\" claim timestamp check failed"),
            (Rule::Types, 0, "\"…\" claim must be a number"),
            (Rule::Issuer, 0, "unexpected \"iss\" claim value"),
            (Rule::Audience, 0, "unexpected \"aud\" claim value"),
            (Rule::Signature, 0, "signature verification failed"),
            (Rule::Shape, 0, "Invalid Compact JWS"),
        ],
        source: "panva/jose src/lib/jwt_claims_set.ts",
        ..LIBRARY
    },
    Verifier {
        id: "jsonwebtoken-node",
        name: "jsonwebtoken (Node.js)",
        edge: Edge::At,
        typed: &["exp", "nbf"],
        algorithms: &[
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
            "HS256", "HS384", "HS512",
        ],
        says: &[
            (Rule::Expiry, 0, "jwt expired"),
            (Rule::NotBefore, 0, "jwt not active"),
            (Rule::Issuer, 0, "jwt issuer invalid. expected: …"),
            (Rule::Audience, 0, "jwt audience invalid. expected: …"),
            (Rule::Signature, 0, "invalid signature"),
            (Rule::Algorithm, 0, "invalid algorithm"),
            (Rule::Shape, 0, "jwt malformed"),
        ],
        source: "auth0/node-jsonwebtoken verify.js",
        ..LIBRARY
    },
    Verifier {
        id: "aws-jwt-verify-access",
        name: "aws-jwt-verify, Cognito access token",
        audience: Audience::ClientClaim,
        token_use: Some("access"),
        ..AWS_JWT_VERIFY
    },
    Verifier {
        id: "aws-jwt-verify-id",
        name: "aws-jwt-verify, Cognito ID token",
        audience: Audience::Client,
        token_use: Some("id"),
        ..AWS_JWT_VERIFY
    },
    Verifier {
        id: "api-gateway-rest-cognito",
        name: "API Gateway REST, Cognito authorizer without scopes",
        audience: Audience::Unchecked,
        token_use: Some("id"),
        algorithms: &["RS256"],
        kid: true,
        expiry: Expiry::Required,
        says: &[
            (Rule::Expiry, 401, "The incoming token has expired"),
            (Rule::Issuer, 401, "Unauthorized"),
            (Rule::TokenUse, 401, "Unauthorized"),
            (Rule::Signature, 401, "Unauthorized"),
            (Rule::Shape, 401, "Unauthorized"),
        ],
        source: "docs.aws.amazon.com apigateway-integrate-with-cognito; repost.aws api-gateway-cognito-401-unauthorized",
        ..COMMON
    },
    Verifier {
        id: "api-gateway-http-jwt",
        name: "API Gateway HTTP, JWT authorizer",
        iat: Some(0),
        audience: Audience::EitherClaim,
        algorithms: RSA,
        kid: true,
        expiry: Expiry::Required,
        says: &[
            (
                Rule::Expiry,
                401,
                "Unauthorized (error_description: the token has expired)",
            ),
            (
                Rule::Audience,
                401,
                "Unauthorized (error_description: the token does not have a valid audience)",
            ),
            (Rule::Issuer, 401, "Unauthorized"),
            (Rule::Algorithm, 401, "Unauthorized"),
        ],
        source: "docs.aws.amazon.com http-api-jwt-authorizer",
        ..COMMON
    },
    Verifier {
        id: "oauth2-proxy",
        name: "oauth2-proxy (go-oidc)",
        expiry: Expiry::Required,
        // Five minutes since go-oidc 3.
        nbf: Some(300),
        audience: Audience::Client,
        algorithms: &["RS256"],
        status: 403,
        says: &[(
            Rule::Expiry,
            403,
            "Forbidden (log: oidc: token is expired (Token Expiry: …))",
        )],
        source: "coreos/go-oidc oidc/verify.go; oauth2-proxy pkg/middleware/jwt_session.go",
        ..COMMON
    },
    Verifier {
        id: "kong",
        name: "Kong, plugin jwt with its defaults",
        expiry: Expiry::Unchecked,
        nbf: None,
        typed: &[],
        audience: Audience::Unchecked,
        says: &[
            (Rule::Issuer, 401, "No credentials found for given 'iss'"),
            (Rule::Signature, 401, "Invalid signature"),
            (Rule::Algorithm, 401, "Invalid algorithm"),
            (Rule::Shape, 401, "Bad token; invalid JSON"),
        ],
        source: "Kong/kong kong/plugins/jwt/{handler,schema}.lua",
        ..COMMON
    },
    Verifier {
        id: "express-oauth2-jwt-bearer",
        name: "express-oauth2-jwt-bearer",
        ..EXPRESS
    },
    Verifier {
        id: "express-oauth2-jwt-bearer-strict",
        name: "express-oauth2-jwt-bearer, strict (RFC 9068)",
        typ: Type::AccessToken,
        required: &["iat", "sub", "client_id", "jti"],
        ..EXPRESS
    },
    Verifier {
        id: "jwt-simple",
        name: "jwt-simple (Rust)",
        leeway: 900,
        iat: Some(900),
        algorithms: &[
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
            "HS256", "HS384", "HS512",
        ],
        says: &[
            (Rule::Expiry, 0, "Token has expired"),
            (Rule::NotBefore, 0, "Token not valid yet"),
            (Rule::IssuedAt, 0, "Clock drift detected"),
            (Rule::Issuer, 0, "Required issuer mismatch"),
            (Rule::Audience, 0, "Required audience mismatch"),
        ],
        source: "jedisct1/rust-jwt-simple src/claims.rs",
        ..LIBRARY
    },
    Verifier {
        id: "jwt-cli",
        name: "jwt-cli",
        leeway: 1000,
        nbf: None,
        typed: &[],
        issuer: false,
        audience: Audience::Unchecked,
        says: &[(Rule::Expiry, 0, "The token has expired")],
        source: "mike-engel/jwt-cli src/translators/decode.rs",
        ..LIBRARY
    },
    Verifier {
        id: "step",
        name: "step crypto jwt verify",
        iat: Some(0),
        says: &[
            (Rule::Expiry, 0, "validation failed: token is expired by …"),
            (
                Rule::NotBefore,
                0,
                "validation failed: token not valid yet (nbf)",
            ),
            (
                Rule::IssuedAt,
                0,
                "validation field, token issued in the future (iat)",
            ),
            (
                Rule::Issuer,
                0,
                "validation failed: invalid issuer claim (iss)",
            ),
            (
                Rule::Audience,
                0,
                "validation failed: invalid audience claim (aud)",
            ),
        ],
        source: "smallstep/cli command/crypto/jwt/verify.go; go-jose jwt/validation.go",
        ..LIBRARY
    },
];

const AWS_JWT_VERIFY: Verifier = Verifier {
    algorithms: &[
        "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA",
    ],
    kid: true,
    says: &[
        (Rule::Expiry, 0, "Token expired at …"),
        (Rule::NotBefore, 0, "Token can't be used before …"),
        (Rule::Issuer, 0, "issuer not configured: …"),
        (
            Rule::Audience,
            0,
            "Client ID (\"audience\") not allowed: …. Expected: …",
        ),
        (Rule::Client, 0, "Client ID not allowed: …. Expected: …"),
        (Rule::TokenUse, 0, "Token use not allowed: …. Expected: …"),
        (Rule::Signature, 0, "Invalid signature"),
    ],
    source: "awslabs/aws-jwt-verify src/{jwt,cognito-verifier}.ts",
    ..LIBRARY
};

/// jose does the dates, with a tolerance of five seconds.
const EXPRESS: Verifier = Verifier {
    leeway: 5,
    edge: Edge::At,
    expiry: Expiry::Required,
    nbf: Some(5),
    says: &[
        (Rule::Expiry, 401, "\"exp\" claim timestamp check failed"),
        (Rule::NotBefore, 401, "\"nbf\" claim timestamp check failed"),
        (Rule::Type, 401, "Unexpected 'typ' value"),
        (Rule::Issuer, 401, "Unexpected 'iss' value"),
        (Rule::Audience, 401, "Unexpected 'aud' value"),
        (Rule::Signature, 401, "signature verification failed"),
    ],
    source: "auth0/node-oauth2-jwt-bearer packages/access-token-jwt/src/validate.ts",
    ..COMMON
};
