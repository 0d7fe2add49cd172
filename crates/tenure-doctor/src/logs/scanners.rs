//! Crawlers and scanners, which are turned away every day: by the names that they give, and by what they look for.

use super::names::{self, Names};
use super::record::Record;

/// Parts of user agents, in small letters.
const AGENTS: Names = &[
    "sqlmap",
    "nikto",
    "nmap scripting",
    "zgrab",
    "masscan",
    "nuclei",
    "gobuster",
    "dirbuster",
    "wpscan",
    "acunetix",
    "nessus",
    "openvas",
    "censysinspect",
    "expanse",
    "shodan",
    "internetmeasurement",
    "bingbot",
    "googlebot",
    "yandexbot",
    "baiduspider",
    "duckduckbot",
    "petalbot",
    "semrushbot",
    "ahrefsbot",
    "mj12bot",
    "dotbot",
    "bytespider",
    "gptbot",
    "ccbot",
    "claudebot",
    "amazonbot",
    "applebot",
    "facebookexternalhit",
];

/// Beginnings of paths that no application of its own has.
const PATHS: Names = &[
    "/.env",
    "/.git",
    "/.aws",
    "/.ds_store",
    "/wp-login.php",
    "/wp-admin",
    "/xmlrpc.php",
    "/phpmyadmin",
    "/vendor/phpunit",
    "/cgi-bin/",
    "/boaform",
    "/solr/admin",
    "/actuator/env",
    "/hnap1",
    "/robots.txt",
    "/favicon.ico",
];

/// Whether a crawler or scanner asked.
pub(super) fn asked(record: &Record, path: Option<&str>) -> bool {
    let within = |text: &str, parts: Names| {
        let text = text.to_lowercase();
        parts.iter().any(|part| text.contains(part))
    };
    let agent = record.text(names::AGENT);
    let begins = |path: &str| {
        let path = path.to_lowercase();
        PATHS.iter().any(|known| path.starts_with(known))
    };
    agent.is_some_and(|agent| within(&agent, AGENTS)) || path.is_some_and(begins)
}
