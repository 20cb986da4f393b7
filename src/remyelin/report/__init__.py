"""Results to pages that a person looks at: self-contained HTML, no network."""
