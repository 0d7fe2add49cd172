//! Writes the other languages' side of this library: `bindgen generate LIBRARY --language python
//! --out-dir DIRECTORY`. An example, because only the package command and the tests need it.

fn main() {
    uniffi::uniffi_bindgen_main();
}
