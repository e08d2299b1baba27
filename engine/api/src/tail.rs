//! The newest records of a run as they travel, written once for all who follow it. So two hundred clients cost one
//! serialisation and no look into the log; who has fallen further behind reads the log itself.

use crate::records;
use evolution::id::RunId;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::sync::Arc;
use store::Record;

/// Records held.
const MAX_RECORDS: usize = 4096;
/// Bytes of them held.
const MAX_BYTES: usize = 4 << 20;

/// A record as it travels to a dashboard.
pub(crate) struct Told {
    /// Its place in the log.
    pub(crate) seq: u64,
    /// When it was recorded, Unix milliseconds.
    pub(crate) time_ms: i64,
    /// Its JSON.
    pub(crate) json: Arc<RawValue>,
}

impl Told {
    /// None when it cannot be written, which no record of a log is.
    pub(crate) fn new(run: &RunId, record: Record) -> Option<Self> {
        let (seq, time_ms) = (record.seq, record.time_ms);
        let json = serde_json::value::to_raw_value(&records::trimmed(run, record)).ok()?;
        Some(Self { seq, time_ms, json: json.into() })
    }
}

/// The newest records, without a gap.
#[derive(Default)]
pub(crate) struct Tail {
    records: VecDeque<Arc<Told>>,
    bytes: usize,
}

impl Tail {
    /// Appends the next record; the oldest go where there is no room.
    pub(crate) fn push(&mut self, run: &RunId, record: Record) {
        let Some(told) = Told::new(run, record) else {
            self.records.clear();
            self.bytes = 0;
            return;
        };
        self.bytes += told.json.get().len();
        self.records.push_back(Arc::new(told));
        while self.records.len() > MAX_RECORDS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.records.pop_front() else { return };
            self.bytes -= oldest.json.get().len();
        }
    }

    /// At most `most` records after `after`; none when one of them is not held any more.
    pub(crate) fn after(&self, after: u64, most: usize) -> Option<Vec<Arc<Told>>> {
        let first = self.records.front()?.seq;
        let skipped = (after + 1).checked_sub(first)?;
        let skipped = usize::try_from(skipped).ok()?;
        Some(self.records.iter().skip(skipped).take(most).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_RECORDS, Tail};
    use evolution::id::RunId;
    use store::Record;

    fn record(seq: u64) -> Record {
        let (stream, kind) = ("run/r".to_owned(), "run_paused".to_owned());
        Record { stream, seq, kind, time_ms: 0, data: serde_json::json!({ "reason": "" }) }
    }

    #[test]
    fn what_is_held_is_given_and_the_rest_is_left_to_the_log() {
        let (run, mut tail) = (RunId::new("r"), Tail::default());
        assert!(tail.after(0, 10).is_none());
        let last = MAX_RECORDS as u64 + 10;
        (1..=last).for_each(|seq| tail.push(&run, record(seq)));
        assert!(tail.after(9, 10).is_none(), "record 10 is gone");
        let seqs =
            |after, most| tail.after(after, most).unwrap().iter().map(|told| told.seq).collect::<Vec<_>>();
        assert_eq!(seqs(10, 3), [11, 12, 13]);
        assert_eq!(seqs(last - 1, 3), [last]);
        assert!(seqs(last, 3).is_empty());
    }
}
