//! The examples in the documents: complete programs in fenced blocks.

use std::path::Path;

use crate::language::Language;

/// A program from a document, for the service that `serve --dev` starts by default.
pub(crate) struct Example {
    /// A name for its file and its package: `readme_1`.
    pub(crate) name: String,
    pub(crate) code: String,
}

pub(crate) fn examples(language: Language) -> Vec<Example> {
    let (fence, documents) = match language {
        Language::Python => ("```python\n", ["README.md", "docs/guides/python-agent.md"]),
        Language::Kotlin => (
            "```kotlin\n",
            ["README.md", "docs/guides/kotlin-android.md"],
        ),
    };
    let read = |document: &str| {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let name = Path::new(document).file_stem().unwrap().to_str().unwrap();
        let name = name.to_lowercase().replace('-', "_");
        let blocks = text.split(fence).skip(1);
        let code = blocks.map(|block| block.split("```").next().unwrap().to_owned());
        let numbered = code.enumerate();
        numbered
            .map(|(number, code)| Example {
                name: format!("{name}_{number}"),
                code,
            })
            .collect::<Vec<_>>()
    };
    documents.into_iter().flat_map(read).collect()
}

impl Example {
    /// The same for the service at `issuer`.
    pub(crate) fn at(&self, issuer: &str) -> String {
        let default = "http://127.0.0.1:8420";
        assert!(self.code.contains(default), "{} names no issuer", self.name);
        self.code.replace(default, issuer)
    }
}

/// The workspace.
pub(crate) fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap()
}
