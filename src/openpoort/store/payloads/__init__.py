"""Where the bytes of documents are."""
