//! Who holds a lease, in words that tell whether the process still lives: its number and start time, the space of process
//! numbers that the number belongs to, and the boot of the machine. Not here: the lease.

use std::path::Path;

/// A name for this process as a holder; `nonce` tells two holders in it apart.
pub(crate) fn of_this_process(nonce: &str) -> String {
    let pid = std::process::id();
    let place = place().unwrap_or_default();
    format!("{pid} {} {place} {nonce}", started(pid).unwrap_or_default())
}

/// Whether the holder by this name was a process of this machine and is no more. Where that cannot be told, it is not gone.
pub(crate) fn is_gone(owner: &str) -> bool {
    let mut words = owner.split(' ');
    let (Some(pid), Some(start), Some(space), Some(boot)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let Ok(pid) = pid.parse() else { return false };
    let here = place().is_some_and(|place| place == format!("{space} {boot}"));
    here && !start.is_empty() && started(pid).is_none_or(|now| now != start)
}

/// When a process started, in the kernel's ticks since boot: field 22 of proc_pid_stat(5). None when there is no such
/// process, or only what its parent has not collected yet.
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    // The second field, the name, may hold anything; what follows its last parenthesis counts from field 3.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let alive = !matches!(fields.next()?, "Z" | "X");
    fields.nth(18).filter(|_| alive).map(str::to_owned)
}

/// The space of process numbers, and the boot of the machine.
fn place() -> Option<String> {
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{} {}", space.display(), boot.trim()))
}

#[cfg(test)]
mod tests {
    use super::{is_gone, of_this_process};

    #[test]
    fn the_living_are_not_gone_and_the_dead_are() {
        let own = of_this_process("1");
        assert!(!is_gone(&own));
        let (pid, rest) = own.split_once(' ').unwrap();
        let (start, place) = rest.split_once(' ').unwrap();
        assert!(is_gone(&format!("{pid} {start}0 {place}")), "the number was given to another process");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(is_gone(&format!("{} {start} {place}", child.id())));
    }

    #[test]
    fn what_cannot_be_told_is_not_gone() {
        assert!(!is_gone("somebody"));
        assert!(!is_gone("1 2 pid:[1] another-boot x"));
    }
}
