//! Python source as a tree: normal form, byte-range edits, scopes, complexity, evolve blocks.
//!
//! Domain-free: it knows nothing of candidates, and it is the only crate that knows tree-sitter, of which nothing shows
//! outside. A source with errors is parsed too, so that callers decide what to do about it. No input makes it panic,
//! recurse without bound or run for longer than a multiple of the input's size allows.

mod blocks;
mod edit;
mod faults;
mod fingerprint;
mod function;
mod kind;
mod literal;
mod measure;
mod module;
mod node;
mod parts;
mod scope;

pub use blocks::{BlockError, Blocks, ConfinementError, END_MARK, START_MARK, confined};
pub use edit::{Edit, EditError, MAX_EDITS, apply};
pub use faults::SyntaxFault;
pub use fingerprint::{FINGERPRINT_BYTES, Fingerprint, ParseFingerprintError};
pub use function::{Function, Parameter};
pub use kind::{Field, Kind};
pub use measure::{Complexity, FunctionComplexity};
pub use module::{MAX_DEPTH, MAX_SOURCE_BYTES, Module};
pub use node::Node;
pub use scope::{Binding, Name};
