//! What the face itself does, counted: clients, frames, what they missed, how late events reach them, requests by status.

use crate::routes::metrics::Page;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Upper bounds of durations, in seconds.
const BOUNDS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0];

/// Durations by size.
#[derive(Debug, Default, Clone)]
pub(crate) struct Durations {
    counts: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Durations {
    /// Adds one, in seconds.
    pub(crate) fn add(&mut self, seconds: f64) {
        for (count, _) in self.counts.iter_mut().zip(BOUNDS).filter(|(_, bound)| seconds <= *bound) {
            *count += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }

    /// Each bound with how many lie at or below it.
    pub(crate) fn buckets(&self) -> [(f64, u64); BOUNDS.len()] {
        let mut buckets = [(0.0, 0); BOUNDS.len()];
        for (place, (bound, count)) in buckets.iter_mut().zip(BOUNDS.into_iter().zip(self.counts)) {
            *place = (bound, count);
        }
        buckets
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Their sum, in seconds.
    pub(crate) fn sum(&self) -> f64 {
        self.sum
    }
}

/// The counts.
#[derive(Default)]
pub(crate) struct Meter {
    /// WebSocket clients now.
    pub(crate) clients: AtomicUsize,
    /// Frames sent to them.
    pub(crate) frames: AtomicU64,
    /// Bytes of these.
    pub(crate) bytes: AtomicU64,
    /// Records that clients were told they missed.
    pub(crate) missed: AtomicU64,
    /// Clients that were let go because they took nothing.
    pub(crate) stalled: AtomicU64,
    /// Requests by the first digit of their status, from 1.
    requests: [AtomicU64; 5],
    /// From an event's record to its frame.
    delivery: Mutex<Durations>,
}

impl Meter {
    /// Counts an answered request.
    pub(crate) fn answered(&self, status: u16) {
        if let Some(count) = self.requests.get(usize::from(status / 100).saturating_sub(1)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a frame, by its size in bytes.
    pub(crate) fn sent(&self, bytes: usize) {
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes how late an event reached a socket, in milliseconds.
    pub(crate) fn delivered(&self, late_ms: i64) {
        let seconds = late_ms.max(0) as f64 / 1000.0;
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner).add(seconds);
    }

    /// Puts the counts on a page of figures.
    pub(crate) fn show(&self, page: &mut Page) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        let clients = self.clients.load(Ordering::Relaxed) as f64;
        page.gauge("websocket_clients", "WebSocket clients now.", "", clients);
        page.counter("websocket_frames_total", "Frames sent to clients.", "", read(&self.frames));
        page.counter("websocket_bytes_total", "Bytes of these frames.", "", read(&self.bytes));
        page.counter(
            "websocket_missed_total",
            "Records that clients were told they missed.",
            "",
            read(&self.missed),
        );
        page.counter(
            "websocket_stalled_total",
            "Clients let go because they took nothing.",
            "",
            read(&self.stalled),
        );
        for (place, count) in self.requests.iter().enumerate() {
            let labels = format!("status=\"{}xx\"", place + 1);
            page.counter("http_requests_total", "Requests by status.", &labels, read(count));
        }
        let delivery = self.delivery.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let told = (delivery.buckets(), delivery.count(), delivery.sum());
        let help = "From an event's record to its frame, the batch interval included.";
        page.histogram("delivery_seconds", help, "", (&told.0, told.1, told.2));
    }
}
