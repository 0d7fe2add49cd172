//! Sign-ins that do not come to an end.

use crate::cause::session::texts;
use crate::exchange::Answer;
use crate::probe::Probe;
use crate::sign::{Sign, contains, each, logs, seen};

/// Sign-in pages and callbacks that lead to each other.
pub(in super::super) static LOGIN_LOOP: Sign = Sign {
    name: "login-loop",
    means: "the redirects come back to where they began, by way of a sign-in",
    find: |evidence| {
        const SIGN_IN: [&str; 6] = [
            "login",
            "signin",
            "sign-in",
            "callback",
            "authorize",
            "oauth",
        ];
        let mut met: Vec<&str> = Vec::new();
        for exchange in &evidence.exchanges {
            let hop = matches!(exchange.probe, Probe::Client | Probe::Hop(_));
            let redirects = |answer: &Answer| (300..400).contains(&answer.status);
            if !hop || !exchange.result.as_ref().is_ok_and(redirects) {
                continue;
            }
            let path = without_query(&exchange.request.url);
            let again = met.contains(&path);
            met.push(path);
            if again
                && met
                    .iter()
                    .any(|path| SIGN_IN.iter().any(|page| contains(path, page)))
            {
                let says = format!("redirected {} times, back to where it had been", met.len());
                return seen(true, says, exchange.probe);
            }
        }
        Vec::new()
    },
};

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// One check of `state` that fails again and again.
pub(in super::super) static STATE_FAILS: Sign = Sign {
    name: "state-fails",
    means: "the answer to a sign-in does not belong to the browser that it comes to",
    find: |evidence| each(evidence, &STATES),
};

/// The same, told by a log: there a browser has kept its cookies, which the probes do not.
pub(in super::super) static STATE_FAILS_LOGGED: Sign = Sign {
    name: "state-fails-logged",
    means: "a log says that the answer to a sign-in does not belong to the browser that it comes to",
    find: |evidence| {
        STATES
            .iter()
            .flat_map(|sign| logs::text(evidence, sign.name))
            .collect()
    },
};

/// The same, three times or more, where nothing says that processes forget what others know.
pub(in super::super) static STATE_FAILS_EACH_TIME: Sign = Sign {
    name: "state-fails-each-time",
    means: "sign-ins fail at their `state` again and again",
    find: |evidence| {
        let forgotten = [
            &logs::IN_MEMORY,
            &logs::WORKERS_DISAGREE,
            &logs::AFTER_RESTART,
        ];
        if forgotten.iter().any(|sign| sign.holds(evidence)) {
            return Vec::new();
        }
        let often = |sign: &&&Sign| {
            let mut found = evidence.logs.findings.iter();
            found.any(|found| found.count >= 3 && found.text() == Some(sign.name))
        };
        let repeated = STATES.iter().filter(often);
        repeated.flat_map(|sign| (sign.find)(evidence)).collect()
    },
};

const STATES: [&Sign; 29] = [
    &texts::STATE_OAUTH,
    &texts::STATE_MISMATCH,
    &texts::STATE_MISMATCH_CODE,
    &texts::STATE_FORGOTTEN,
    &texts::STATE_UNVERIFIED,
    &texts::STATE_AUTHLIB,
    &texts::STATE_COOKIE,
    &texts::STATE_SPRING,
    &texts::STATE_PROXY,
    &texts::STATE_INVALID,
    &texts::STATE_INVALID_CODE,
    &texts::STATE_MISSING,
    &texts::STATE_AUTHLIB_ERROR,
    &texts::STATE_CSRF_WARNING,
    &texts::STATE_OMNIAUTH,
    &texts::STATE_SOCIALITE,
    &texts::STATE_ASPNET,
    &texts::STATE_AUTH0,
    &texts::STATE_CHECKS,
    &texts::STATE_SOCIAL,
    &texts::STATE_SOCIAL_WRONG,
    &texts::STATE_MOZILLA,
    &texts::STATE_APACHE,
    &texts::STATE_OIDC_CLIENT,
    &texts::STATE_OAUTH4,
    &texts::STATE_MSAL,
    &texts::STATE_AMPLIFY,
    &texts::STATE_APPAUTH,
    &texts::STATE_BETTER,
];

/// The issuer does not know the redirect URI.
pub(in super::super) static REDIRECT_URI_REFUSED: Sign = Sign {
    name: "redirect-uri-refused",
    means: "the issuer refuses the redirect URI",
    find: |evidence| {
        each(
            evidence,
            &[
                &texts::REDIRECT_MISMATCH,
                &texts::REDIRECT_MISMATCH_COGNITO,
                &texts::REDIRECT_MISMATCH_KEYCLOAK,
                &texts::REDIRECT_MISMATCH_ENTRA,
                &texts::REDIRECT_MISMATCH_OIDC,
                &texts::TENURE_URI,
                &texts::AUTH0_URI,
                &texts::OKTA_URI,
                &texts::FOSITE_URI,
                &texts::GITHUB_URI,
                &texts::GITHUB_URI_OLD,
                &texts::DOORKEEPER_URI,
                &texts::DOORKEEPER_URI_NEW,
                &texts::DUENDE_URI,
                &texts::ZITADEL_URI,
                &texts::OAUTHLIB_URI,
                &texts::DEX_URI,
                &texts::SPRING_URI,
                &texts::AUTHENTIK_URI,
                &texts::OPENIDDICT_URI,
                &texts::LINKEDIN_URI,
                &texts::META_URI,
                &texts::SLACK_URI,
            ],
        )
    },
};
