//! A stream of server-sent events: the same events in however many pieces it comes.
#![no_main]

use a2a::client::EventReader;

fn read<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Option<Vec<String>> {
    let mut reader = EventReader::new();
    let mut found = Vec::new();
    for piece in pieces {
        reader.feed(piece).ok()?;
        while let Some(event) = reader.next_event() {
            found.push(format!("{event:?}"));
        }
    }
    Some(found)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert_eq!(read([bytes].into_iter()), read(bytes.chunks(1)));
});
