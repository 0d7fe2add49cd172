//! Sessions and refreshes.
