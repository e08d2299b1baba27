//! Reading server-sent events from bytes as they come (WHATWG HTML, section 9.2), with a limit on each event.

/// Largest event that is read, in bytes.
pub const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// Its id, if it carries one.
    pub id: Option<String>,
    /// Its name; "" for none.
    pub event: String,
    /// Its data, lines joined by line feeds.
    pub data: String,
}

/// An event is larger than the reader's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than its limit")]
pub struct EventTooLarge;

/// Turns bytes into events. Bytes may be split anywhere.
#[derive(Debug, Default)]
pub struct EventReader {
    line: Vec<u8>,
    /// A carriage return ended the last line; a line feed right after belongs to it.
    after_return: bool,
    begun: bool,
    event: ServerEvent,
    has_data: bool,
    ready: std::collections::VecDeque<ServerEvent>,
}

impl EventReader {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes in.
    ///
    /// # Errors
    /// [`EventTooLarge`].
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), EventTooLarge> {
        for &byte in bytes {
            let follows_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if follows_return => {}
                b'\n' => self.end_line(),
                b'\r' => {
                    self.after_return = true;
                    self.end_line();
                }
                _ => self.line.push(byte),
            }
            if self.line.len() + self.event.data.len() > MAX_EVENT_BYTES {
                return Err(EventTooLarge);
            }
        }
        Ok(())
    }

    /// The next whole event, if there is one.
    pub fn next_event(&mut self) -> Option<ServerEvent> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let mut line = String::from_utf8_lossy(&line).into_owned();
        if !std::mem::replace(&mut self.begun, true)
            && let Some(rest) = line.strip_prefix('\u{feff}')
        {
            line = rest.to_owned();
        }
        if line.is_empty() {
            let mut event = std::mem::take(&mut self.event);
            if std::mem::take(&mut self.has_data) {
                event.data.pop();
                self.ready.push_back(event);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                self.has_data = true;
                self.event.data.push_str(value);
                self.event.data.push('\n');
            }
            "event" => value.clone_into(&mut self.event.event),
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            // `retry` and what nobody knows; a line that begins with a colon is a comment.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(chunks: &[&[u8]]) -> Vec<ServerEvent> {
        let mut reader = EventReader::new();
        for chunk in chunks {
            reader.feed(chunk).unwrap();
        }
        std::iter::from_fn(|| reader.next_event()).collect()
    }

    #[test]
    fn events_are_read_by_the_standard() {
        let text =
            b"\xef\xbb\xbf: hello\n\nid: 7\ndata: one\ndata:two\r\n\r\nevent: x\rdata\r\rdata: unfinished\n";
        let events = read(&[text]);
        assert_eq!(events.len(), 2);
        assert_eq!((events[0].id.as_deref(), events[0].data.as_str()), (Some("7"), "one\ntwo"));
        assert_eq!((events[1].event.as_str(), events[1].data.as_str()), ("x", ""));
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut reader = EventReader::new();
        let chunk = vec![b'x'; 1024 * 1024];
        let refused = (0..32).find_map(|_| reader.feed(&chunk).err());
        assert_eq!(refused, Some(EventTooLarge));
    }

    proptest! {
        /// However the bytes are split, the events are the same.
        #[test]
        fn splits_do_not_matter(
            text in proptest::collection::vec(
                prop_oneof!["data: [a-z]{0,4}", "id: [0-9]", ": c", "event: e", "[a-z]{0,3}", "\n", "\r", "\r\n"],
                0..40,
            ),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let bytes = text.concat().into_bytes();
            let whole = read(&[&bytes]);
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in at {
                chunks.push(&bytes[from..cut]);
                from = cut;
            }
            chunks.push(&bytes[from..]);
            prop_assert_eq!(read(&chunks), whole);
        }

        /// No bytes make the reader fail.
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&[&bytes]);
        }
    }
}
