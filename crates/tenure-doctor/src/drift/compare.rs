//! Who disagrees with whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::Source;

use super::{Belief, Holder, Subject, names, value};

/// Two sides that say different things about the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// About what.
    pub about: Subject,
    /// How they differ.
    pub nature: Nature,
    /// One side; the token's where it takes part. Values are those that references lead to, and what
    /// follows from others: the pool that an issuer names.
    pub left: Vec<Belief>,
    /// The other side.
    pub right: Vec<Belief>,
}

impl Disagreement {
    /// Whether a place that belongs to this part takes part in it.
    pub(crate) fn involves(&self, holder: Holder) -> bool {
        let mut sides = self.left.iter().chain(&self.right);
        sides.any(|belief| belief.held_by == holder)
    }
}

/// How two values differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nature {
    /// But for a slash at the end. Verifiers compare issuers byte by byte.
    TrailingSlash,
    /// But for `http` and `https`, or a scheme that is missing on one side.
    Scheme,
    /// But for capitals.
    Case,
    /// The same secret, with blanks or a line end around it on one side.
    Blanks,
    /// The same secret, base64-encoded on one side.
    Base64,
    /// The keys are on another host than the issuer that they are said to be of.
    OtherHost,
    /// In more than that.
    Different,
}

/// Everything that disagrees, by subject; those that involve the token first. A function of its argument.
///
/// References to the parameter store are followed where its answers are among the beliefs. Files whose
/// names say that they are for different environments are not compared, nor are values that stand
/// elsewhere.
pub fn compare(beliefs: &[Belief]) -> Vec<Disagreement> {
    let facts = facts(beliefs);
    let mut sides: BTreeMap<(Subject, BTreeSet<String>), Vec<Belief>> = BTreeMap::new();
    for opinion in opinions(&facts) {
        let values = opinion.iter().map(|belief| belief.value.clone()).collect();
        let about = opinion
            .first()
            .map_or(Subject::Issuer, |belief| belief.about);
        sides.entry((about, values)).or_default().extend(opinion);
    }
    let sides: Vec<_> = sides.into_iter().collect();
    let mut found = Vec::new();
    for (at, ((about, _), left)) in sides.iter().enumerate() {
        for ((_, _), right) in sides
            .iter()
            .skip(at + 1)
            .filter(|((other, _), _)| other == about)
        {
            found.extend(disagreement(*about, left, right));
        }
    }
    found.extend(other_hosts(&facts));
    let is_tokens = |side: &[Belief]| side.iter().any(|belief| belief.held_by == Holder::Token);
    found.sort_by_key(|one| (one.about, !is_tokens(&one.left), one.nature));
    found
}

fn disagreement(about: Subject, left: &[Belief], right: &[Belief]) -> Option<Disagreement> {
    let facing = |of: &[Belief], others: &[Belief]| -> Vec<Belief> {
        let faces = |one: &&Belief| others.iter().any(|other| comparable(about, one, other));
        of.iter().filter(faces).cloned().collect()
    };
    let (mut left, mut right) = (facing(left, right), facing(right, left));
    let pairs = || left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
    // One of several allowed values is enough.
    if pairs().any(|(a, b)| same(about, a, b)) {
        return None;
    }
    let nature = pairs().map(|(a, b)| near(about, a, b)).min()?;
    if right.iter().any(|belief| belief.held_by == Holder::Token) {
        std::mem::swap(&mut left, &mut right);
    }
    Some(Disagreement {
        about,
        nature,
        left,
        right,
    })
}

/// Whether it means anything when these two differ.
fn comparable(about: Subject, a: &Belief, b: &Belief) -> bool {
    let apart = match (a.environment(), b.environment()) {
        (Some(one), Some(other)) => one != other,
        (Some("example"), None) | (None, Some("example")) => true,
        _ => false,
    };
    let same_name = || names::core(&a.name) == names::core(&b.name);
    let fits = match about {
        // Each app has its own.
        Subject::ClientId => {
            same_name() || [a, b].iter().any(|belief| belief.held_by == Holder::Token)
        }
        // A framework's cookie key is not the key of its tokens.
        Subject::Secret => {
            same_name() || (names::is_for_tokens(&a.name) && names::is_for_tokens(&b.name))
        }
        Subject::Deployment => a.held_by != b.held_by,
        Subject::Setting => false,
        // A web service and its sessions may well use two databases.
        Subject::Store => same_name(),
        _ => true,
    };
    fits && !apart && !alternatives(a, b)
}

/// Whether both are of one list of allowed values.
fn alternatives(a: &Belief, b: &Belief) -> bool {
    list(a) == list(b)
}

/// What makes values alternatives: one name in one place.
fn list(belief: &Belief) -> (Option<&str>, Option<&str>, &str, Holder) {
    let file = match &belief.source {
        Source::File(name, _) => Some(name.as_str()),
        Source::Aws(operation) => Some(operation.as_str()),
        _ => None,
    };
    (file, belief.within.as_deref(), &belief.name, belief.held_by)
}

/// Whether the two say the same in their own ways.
fn same(about: Subject, a: &Belief, b: &Belief) -> bool {
    let bare = |domain: &str, issuer: &str| {
        let host = Url::parse(issuer).ok().filter(|url| url.path() == "/");
        !domain.contains('/') && host.is_some_and(|url| url.host_str() == Some(domain))
    };
    let by_domain =
        about == Subject::Issuer && (bare(&a.value, &b.value) || bare(&b.value, &a.value));
    a.value == b.value || by_domain
}

fn near(about: Subject, a: &Belief, b: &Belief) -> Nature {
    if about == Subject::Secret {
        return near_secret(a, b);
    }
    let slashless = |belief: &Belief| belief.value.trim_end_matches('/').to_owned();
    let (x, y) = (slashless(a), slashless(b));
    let bare = |text: &str| {
        text.split_once("://")
            .map_or(text, |(_, rest)| rest)
            .to_owned()
    };
    match () {
        () if x == y => Nature::TrailingSlash,
        () if bare(&x) == bare(&y) => Nature::Scheme,
        () if x.eq_ignore_ascii_case(&y) => Nature::Case,
        () => Nature::Different,
    }
}

fn near_secret(a: &Belief, b: &Belief) -> Nature {
    let forms = |of: &Belief, name: &str| of.forms.get(name).cloned();
    let bare = |of: &Belief| forms(of, "trimmed").unwrap_or_else(|| of.value.clone());
    let base64 = |of: &Belief, other: &Belief| {
        forms(of, "base64").is_some_and(|decoded| decoded == other.value || decoded == bare(other))
    };
    match () {
        () if bare(a) == bare(b) => Nature::Blanks,
        () if base64(a, b) || base64(b, a) => Nature::Base64,
        () => Nature::Different,
    }
}

/// The beliefs that can be compared: references followed, and what follows from them.
fn facts(beliefs: &[Belief]) -> Vec<Belief> {
    let followed: Vec<_> = beliefs
        .iter()
        .map(|belief| follow(belief, beliefs))
        .filter(|belief| !belief.is_open())
        .collect();
    let derived = followed.iter().filter_map(pool_of_url);
    let of_client = audience_of_client(&followed);
    derived
        .chain(of_client)
        .chain(followed.iter().cloned())
        .collect()
}

/// Puts what the parameter store says in place of a reference to it.
fn follow(belief: &Belief, all: &[Belief]) -> Belief {
    let mut belief = belief.clone();
    while let Some((before, rest)) = belief.value.split_once("{{resolve:ssm") {
        let Some((reference, after)) = rest.split_once("}}") else {
            break;
        };
        let mut parts = reference
            .trim_start_matches("-secure")
            .trim_start_matches("-parameter")
            .trim_start_matches(':')
            .split(':');
        let (name, version) = (parts.next().unwrap_or_default(), parts.next());
        let is_it = |one: &&Belief| {
            let right_version = version
                .is_none_or(|version| one.within.as_deref() == Some(&format!("version {version}")));
            one.held_by == Holder::Parameters && one.name == name && right_version && !one.is_open()
        };
        let Some(stored) = all.iter().find(is_it) else {
            break;
        };
        belief.value = format!("{before}{}{after}", stored.value);
    }
    belief
}

/// The pool in the URL of an issuer, or of its keys.
fn pool_of_url(belief: &Belief) -> Option<Belief> {
    if !matches!(belief.about, Subject::Issuer | Subject::JwksUri) {
        return None;
    }
    let pool = belief
        .value
        .split('/')
        .find(|part| value::looks_like_a_pool(part))?;
    Some(Belief {
        about: Subject::UserPool,
        value: pool.to_owned(),
        ..belief.clone()
    })
}

/// Of a token without an audience, verifiers take the client (Amazon API Gateway does).
fn audience_of_client(facts: &[Belief]) -> Vec<Belief> {
    let of_token = |about| {
        facts
            .iter()
            .filter(move |belief| belief.held_by == Holder::Token && belief.about == about)
    };
    if of_token(Subject::Audience).next().is_some() {
        return Vec::new();
    }
    let as_audience = |belief: &Belief| Belief {
        about: Subject::Audience,
        ..belief.clone()
    };
    of_token(Subject::ClientId).map(as_audience).collect()
}

/// Beliefs that are alternatives of each other, together.
fn opinions(facts: &[Belief]) -> Vec<Vec<Belief>> {
    let mut opinions: Vec<Vec<Belief>> = Vec::new();
    for fact in facts {
        let known = opinions.iter_mut().find(|opinion| {
            opinion
                .first()
                .is_some_and(|first| first.about == fact.about && alternatives(first, fact))
        });
        match known {
            Some(opinion) => opinion.push(fact.clone()),
            None => opinions.push(vec![fact.clone()]),
        }
    }
    opinions
}

/// Keys that are said to be of an issuer on another host, in one place, without a discovery document that
/// says so too.
fn other_hosts(facts: &[Belief]) -> Vec<Disagreement> {
    let host = |belief: &Belief| Some(Url::parse(&belief.value).ok()?.host_str()?.to_owned());
    let place = |belief: &Belief| {
        let (file, within, ..) = list(belief);
        (file.map(str::to_owned), within.map(str::to_owned))
    };
    let of = |about: Subject| facts.iter().filter(move |belief| belief.about == about);
    let stated = |keys: &Belief| {
        of(Subject::JwksUri).any(|one| one.held_by == Holder::Issuer && one.value == keys.value)
    };
    let mut found = Vec::new();
    for keys in of(Subject::JwksUri).filter(|keys| !stated(keys)) {
        let beside: Vec<_> = of(Subject::Issuer)
            .filter(|issuer| place(issuer) == place(keys))
            .cloned()
            .collect();
        let hosts: Vec<_> = beside.iter().filter_map(host).collect();
        let is_other = host(keys).is_some_and(|host| !hosts.is_empty() && !hosts.contains(&host));
        if is_other && !hosts.iter().any(|host| host == "accounts.google.com") {
            found.push(Disagreement {
                about: Subject::JwksUri,
                nature: Nature::OtherHost,
                left: beside,
                right: vec![keys.clone()],
            });
        }
    }
    found
}
