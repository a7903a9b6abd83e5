//! What the specifications demand, one file per document.

mod discovery;
