//! The log's side of the tasks: one thread writes every change, many in one append, and tells each task how far it is.
//!
//! Changes of all tasks lie in one line of segments (streams of the store named `a2a-tasks-NUMBER`), because a stream
//! for each of a million short tasks would outgrow the store. When there are more than [`KEPT_SEGMENTS`], tasks that
//! are still kept and stand in the oldest are written down anew, and the oldest goes. Appends expect the record number
//! that this process wrote last, so a second process on the same store is noticed and writes nothing between.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use store::{Expected, Log, MAX_BLOB_BYTES, MAX_RECORD_BYTES, NewRecord, StoreError};

use super::cell::{Cell, now_ms};
use super::change::Change;

/// Records of one segment before the next begins.
pub const SEGMENT_RECORDS: u64 = 8_192;
/// Segments kept before the oldest is emptied.
pub const KEPT_SEGMENTS: usize = 8;
/// Most changes in one append.
const MAX_BATCH: usize = 256;
/// Most bytes of one append, roughly; a record of a large message closes the batch.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Attempts at one append before the log counts as failed.
const ATTEMPTS: u32 = 4;
/// Pause before the second attempt; doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Names of segments begin so.
const PREFIX: &str = "a2a-tasks-";
/// Kind of the records.
const KIND: &str = "task";

/// Hands changes to the log's thread, or says at once that they are kept where there is no log.
pub(crate) struct Journal {
    sender: Option<mpsc::Sender<Entry>>,
    /// Tasks that ended, oldest first, for those who make room.
    ended: Mutex<VecDeque<String>>,
    failed: Arc<AtomicBool>,
}

struct Entry {
    cell: Arc<Cell>,
    seq: u64,
    at_ms: i64,
    change: Change,
}

/// What is read back from the log: each change with its task, in order.
pub(crate) struct Replayed {
    pub(crate) segment: u64,
    pub(crate) task: String,
    pub(crate) seq: u64,
    pub(crate) at_ms: i64,
    pub(crate) change: Change,
}

/// Where writing goes on.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    segments: VecDeque<u64>,
    newest_seq: u64,
}

impl Journal {
    /// No log: what memory holds is all there is.
    pub(crate) fn in_memory() -> Self {
        Self { sender: None, ended: Mutex::default(), failed: Arc::default() }
    }

    /// A journal on a log, and the thread that writes it. The thread ends once the journal is dropped.
    ///
    /// # Errors
    /// The operating system gave no thread.
    pub(crate) fn on(
        log: Arc<dyn Log>,
        position: Position,
        live: LiveCells,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = mpsc::channel();
        let failed = Arc::new(AtomicBool::new(false));
        let mut writer = Writer { log, position, live, failed: failed.clone() };
        let thread = std::thread::Builder::new()
            .name("a2a-journal".to_owned())
            .spawn(move || writer.run(&receiver))?;
        Ok((Self { sender: Some(sender), ended: Mutex::default(), failed }, thread))
    }

    /// Hands over a change. The queue is bounded by what feeds it: [`super::cell::MAX_UNWRITTEN`] changes for each
    /// of the tasks that may be alive at once.
    pub(crate) fn write(&self, cell: &Arc<Cell>, seq: u64, at_ms: i64, change: Change) {
        let Some(sender) = &self.sender else { return cell.set_written(seq) };
        if sender.send(Entry { cell: cell.clone(), seq, at_ms, change }).is_err() {
            cell.set_lost();
        }
    }

    /// Whether the log failed, after which nothing new is taken.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Notes that a task ended.
    pub(crate) fn ended(&self, cell: &Cell) {
        self.queue().push_back(cell.id.clone());
    }

    /// The task that ended longest ago, taken off the list.
    pub(crate) fn oldest_ended(&self) -> Option<String> {
        self.queue().pop_front()
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds the tasks that are still kept, for emptying a segment.
pub(crate) type LiveCells = Arc<Mutex<Option<Weak<dyn Fn() -> Vec<Arc<Cell>> + Send + Sync>>>>;

struct Writer {
    log: Arc<dyn Log>,
    position: Position,
    live: LiveCells,
    failed: Arc<AtomicBool>,
}

impl Writer {
    fn run(&mut self, receiver: &mpsc::Receiver<Entry>) {
        while let Ok(first) = receiver.recv() {
            let mut batch = vec![first];
            while batch.len() < MAX_BATCH
                && let Ok(entry) = receiver.try_recv()
            {
                batch.push(entry);
            }
            if self.failed.load(Ordering::Acquire) || self.write(&batch).is_err() {
                self.failed.store(true, Ordering::Release);
                for entry in &batch {
                    entry.cell.set_lost();
                }
                continue;
            }
            if self.position.newest_seq >= SEGMENT_RECORDS && self.next_segment().is_err() {
                self.failed.store(true, Ordering::Release);
            }
        }
    }

    fn write(&mut self, batch: &[Entry]) -> Result<(), StoreError> {
        let segment = self.position.newest();
        let (mut records, mut bytes, mut written) = (Vec::with_capacity(batch.len()), 0, 0);
        for (index, entry) in batch.iter().enumerate() {
            let (record, size) =
                self.record(segment, &entry.cell.id, entry.seq, entry.at_ms, &entry.change)?;
            if matches!(entry.change, Change::Stands(_)) {
                entry.cell.base.store(segment, Ordering::Release);
            }
            records.push(record);
            bytes += size;
            if bytes >= MAX_BATCH_BYTES {
                self.append(segment, &records)?;
                confirm(&batch[written..=index]);
                (bytes, written) = (0, index + 1);
                records.clear();
            }
        }
        self.append(segment, &records)?;
        confirm(&batch[written..]);
        Ok(())
    }

    /// A change as a record. What is too large for a record lies beside the stream, and the record says where.
    fn record(
        &self,
        segment: u64,
        task: &str,
        seq: u64,
        at_ms: i64,
        change: &Change,
    ) -> Result<(NewRecord, usize), StoreError> {
        const ENVELOPE_BYTES: usize = 1024;
        let encode = |error| StoreError::Backend { doing: "encode a task's change", source: Box::new(error) };
        let value = serde_json::to_value(change).map_err(encode)?;
        let text_bytes = crate::model::value_size(&value);
        // The estimate leaves room for escapes; only what comes near the limit is measured.
        let mut data = json!({ "task": task, "seq": seq });
        if text_bytes * 2 + ENVELOPE_BYTES > MAX_RECORD_BYTES {
            let text = serde_json::to_vec(&value).map_err(encode)?;
            if text.len() + ENVELOPE_BYTES > MAX_RECORD_BYTES {
                let size = text.len() as u64;
                if text.len() > MAX_BLOB_BYTES {
                    let limit = MAX_BLOB_BYTES as u64;
                    return Err(StoreError::TooLarge { what: "a task's change", size, limit });
                }
                let key = format!("{task}-{seq}");
                self.log.put_blob(&name(segment), &key, &text)?;
                data["beside"] = Value::String(key);
                return Ok((NewRecord { kind: KIND.to_owned(), time_ms: at_ms, data }, ENVELOPE_BYTES));
            }
        }
        data["change"] = value;
        Ok((NewRecord { kind: KIND.to_owned(), time_ms: at_ms, data }, text_bytes))
    }

    fn append(&mut self, segment: u64, records: &[NewRecord]) -> Result<(), StoreError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let expected = Expected::Exact(self.position.newest_seq);
            match self.log.append(&name(segment), expected, records) {
                Ok(newest) => {
                    self.position.newest_seq = newest;
                    return Ok(());
                }
                Err(error @ (StoreError::Conflict { .. } | StoreError::TooLarge { .. })) => {
                    return Err(error);
                }
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(_) => std::thread::sleep(pause),
            }
            pause *= 2;
        }
        Ok(())
    }

    /// Begins the next segment, and empties the oldest when there are enough.
    fn next_segment(&mut self) -> Result<(), StoreError> {
        let next = self.position.newest() + 1;
        self.position.segments.push_back(next);
        self.position.newest_seq = 0;
        if self.position.segments.len() <= KEPT_SEGMENTS {
            return Ok(());
        }
        let Some(oldest) = self.position.segments.pop_front() else { return Ok(()) };
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let cells = live.and_then(|live| live.upgrade()).map_or_else(Vec::new, |live| live());
        for cell in cells.iter().filter(|cell| cell.base.load(Ordering::Acquire) <= oldest) {
            // Changes that still wait for the log are in this standing too; reading back skips them by their number.
            let standing = cell.lock().standing.clone();
            let (seq, change) = (standing.seq, Change::Stands(Box::new(standing)));
            let (record, _) = self.record(next, &cell.id, seq, now_ms(), &change)?;
            self.append(next, &[record])?;
            cell.base.store(next, Ordering::Release);
        }
        self.log.clear(&name(oldest))
    }
}

/// Tells each task how far the log is.
fn confirm(entries: &[Entry]) {
    for entry in entries {
        entry.cell.set_written(entry.seq);
    }
}

fn name(segment: u64) -> String {
    format!("{PREFIX}{segment:010}")
}

impl Position {
    fn newest(&self) -> u64 {
        self.segments.back().copied().unwrap_or(1)
    }

    /// Reads the whole log back, oldest change first, and finds where writing goes on.
    ///
    /// # Errors
    /// The store's faults; a record that cannot be read is [`StoreError::Backend`].
    pub(crate) fn replay(log: &dyn Log, visit: &mut dyn FnMut(Replayed)) -> Result<Self, StoreError> {
        let mut segments: VecDeque<u64> = log
            .streams()?
            .iter()
            .filter_map(|summary| summary.name.strip_prefix(PREFIX)?.parse().ok())
            .collect();
        let mut newest_seq = 0;
        for &segment in &segments {
            newest_seq = 0;
            loop {
                let page = log.read(&name(segment), newest_seq, store::REPLAY_PAGE_RECORDS)?;
                let Some(last) = page.last() else { break };
                newest_seq = last.seq;
                for record in page {
                    visit(read_back(log, segment, record)?);
                }
            }
        }
        if segments.is_empty() {
            segments.push_back(1);
        }
        Ok(Self { segments, newest_seq })
    }
}

fn read_back(log: &dyn Log, segment: u64, mut record: store::Record) -> Result<Replayed, StoreError> {
    let fault = |error| StoreError::Backend { doing: "read a task's change back", source: Box::new(error) };
    let task = record.data["task"].as_str().unwrap_or_default().to_owned();
    let seq = record.data["seq"].as_u64().unwrap_or_default();
    let change = match record.data["beside"].as_str() {
        Some(key) => {
            let bytes = log.get_blob(&record.stream, key)?.unwrap_or_default();
            serde_json::from_slice(&bytes).map_err(fault)?
        }
        None => serde_json::from_value(record.data["change"].take()).map_err(fault)?,
    };
    Ok(Replayed { segment, task, seq, at_ms: record.time_ms, change })
}
