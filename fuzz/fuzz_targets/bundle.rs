//! A git bundle, as `evolve` takes it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let scratch = tempfile::tempdir().expect("a folder");
    let Ok(files) = snapshots::unbundle(bytes, scratch.path()) else { return };
    for path in files.keys() {
        assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path}");
    }
});
