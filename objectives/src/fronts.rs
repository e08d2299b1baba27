//! Fronts: who is dominated by nobody (rank 1), who by members of rank 1 only (rank 2), and so on.
//!
//! Two ways to the same ranks: [`non_dominated_sort`] for many points at once, [`RankedArchive`] for one point more.
//! Within a front [`crowding_distance`] tells how alone a member is. All costs are minimised.

mod archive;
mod bitset;
mod crowding;
mod sort;

pub use archive::RankedArchive;
pub use crowding::crowding_distance;
pub use sort::{non_dominated_sort, rank_rows};
