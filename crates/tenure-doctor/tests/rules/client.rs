//! Client and transport.
