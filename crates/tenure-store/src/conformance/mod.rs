//! Cases that every backend passes.
