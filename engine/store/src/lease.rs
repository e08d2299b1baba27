//! Leases: who may do something now, with a fencing token, for several processes over one store.
//! The rules are pure functions of the row kept and the time handed in, so that every backend agrees; a backend
//! only keeps the row and runs the rule in a transaction. Not here: a clock, or a thread that renews.
//!
//! Fencing tokens: M. Kleppmann, "How to do distributed locking" (2016); Burrows, "The Chubby lock service" (2006).

use crate::StoreError;
use crate::record::{MAX_NAME_BYTES, check_name};

/// Longest name of an owner, in bytes of UTF-8.
pub const MAX_OWNER_BYTES: usize = 256;

/// A lease that its owner holds until `expires_ms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// Who holds it; unique to a process, for two owners of one name would share the lease.
    pub owner: String,
    /// Fencing token: 1 for the first holder, one more with each new holding. Whoever sees a higher token knows that
    /// all lower ones have lost the lease.
    pub token: u64,
    /// When it ends unless renewed, in unix milliseconds.
    pub expires_ms: i64,
}

/// Why a lease was not given, renewed or released.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Somebody else holds it.
    #[error("`{name}` is held by {owner} until unix time {expires_ms} ms; wait for it, or stop that process")]
    HeldBy {
        /// What is leased.
        name: String,
        /// Who holds it.
        owner: String,
        /// When it ends unless renewed, in unix milliseconds.
        expires_ms: i64,
        /// The holder's fencing token.
        token: u64,
    },
    /// The caller held it once, but somebody took it after it expired, or it was released.
    #[error("the lease on `{name}` with token {token} is lost; stop what it protected and acquire it again")]
    Lost {
        /// What was leased.
        name: String,
        /// The caller's token.
        token: u64,
    },
    /// A lease must last.
    #[error("a lease must last at least 1 ms, not {ttl_ms} ms")]
    TimeToLive {
        /// What was asked for, in milliseconds.
        ttl_ms: i64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Leases by name, shared by all processes that open the same store.
pub trait Leases: Send + Sync {
    /// Takes the lease if it is free or has expired by `now_ms`, until `now_ms + ttl_ms`. The owner that already holds
    /// it gets it renewed with the same token; any other acquisition has a token higher than all before.
    ///
    /// # Errors
    /// [`LeaseError::HeldBy`] while another owner holds it; [`LeaseError::TimeToLive`]; the store's faults.
    fn acquire(&self, name: &str, owner: &str, now_ms: i64, ttl_ms: i64) -> Result<Lease, LeaseError>;

    /// Prolongs the lease until `now_ms + ttl_ms`. An expired lease that nobody took since is still the owner's.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] when somebody took it or it was released; [`LeaseError::TimeToLive`]; the store's faults.
    fn renew(&self, lease: &Lease, now_ms: i64, ttl_ms: i64) -> Result<Lease, LeaseError>;

    /// Gives the lease back.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] when it was no longer the caller's; the store's faults.
    fn release(&self, lease: &Lease) -> Result<(), LeaseError>;

    /// Who holds the lease at `now_ms`, if anybody.
    ///
    /// # Errors
    /// The store's faults.
    fn holder(&self, name: &str, now_ms: i64) -> Result<Option<Lease>, LeaseError>;
}

/// What a backend keeps of a lease. It outlives every holder, so that the token never starts again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeaseRow {
    /// `None` once released.
    pub(crate) owner: Option<String>,
    pub(crate) token: u64,
    pub(crate) expires_ms: i64,
}

impl LeaseRow {
    /// The row as a lease if somebody holds it at `now_ms`.
    pub(crate) fn held(self, name: &str, now_ms: i64) -> Option<Lease> {
        let owner = self.owner.filter(|_| self.expires_ms > now_ms)?;
        Some(Lease { name: name.to_owned(), owner, token: self.token, expires_ms: self.expires_ms })
    }
}

/// The rule of `acquire`: the lease to keep, given the row before.
pub(crate) fn grant(
    row: Option<LeaseRow>,
    name: &str,
    owner: &str,
    now_ms: i64,
    ttl_ms: i64,
) -> Result<Lease, LeaseError> {
    check_name("lease name", name, MAX_NAME_BYTES)?;
    check_name("lease owner", owner, MAX_OWNER_BYTES)?;
    let expires_ms = expiry(now_ms, ttl_ms)?;
    let last_token = row.as_ref().map_or(0, |row| row.token);
    let token = match row.and_then(|row| row.held(name, now_ms)) {
        Some(held) if held.owner == owner => held.token,
        Some(Lease { name, owner, token, expires_ms }) => {
            return Err(LeaseError::HeldBy { name, owner, expires_ms, token });
        }
        None => last_token.saturating_add(1),
    };
    Ok(Lease { name: name.to_owned(), owner: owner.to_owned(), token, expires_ms })
}

/// The rule of `renew`.
pub(crate) fn prolong(
    row: Option<LeaseRow>,
    lease: &Lease,
    now_ms: i64,
    ttl_ms: i64,
) -> Result<Lease, LeaseError> {
    let expires_ms = expiry(now_ms, ttl_ms)?;
    check_owned(row, lease)?;
    Ok(Lease { expires_ms, ..lease.clone() })
}

/// Whether the row is still the caller's; the rule of `release`.
pub(crate) fn check_owned(row: Option<LeaseRow>, lease: &Lease) -> Result<(), LeaseError> {
    let owned =
        row.is_some_and(|row| row.token == lease.token && row.owner.as_deref() == Some(lease.owner.as_str()));
    if owned {
        return Ok(());
    }
    Err(LeaseError::Lost { name: lease.name.clone(), token: lease.token })
}

fn expiry(now_ms: i64, ttl_ms: i64) -> Result<i64, LeaseError> {
    if ttl_ms < 1 {
        return Err(LeaseError::TimeToLive { ttl_ms });
    }
    Ok(now_ms.saturating_add(ttl_ms))
}
