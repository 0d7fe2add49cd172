//! Which names mean what: the one table.

use super::{Holder, Subject};

/// Words at the end of a name (or of the path to it), and what such a name is about. The first that fits counts.
const ENDINGS: &[(&str, Subject)] = &[
    ("USER POOL ID", Subject::UserPool),
    ("USER POOLS ID", Subject::UserPool),
    ("USERPOOL ID", Subject::UserPool),
    ("COGNITO POOL ID", Subject::UserPool),
    ("USER POOL", Subject::UserPool),
    ("USER POOL ARN", Subject::UserPool),
    ("PROVIDER ARNS", Subject::UserPool),
    ("CLIENT ID", Subject::ClientId),
    ("CLIENT IDS", Subject::ClientId),
    ("ISSUER", Subject::Issuer),
    ("ISSUERS", Subject::Issuer),
    ("ISSUER URI", Subject::Issuer),
    ("ISSUER URL", Subject::Issuer),
    ("ISSUER BASE URL", Subject::Issuer),
    ("JWT ISS", Subject::Issuer),
    ("CLAIMS ISS", Subject::Issuer),
    ("AUTHORITY", Subject::Issuer),
    ("AUTH DOMAIN", Subject::Issuer),
    ("AUTH0 DOMAIN", Subject::Issuer),
    ("AUDIENCE", Subject::Audience),
    ("AUDIENCES", Subject::Audience),
    ("JWT AUD", Subject::Audience),
    // Crypt::JWT, PyJWT's and ruby-jwt's callers.
    ("VERIFY ISS", Subject::Issuer),
    ("VERIFY AUD", Subject::Audience),
    ("JWKS URI", Subject::JwksUri),
    ("JWKS URL", Subject::JwksUri),
    ("JWKS ENDPOINT", Subject::JwksUri),
    ("JWKS HTTP URI URI", Subject::JwksUri),
    ("JWK SET URI", Subject::JwksUri),
    // Kong: the key of a credential is the issuer that it is for.
    ("JWT SECRETS KEY", Subject::Issuer),
    ("JWT SECRETS SECRET", Subject::Secret),
    ("JWT SECRET", Subject::Secret),
    ("JWT SECRET KEY", Subject::Secret),
    ("JWT SIGNING KEY", Subject::Secret),
    ("JWT SIGNING SECRET", Subject::Secret),
    ("JWT KEY", Subject::Secret),
    ("JWT ACCESS SECRET", Subject::Secret),
    ("ACCESS TOKEN SECRET", Subject::Secret),
    ("TOKEN SECRET", Subject::Secret),
    ("SIGNING SECRET", Subject::Secret),
    ("SIGNING KEY", Subject::Secret),
    ("AUTH SECRET", Subject::Secret),
    ("NEXTAUTH SECRET", Subject::Secret),
    ("SECRET KEY", Subject::Secret),
    ("JWT ALGORITHM", Subject::Algorithm),
    ("JWT ALGORITHMS", Subject::Algorithm),
    ("JWS ALGORITHM", Subject::Algorithm),
    ("JWS ALGORITHMS", Subject::Algorithm),
    ("JWT ALG", Subject::Algorithm),
    ("TOKEN ALGORITHM", Subject::Algorithm),
    ("SIGNING ALGORITHM", Subject::Algorithm),
    ("JWT LEEWAY", Subject::Leeway),
    ("LEEWAY", Subject::Leeway),
    ("CLOCK SKEW", Subject::Leeway),
    ("CLOCK SKEW SECONDS", Subject::Leeway),
    ("CLOCK TOLERANCE", Subject::Leeway),
    ("SESSION STORE", Subject::Store),
    ("SESSION STORE URL", Subject::Store),
    ("SESSION REDIS URL", Subject::Store),
    ("REFRESH TOKEN STORE", Subject::Store),
    ("REDIS URL", Subject::Store),
];

/// Whole names that would mean too much as endings.
const WHOLE: &[(&str, Subject)] = &[
    ("ISS", Subject::Issuer),
    ("AUD", Subject::Audience),
    ("JWKS", Subject::JwksUri),
];

/// Words in a name that make it about something else: a foreign sign-in, a refresh token's own secret, certificates.
const ELSEWHERE: &[&str] = &[
    "CERT",
    "DISCORD",
    "FACEBOOK",
    "GITHUB",
    "GITLAB",
    "GOOGLE",
    "IDENTITY",
    "LINKEDIN",
    "REFRESH",
    "SLACK",
    "STRIPE",
    "TELEMETRY",
    "TWITTER",
    "WEBHOOK",
];

/// Prefixes with which a bundler builds a variable into the app.
const BUILT_IN: &[&str] = &[
    "EXPO PUBLIC",
    "GATSBY",
    "NEXT PUBLIC",
    "NG APP",
    "NUXT PUBLIC",
    "PUBLIC",
    "REACT APP",
    "VITE",
    "VUE APP",
];

/// Words in a file's path, a service's or a resource's name, and who that is.
const WHO: &[(Holder, &[&str])] = &[
    (
        Holder::Client,
        &[
            "ANDROID", "CLIENT", "DESKTOP", "EXPO", "FRONTEND", "IOS", "MOBILE", "SPA", "TAURI",
            "UI", "WEB",
        ],
    ),
    (
        Holder::Issuer,
        &[
            "AUTH",
            "AUTHN",
            "AUTHORIZATIONSERVER",
            "COGNITO",
            "IDENTITY",
            "IDP",
            "ISSUER",
            "KEYCLOAK",
            "LOGIN",
            "SSO",
            "TENURE",
        ],
    ),
    (
        Holder::Verifier,
        &[
            "API",
            "AUTHENTICATION",
            "AUTHORIZER",
            "AUTHORIZERS",
            "BACKEND",
            "ENVOY",
            "GATEWAY",
            "GRAPHQL",
            "KONG",
            "NGINX",
            "RESOURCESERVER",
            "VERIFIER",
            "WORKER",
        ],
    ),
];

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) about: Subject,
    /// A bundler builds it into the app.
    pub(super) built_in: bool,
}

/// `jwt-secret-is-base64`, `secret_is_base64`.
pub(super) fn says_base64(name: &str) -> bool {
    let name = words(name).join(" ");
    name.contains("SECRET") && (name.ends_with("IS BASE64") || name.ends_with("BASE64 ENCODED"))
}

/// What the last of these keys is about, given those above it.
pub(super) fn meaning(path: &[&str]) -> Option<Meaning> {
    let name = words(path.last()?);
    if is_among(&name, ELSEWHERE) {
        return None;
    }
    let whole: Vec<_> = path.iter().flat_map(|key| words(key)).collect();
    let (name, whole) = (name.join(" "), format!(" {}", whole.join(" ")));
    let exact = WHOLE.iter().find(|(of, _)| *of == name);
    let ending = || {
        ENDINGS
            .iter()
            .find(|(ending, _)| whole.ends_with(&format!(" {ending}")))
    };
    let (_, about) = exact.or_else(ending).or_else(|| below_jwt(&name, &whole))?;
    Some(Meaning {
        about: *about,
        built_in: without_bundler(&name).is_some(),
    })
}

/// `jwt.secret`, `auth.jwt.access.key`: short keys below a table that says what they are for.
fn below_jwt(name: &str, whole: &str) -> Option<&'static (&'static str, Subject)> {
    const SHORT: &[(&str, Subject)] = &[
        ("SECRET", Subject::Secret),
        ("KEY", Subject::Secret),
        ("ALGORITHM", Subject::Algorithm),
        ("ALGORITHMS", Subject::Algorithm),
        ("ALG", Subject::Algorithm),
    ];
    let below = whole.contains(" JWT ") || whole.contains(" JWTS ");
    SHORT.iter().find(|(short, _)| below && *short == name)
}

/// Who holds what stands in a place of this name.
pub(super) fn holder(place: &str) -> Holder {
    let words = words(place);
    let mut found = WHO.iter().filter(|(_, list)| is_among(&words, list));
    match (found.next(), found.next()) {
        (Some((holder, _)), None) => *holder,
        _ => Holder::Unknown,
    }
}

/// A name without what a bundler wants before it, in one spelling.
pub(super) fn core(name: &str) -> String {
    let name = words(name).join(" ");
    without_bundler(&name).unwrap_or(&name).to_owned()
}

/// The rest of a name that a bundler builds in.
fn without_bundler(name: &str) -> Option<&str> {
    BUILT_IN
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix)?.strip_prefix(' '))
}

/// Whether a secret of this name signs tokens; others of a framework sign its cookies.
pub(super) fn is_for_tokens(name: &str) -> bool {
    is_among(&words(name), &["JWT", "TOKEN", "SIGNING"])
}

/// Whether one of the words is in the list.
pub(super) fn is_among(words: &[String], list: &[&str]) -> bool {
    words.iter().any(|word| list.contains(&word.as_str()))
}

/// `jwksUri`, `jwks-uri`, `JWKS_URI`: the words, in capitals.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for (at, letter) in name.char_indices() {
        let after = name.get(at + letter.len_utf8()..).unwrap_or_default();
        // `ARNs` is one word: the plural of an abbreviation.
        let mut following = after
            .strip_prefix('s')
            .filter(|rest| !rest.starts_with(is_lower))
            .unwrap_or(after)
            .chars();
        let next_is_lower = following.next().is_some_and(is_lower);
        let hump = letter.is_ascii_uppercase()
            && (is_lower(before) || (before.is_ascii_uppercase() && next_is_lower));
        if hump || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(letter.to_ascii_uppercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_lower(letter: char) -> bool {
    letter.is_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_understood_in_every_spelling() {
        let table: &[(&[&str], Option<Subject>)] = &[
            (&["ISSUER"], Some(Subject::Issuer)),
            (&["JWT_ISSUER"], Some(Subject::Issuer)),
            (&["AUTH_DOMAIN"], Some(Subject::Issuer)),
            (&["jwt", "issuer-uri"], Some(Subject::Issuer)),
            (&["COGNITO_USER_POOL_ID"], Some(Subject::UserPool)),
            (&["EXPO_PUBLIC_USER_POOL_ID"], Some(Subject::UserPool)),
            (&["aws_user_pools_id"], Some(Subject::UserPool)),
            (&["aws_user_pools_web_client_id"], Some(Subject::ClientId)),
            (&["userPoolId"], Some(Subject::UserPool)),
            (&["ProviderARNs"], Some(Subject::UserPool)),
            (&["providerARNs"], Some(Subject::UserPool)),
            (&["userPoolClientId"], Some(Subject::ClientId)),
            (&["JWT_SECRET"], Some(Subject::Secret)),
            (&["JWT_SIGNING_KEY"], Some(Subject::Secret)),
            (&["auth", "jwt", "secret"], Some(Subject::Secret)),
            (&["jwk-set-uri"], Some(Subject::JwksUri)),
            (&["jwksUri"], Some(Subject::JwksUri)),
            (&["GITHUB_CLIENT_ID"], None),
            (&["IDENTITY_POOL_ID"], None),
            (&["CLIENT_SECRET"], None),
            (&["JWT_REFRESH_SECRET"], None),
            (&["secret"], None),
            (&["cert-manager.io/issuer"], None),
        ];
        for (path, about) in table {
            assert_eq!(
                meaning(path).map(|meaning| meaning.about),
                *about,
                "{path:?}"
            );
        }
    }

    #[test]
    fn a_bundlers_prefix_means_that_it_is_built_in() {
        for name in [
            "VITE_ISSUER",
            "NEXT_PUBLIC_AUTH_DOMAIN",
            "EXPO_PUBLIC_CLIENT_ID",
        ] {
            assert!(meaning(&[name]).unwrap().built_in, "{name}");
        }
        assert!(!meaning(&["ISSUER"]).unwrap().built_in);
    }

    #[test]
    fn a_place_that_could_be_two_is_nobodys() {
        assert_eq!(holder("services/api/.env"), Holder::Verifier);
        assert_eq!(holder("mobile/.env"), Holder::Client);
        assert_eq!(holder("auth-api/.env"), Holder::Unknown);
        assert_eq!(holder(".env"), Holder::Unknown);
    }
}
