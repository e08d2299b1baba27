//! A limit by the second: of a client's commands, of wrong tokens.

/// Counts what comes in a second.
pub(crate) struct Pace {
    most: u32,
    second: i64,
    count: u32,
}

impl Pace {
    /// A limit of so many a second.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, second: 0, count: 0 }
    }

    /// Whether one more is permitted now, in Unix milliseconds.
    pub(crate) fn permits(&mut self, now_ms: i64) -> bool {
        if now_ms / 1000 != self.second {
            (self.second, self.count) = (now_ms / 1000, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn a_new_second_permits_anew() {
        let mut pace = Pace::new(2);
        let permitted: Vec<bool> = [1000, 1500, 1999, 2000].map(|now| pace.permits(now)).into();
        assert_eq!(permitted, [true, true, false, true]);
    }
}
