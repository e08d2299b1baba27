//! Server-sent events as bytes come in: only the `data` of each event matters here (the WHATWG's standard, "Server-sent
//! events").

use crate::error::ModelError;

/// Largest event, in bytes.
const MAX_EVENT: usize = 1 << 20;

/// Cuts bytes into events.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pending: Vec<u8>,
    data: String,
}

impl Events {
    /// Takes bytes and hands each finished event's data to `take`.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        take: &mut dyn FnMut(&str) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        self.pending.extend_from_slice(bytes);
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            self.line(&String::from_utf8_lossy(&line), take)?;
        }
        if self.pending.len() + self.data.len() > MAX_EVENT {
            Err(ModelError::TooLarge(MAX_EVENT))
        } else {
            Ok(())
        }
    }

    /// Hands over the event that a stream without a last empty line leaves behind.
    pub(crate) fn finish(
        mut self,
        take: &mut dyn FnMut(&str) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let rest = std::mem::take(&mut self.pending);
        self.line(&String::from_utf8_lossy(&rest), take)?;
        self.line("", take)
    }

    fn line(
        &mut self,
        line: &str,
        take: &mut dyn FnMut(&str) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let line = line.trim_end_matches(['\n', '\r']);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return if data.is_empty() { Ok(()) } else { take(&data) };
        }
        if let Some(data) = line.strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let (mut reader, mut found) = (Events::default(), Vec::new());
        let mut take = |data: &str| {
            found.push(data.to_owned());
            Ok(())
        };
        for piece in pieces {
            reader.push(piece, &mut take).unwrap();
        }
        reader.finish(&mut take).unwrap();
        found
    }

    #[test]
    fn events_are_found_however_the_bytes_come() {
        let text = b": hello\r\nevent: x\r\ndata: {\"a\":1}\r\n\r\ndata: two\ndata: lines\n\ndata: [DONE]";
        let wanted = ["{\"a\":1}", "two\nlines", "[DONE]"];
        assert_eq!(events(&[text]), wanted);
        assert_eq!(events(&text.chunks(1).collect::<Vec<_>>()), wanted);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_cutting_changes_nothing(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1usize..9,
        ) {
            prop_assert_eq!(events(&[&bytes]), events(&bytes.chunks(size).collect::<Vec<_>>()));
        }
    }
}
