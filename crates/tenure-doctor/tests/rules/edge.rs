//! CDN, firewall and proxy.
