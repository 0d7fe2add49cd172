//! Bad input and a bad network: one clear line and the right exit code.

mod input;
mod network;
