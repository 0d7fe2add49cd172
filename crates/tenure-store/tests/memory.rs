//! The reference passes the conformance cases.

use tenure_store::conformance::Fixture;
use tenure_store::{Memory, store_conformance};

store_conformance!(Fixture::new(Memory::new(), ()));
