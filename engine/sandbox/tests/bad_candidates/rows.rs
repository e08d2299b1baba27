//! What each bad candidate is to come to: the rows of the list, their limits, and the words by which each is reported.

use sandbox::cell::Limits;
use std::time::Duration;

/// One row.
pub(crate) struct Row {
    /// File name without its ending, also the row's name.
    pub(crate) file: &'static str,
    /// How the cell is to end.
    pub(crate) outcome: &'static str,
    /// What is to be reported beside it.
    pub(crate) words: &'static [&'static str],
    /// What differs from the suite's limits.
    pub(crate) limits: fn(&mut Limits),
    /// Runs one after the other in the same lane.
    pub(crate) runs: usize,
    /// Whether a fenced cell holds this by looking at it every now and then only, so that more than the limit may be
    /// had for a moment.
    pub(crate) sampled_when_fenced: bool,
}

const fn row(file: &'static str, outcome: &'static str, words: &'static [&'static str]) -> Row {
    Row { file, outcome, words, limits: |_| {}, runs: 1, sampled_when_fenced: false }
}

const fn sampled(row: Row) -> Row {
    Row { sampled_when_fenced: true, ..row }
}

const fn twice(row: Row) -> Row {
    Row { runs: 2, ..row }
}

const fn short(row: Row) -> Row {
    Row { limits: |limits| limits.wall = Duration::from_millis(700), ..row }
}

const fn little_cpu(row: Row) -> Row {
    Row { limits: |limits| limits.cpu = Duration::from_secs(1), ..row }
}

/// With room for the dead that nobody has waited for yet.
const fn many(row: Row) -> Row {
    let limits: fn(&mut Limits) = |limits| {
        limits.processes = 4000;
        limits.memory = 1 << 32;
    };
    Row { limits, ..row }
}

/// The same, and short.
const fn many_short(row: Row) -> Row {
    let limits: fn(&mut Limits) = |limits| {
        limits.wall = Duration::from_millis(700);
        limits.processes = 4000;
        limits.memory = 1 << 32;
    };
    Row { limits, ..row }
}

/// The limits of the suite.
pub(crate) fn limits() -> Limits {
    const MIB: u64 = 1 << 20;
    Limits {
        wall: Duration::from_secs(30),
        cpu: Duration::from_secs(15),
        memory: 256 * MIB,
        processes: 32,
        disk: 16 * MIB,
        files: 1024,
        file_size: 8 * MIB,
        open_files: 128,
        output: MIB,
        report: MIB,
    }
}

/// All rows.
pub(crate) const ROWS: &[Row] = &[
    sampled(row("row_01_fork_bomb", "limit(pids)", &[])),
    sampled(row("row_02_thread_bomb", "limit(pids)", &[])),
    row("row_03_memory_hog", "limit(mem)", &[]),
    row("row_04_memory_children", "limit(mem)", &[]),
    short(row("row_05_infinite_loop", "timeout(wall)", &[])),
    little_cpu(row("row_05_infinite_loop", "timeout(cpu)", &[])),
    short(row("row_06_sleep", "timeout(wall)", &[])),
    row("row_07_daemon", "exited(0)", &[]),
    row("row_08_burning_children", "exited(0)", &[]),
    many(row("row_08_hopping_left", "exited(0)", &[])),
    many_short(row("row_08_hopping", "timeout(wall)", &[])),
    row("row_09_orphan_cpu", "exited(0)", &[]),
    sampled(row("row_10_zombies", "limit(pids)", &[])),
    short(row("row_11_stops_itself", "timeout(wall)", &[])),
    row("row_12_writes_outside", "exited(0)", &["denied"]),
    row("row_13_writes_system", "exited(0)", &["denied"]),
    row("row_14_symlinks", "exited(0)", &["denied"]),
    row("row_15_hard_links", "exited(0)", &["denied"]),
    row("row_16_secrets", "exited(0)", &["denied"]),
    row("row_17_daemon_proc", "exited(0)", &["denied"]),
    row("row_18_environments", "exited(0)", &[]),
    row("row_19_leaks", "exited(0)", &[]),
    row(
        "row_20_ptrace",
        "exited(0)",
        &["denied(ptrace)", "denied(process_vm_readv)", "denied(process_vm_writev)"],
    ),
    row("row_21_signals", "exited(0)", &["denied"]),
    row("row_22_limits_of_others", "exited(0)", &["denied"]),
    row("row_23_connects", "exited(0)", &["denied(socket)"]),
    row("row_24_sockets", "exited(0)", &["denied(socket)"]),
    row("row_24_socket_flood", "exited(0)", &["denied(socket)"]),
    row("row_25_unix_sockets", "exited(0)", &["denied(socket)"]),
    row("row_26_stdout_flood", "limit(output)", &[]),
    row("row_26_stderr_flood", "limit(output)", &[]),
    row("row_26_report_flood", "limit(output)", &[]),
    row("row_27_huge_file", "exited(0)", &["limit(disk)"]),
    sampled(row("row_28_disk_fill", "limit(disk)", &[])),
    sampled(row("row_29_inode_fill", "limit(files)", &[])),
    row("row_30_deep_tree", "limit(files)", &[]),
    row("row_31_descriptors", "exited(0)", &["limit(files)"]),
    row("row_32_watches", "exited(0)", &["denied"]),
    twice(row("row_33_shared_memory", "exited(0)", &["denied"])),
    row(
        "row_34_namespaces",
        "exited(0)",
        &[
            "denied(unshare)",
            "denied(mount)",
            "denied(umount2)",
            "denied(setns)",
            "denied(chroot)",
            "denied(pivot_root)",
        ],
    ),
    row(
        "row_35_kernel_calls",
        "exited(0)",
        &[
            "denied(bpf)",
            "denied(perf_event_open)",
            "denied(io_uring_setup)",
            "denied(userfaultfd)",
            "denied(keyctl)",
            "denied(add_key)",
            "denied(request_key)",
        ],
    ),
    row("row_36_control_groups", "exited(0)", &["denied"]),
    row("row_37_raises_limits", "exited(0)", &["denied"]),
    row("row_38_privileges", "exited(0)", &["denied"]),
    row("row_39_setuid_file", "exited(0)", &[]),
    row("row_40_attributes", "exited(0)", &[]),
    row("row_41_devices", "exited(0)", &["denied"]),
    row("row_42_core_dumps", "crashed(6)", &[]),
    row("row_43_null_read", "crashed(11)", &[]),
    row("row_43_deep_recursion", "crashed(11)", &[]),
    row("row_52_start_files", "exited(0)", &["denied"]),
    twice(row("row_58_state", "exited(0)", &[])),
];
