//! URLs that a document names to be asked next.

use url::{Host, Url};

/// Whether a token or metadata from `by` may have `url` asked: at the same host, or at a name over TLS.
///
/// Both may be somebody's who wants to see what this machine reaches. Metadata services of clouds and most
/// of what listens in a private network have an address only, or no certificate.
pub fn may_name(by: &Url, url: &Url) -> bool {
    let named = |url: &Url| matches!(url.host(), Some(Host::Domain(_))) && !is_loopback(url);
    let web = matches!(url.scheme(), "http" | "https");
    let anonymous = url.username().is_empty() && url.password().is_none();
    let near = url.host() == by.host() || is_loopback(url) && is_loopback(by);
    web && anonymous && (near || url.scheme() == "https" && named(url))
}

/// Whether it is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_from_outside_is_asked_by_name_and_over_tls_or_where_it_was_named() {
        let asked = |by: &str, url: &str| may_name(&by.parse().unwrap(), &url.parse().unwrap());
        let api = "https://api.example.com/me";
        for url in [
            "https://www.example.net/keys",
            "https://api.example.com:8443/keys",
            "http://api.example.com/keys",
        ] {
            assert!(asked(api, url), "{url}");
        }
        for url in [
            "http://169.254.169.254/latest/meta-data/",
            "http://metadata.google.internal/",
            "https://[fd00:ec2::254]/",
            "https://10.0.0.1/",
            "https://localhost/",
            "https://user:pass@www.example.net/",
            "file:///etc/passwd",
        ] {
            assert!(!asked(api, url), "{url}");
        }
        assert!(asked(
            "http://127.0.0.1:3000/",
            "http://localhost:8080/realms/one"
        ));
        assert!(!asked("http://127.0.0.1:3000/", "http://10.0.0.1/"));
    }
}
