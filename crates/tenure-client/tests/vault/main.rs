//! Every vault against the same cases, and controls that fail them.

// Marked as tests, because there and only there helpers may `expect`.
#[cfg(test)]
mod chunked;
#[cfg(test)]
mod controls;
#[cfg(test)]
mod encrypted;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod subjects;
#[cfg(test)]
mod suite;

#[cfg(test)]
use subjects::{Chunked, Encrypted, Files};

#[cfg(test)]
fn here(_test: &str, case: impl FnOnce()) {
    case();
}

#[cfg(test)]
suite::conformance!(file, Files::new(), locks: no, within: here);
#[cfg(test)]
suite::conformance!(encrypted_file, Encrypted::new(), locks: yes, within: here);
#[cfg(test)]
suite::conformance!(chunks_in_memory, Chunked::over_memory(100), locks: yes, within: here);
#[cfg(test)]
suite::conformance!(one_chunk_in_memory, Chunked::over_memory(2048), locks: yes, within: here);
#[cfg(test)]
suite::conformance!(chunks_in_files, Chunked::over_files(256), locks: no, within: here);
