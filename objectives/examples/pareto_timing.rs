//! Times non-dominated sorting, and adding one point to a ranked archive, at 10,000 random points. Run with --release.

use objectives::Point;
use objectives::fronts::{RankedArchive, rank_rows};
use std::time::Instant;

const POINTS: usize = 10_000;
const REPEATS: usize = 9;

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "an example that measures and tells")]
fn main() {
    for m in [2, 3, 4, 5] {
        let mut state = 42u64;
        let rows: Vec<f64> = (0..POINTS * m)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1u64 << 53) as f64
            })
            .collect();
        let mut times: Vec<f64> = (0..REPEATS)
            .map(|_| {
                let began = Instant::now();
                std::hint::black_box(rank_rows(&rows, m));
                began.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let mut archive = RankedArchive::new(m);
        let points: Vec<Point> =
            rows.chunks_exact(m).filter_map(|row| Point::new(row.to_vec()).ok()).collect();
        let (head, tail) = points.split_at(POINTS - 1000);
        let mut add = |points: &[Point]| points.iter().map(|point| archive.insert(point)).max();
        std::hint::black_box(add(head));
        let began = Instant::now();
        std::hint::black_box(add(tail));
        let one = began.elapsed().as_secs_f64() / 1000.0;
        let sort = times.get(REPEATS / 2).copied().unwrap_or(0.0);
        println!(
            "n {POINTS} m {m}: sort {:.2} ms, one insertion {:.1} us ({:.0} times less)",
            sort * 1e3,
            one * 1e6,
            sort / one
        );
    }
}
