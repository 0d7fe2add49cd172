//! Lines of proxies that take Authorization off a request, or put something else in its place.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::{Belief, Effective, Holder, Subject};
use crate::{Source, redact};

/// The name of the setting.
pub(crate) const TAKES_AUTHORIZATION: &str = "takes Authorization off";

/// nginx (with `$http_…`: the value of another field, which is empty where nobody sends it), ngx_headers_more, HAProxy,
/// Apache, Varnish, Caddy, lighttpd, Squid, and `headers.delete` of programs.
static LINES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let lines = [
        r#"^(proxy|grpc)_set_header\s+authorization\s+(""|''|\$(http|cookie|arg)_(?P<field>\w+))\s*;"#,
        r#"^(fastcgi|uwsgi|scgi)_param\s+http_authorization\s+(""|'')\s*;"#,
        r"^more_clear_input_headers\s+.*\bauthorization\b",
        r"^http-request\s+del-header\s+authorization\b",
        r"^req(i)?del\s+\^?authorization",
        r"^requestheader\s+(early\s+)?unset\s+authorization\b",
        r"\b(unset|remove)\s+(be)?req\.http\.authorization\b",
        r"^(header_up|request_header)\s+-authorization\b",
        r#"^setenv\.(set-)?request-header\s*\+?=\s*\(.*"authorization"\s*=>\s*"""#,
        r"^request_header_access\s+authorization\s+deny\s+all\b",
        r#"\bheaders?\.(remove|delete|del)\(\s*['"]authorization['"]\s*\)|\bremoveheader\(\s*['"]authorization['"]\s*\)|\bdelete\s+\w+\.headers(\.authorization|\[['"]authorization['"]\])"#,
    ];
    RegexBuilder::new(&lines.join("|"))
        .case_insensitive(true)
        .build()
        .ok()
});

/// The lines of a file that do so.
pub(super) fn read(name: &str, text: &str) -> Vec<Belief> {
    let Some(lines) = LINES.as_ref() else {
        return Vec::new();
    };
    let takes = |line: &str| {
        if line.starts_with("cache_peer ") {
            // Squid hands it to an origin server only where `login=PASS` or `PASSTHRU` says so.
            let drops = line.contains(" originserver") && !line.contains("login=");
            return drops.then(|| redact::text(line));
        }
        let found = lines.captures(line)?;
        let kept = found
            .name("field")
            .is_some_and(|field| field.as_str() == "authorization");
        (!kept).then(|| redact::text(line))
    };
    (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| !line.starts_with(['#', '/']))
        .filter_map(|(number, line)| {
            Some(Belief {
                about: Subject::Setting,
                value: takes(line)?,
                name: TAKES_AUTHORIZATION.to_owned(),
                source: Source::File(name.to_owned(), Some(number)),
                held_by: Holder::Unknown,
                effective: Effective::Restart,
                within: None,
                forms: BTreeMap::new(),
                note: None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn lines_of_proxies_that_take_the_field_off_are_known() {
        let lines = [
            "  proxy_set_header Authorization \"\";",
            "  proxy_set_header Authorization $http_x_original_authorization;",
            "  http-request del-header Authorization",
            "  RequestHeader unset Authorization early",
            "  unset req.http.Authorization;",
            "  header_up -Authorization",
            "setenv.set-request-header = (\"Authorization\" => \"\")",
            "  proxyReq.removeHeader('authorization')",
            "cache_peer 10.0.0.2 parent 8080 0 no-query originserver name=api",
        ];
        for line in lines {
            assert_eq!(read("x.conf", line).len(), 1, "{line}");
        }
    }

    #[test]
    fn lines_that_pass_the_field_on_or_are_commented_out_are_none() {
        let lines = [
            "  proxy_set_header Authorization $http_authorization;",
            "  # proxy_set_header Authorization \"\";",
            "  proxy_set_header X-Authorization \"\";",
            "  http-response del-header Authorization",
            "cache_peer 10.0.0.2 parent 8080 0 no-query originserver login=PASSTHRU",
            "  set req.http.X-Token = req.http.Authorization;",
        ];
        for line in lines {
            assert!(read("x.conf", line).is_empty(), "{line}");
        }
    }
}
