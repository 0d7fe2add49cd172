//! Frameworks and authorization.
