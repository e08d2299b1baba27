//! A launcher alone, for this crate's own tests; the `darwind` binary is one too.

fn main() {
    if std::env::args().nth(1).as_deref() == Some(sandbox::cell::LAUNCHER_ARGUMENT) {
        sandbox::cell::launcher_main();
    }
}
