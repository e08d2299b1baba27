//! Following a stream: a cursor over the log, a small buffer of records read ahead, and a wake-up signal.
//!
//! The log is the only queue. An append never hands records to a subscriber, it only moves a number and wakes who
//! waits, so a slow subscriber costs the writer nothing and misses nothing: it reads on from where it was. Records
//! of another process raise no signal here; a waiting subscriber looks into the log at [`POLL_INTERVAL`] instead.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::{Record, StoreError};

/// Most records that a subscription buffers.
pub const SUBSCRIPTION_PAGE_RECORDS: usize = 256;
/// How often a waiting subscription looks for records of another process.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Where a subscription reads; a backend's shared part.
pub(crate) trait Pages: Send + Sync {
    fn page(&self, stream: &str, after: u64, limit: usize) -> Result<Vec<Record>, StoreError>;
}

/// A cursor that follows one stream. It may be moved to another thread; it keeps the store open.
pub struct Subscription {
    pages: Arc<dyn Pages>,
    signal: Arc<Signal>,
    stream: String,
    /// Sequence number of the newest record in the buffer, or of the last one given if the buffer is empty.
    read_up_to: u64,
    buffer: VecDeque<Record>,
}

impl Subscription {
    pub(crate) fn new(pages: Arc<dyn Pages>, signals: &Signals, stream: &str, after: u64) -> Self {
        let signal = signals.register(stream);
        Self { pages, signal, stream: stream.to_owned(), read_up_to: after, buffer: VecDeque::new() }
    }

    /// The next record; waits for it as long as it takes.
    ///
    /// # Errors
    /// The backend's faults; the subscription stays where it was and may be asked again.
    pub fn recv(&mut self) -> Result<Record, StoreError> {
        loop {
            if let Some(record) = self.try_recv()? {
                return Ok(record);
            }
            self.signal.wait_beyond(self.read_up_to, POLL_INTERVAL);
        }
    }

    /// The next record, or `None` when there was none within `timeout`.
    ///
    /// # Errors
    /// As `recv`.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Option<Record>, StoreError> {
        let start = Instant::now();
        loop {
            if let Some(record) = self.try_recv()? {
                return Ok(Some(record));
            }
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            self.signal.wait_beyond(self.read_up_to, left.min(POLL_INTERVAL));
        }
    }

    /// The next record if the log holds it already.
    ///
    /// # Errors
    /// As `recv`.
    pub fn try_recv(&mut self) -> Result<Option<Record>, StoreError> {
        if self.buffer.is_empty() {
            let page = self.pages.page(&self.stream, self.read_up_to, SUBSCRIPTION_PAGE_RECORDS)?;
            if let Some(newest) = page.last() {
                self.read_up_to = newest.seq;
            }
            self.buffer = page.into();
        }
        Ok(self.buffer.pop_front())
    }

    /// Name of the stream.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }
}

/// Wakes the subscribers of one stream.
struct Signal {
    newest: Mutex<u64>,
    moved: Condvar,
}

impl Signal {
    /// Returns once a record beyond `seq` was announced, at the latest after `limit`; spurious returns are harmless.
    fn wait_beyond(&self, seq: u64, limit: Duration) {
        let newest = lock(&self.newest);
        if *newest <= seq {
            drop(self.moved.wait_timeout(newest, limit));
        }
    }
}

/// The signals of all streams that somebody in this process follows.
#[derive(Default)]
pub(crate) struct Signals {
    by_stream: Mutex<HashMap<String, Weak<Signal>>>,
}

impl Signals {
    fn register(&self, stream: &str) -> Arc<Signal> {
        let mut by_stream = lock(&self.by_stream);
        if let Some(signal) = by_stream.get(stream).and_then(Weak::upgrade) {
            return signal;
        }
        // Signals of streams that nobody follows any more go here, so the map is bounded by live subscriptions.
        by_stream.retain(|_, signal| signal.strong_count() > 0);
        let signal = Arc::new(Signal { newest: Mutex::new(0), moved: Condvar::new() });
        by_stream.insert(stream.to_owned(), Arc::downgrade(&signal));
        signal
    }

    /// Tells the followers of `stream` that records up to `newest` are committed.
    pub(crate) fn announce(&self, stream: &str, newest: u64) {
        let signal = lock(&self.by_stream).get(stream).and_then(Weak::upgrade);
        if let Some(signal) = signal {
            let mut known = lock(&signal.newest);
            *known = newest.max(*known);
            signal.moved.notify_all();
        }
    }
}

/// Locks a mutex whose content stays whole even if a holder panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
