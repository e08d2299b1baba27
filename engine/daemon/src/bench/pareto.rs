//! Non-dominated sorting of random points, and adding one point to an archive that is ranked already. Uniform points in
//! the unit box, the usual test of such sorting; seeded, so that every run sorts the same.

use crate::cli::ParetoFlags;
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;
use objectives::fronts::{RankedArchive, rank_rows};
use objectives::{MAX_OBJECTIVES, Point};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Seed of the points.
const SEED: u64 = 1;
/// Points that are added to the archive to measure one.
const ADDED: usize = 100;

/// One size.
#[derive(Debug, Serialize)]
struct Line {
    /// Points.
    n: usize,
    /// Objectives.
    m: usize,
    /// Seconds of one sorting, the quickest of all repetitions.
    seconds: f64,
    /// Fronts that it found.
    fronts: u32,
    /// Seconds of adding one point to a ranked archive of n, the mean of some.
    insert_seconds: f64,
    /// The same over one sorting.
    insert_to_sort: f64,
}

/// `darwind bench pareto`.
pub(super) fn measure(flags: &ParetoFlags, terminal: Terminal) -> Result<Exit, Failure> {
    let mut lines = Vec::new();
    for objectives in &flags.objectives {
        let m = usize::from(*objectives);
        if !(1..=MAX_OBJECTIVES).contains(&m) {
            return Err(Failure::usage(
                format!("{m} objectives cannot be sorted"),
                format!("from 1 to {MAX_OBJECTIVES} can"),
            ));
        }
        let n = usize::try_from(flags.points).unwrap_or(usize::MAX);
        lines.push(one(n, m, flags.repeat));
    }
    if terminal.wants_json() {
        terminal.json(&lines)?;
        return Ok(Exit::Done);
    }
    for line in &lines {
        terminal.line(&format!(
            "{} points, {} objectives: {:.3} ms a sorting into {} fronts, {:.1} µs to add one ({:.4} of a sorting)",
            line.n,
            line.m,
            line.seconds * 1e3,
            line.fronts,
            line.insert_seconds * 1e6,
            line.insert_to_sort
        ))?;
    }
    Ok(Exit::Done)
}

fn one(n: usize, m: usize, repeat: u32) -> Line {
    let mut rng = StdRng::seed_from_u64(SEED);
    let rows: Vec<f64> = (0..n * m).map(|_| rng.random::<f64>()).collect();
    let mut quickest = Duration::MAX;
    let mut fronts = 0;
    for _ in 0..repeat {
        let begun = Instant::now();
        let ranks = black_box(rank_rows(black_box(&rows), m));
        quickest = quickest.min(begun.elapsed());
        fronts = ranks.iter().copied().max().unwrap_or(0);
    }
    let mut archive = RankedArchive::new(m);
    for row in rows.chunks_exact(m) {
        if let Ok(point) = Point::new(row) {
            archive.insert(&point);
        }
    }
    let further: Vec<Point> = (0..ADDED)
        .filter_map(|_| Point::new((0..m).map(|_| rng.random::<f64>()).collect::<Vec<_>>()).ok())
        .collect();
    let begun = Instant::now();
    for point in &further {
        black_box(archive.insert(black_box(point)));
    }
    let insert_seconds = begun.elapsed().as_secs_f64() / further.len().max(1) as f64;
    let seconds = quickest.as_secs_f64();
    Line { n, m, seconds, fronts, insert_seconds, insert_to_sort: insert_seconds / seconds }
}
