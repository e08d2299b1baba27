//! Which system calls are denied in cells, which of them are counted, and which are answered without being made: tables
//! alone, of which `filter.rs` makes programs for the kernel.

/// Numbers that `libc` lacks for some targets. Those above 423 are the same on every architecture, see
/// asm-generic/unistd.h and, for the first, the table of each.
const KEXEC_FILE_LOAD: libc::c_long = if cfg!(target_arch = "x86_64") { 320 } else { 294 };
const FCHMODAT2: libc::c_long = 452;
const SETXATTRAT: libc::c_long = 463;
const REMOVEXATTRAT: libc::c_long = 466;
const OPEN_TREE_ATTR: libc::c_long = 467;
const FILE_SETATTR: libc::c_long = 469;

/// Calls whose attempt is worth counting: no harmless program makes them, and an escape begins with them.
pub(super) const COUNTED: &[(libc::c_long, &str)] = &[
    (libc::SYS_socket, "socket"),
    (libc::SYS_ptrace, "ptrace"),
    (libc::SYS_process_vm_readv, "process_vm_readv"),
    (libc::SYS_process_vm_writev, "process_vm_writev"),
    (libc::SYS_mount, "mount"),
    (libc::SYS_umount2, "umount2"),
    (libc::SYS_unshare, "unshare"),
    (libc::SYS_setns, "setns"),
    (libc::SYS_bpf, "bpf"),
    (libc::SYS_pivot_root, "pivot_root"),
    (libc::SYS_chroot, "chroot"),
    (libc::SYS_keyctl, "keyctl"),
    (libc::SYS_add_key, "add_key"),
    (libc::SYS_request_key, "request_key"),
    (libc::SYS_perf_event_open, "perf_event_open"),
    (libc::SYS_userfaultfd, "userfaultfd"),
    (libc::SYS_io_uring_setup, "io_uring_setup"),
    (libc::SYS_init_module, "init_module"),
    (libc::SYS_finit_module, "finit_module"),
    (libc::SYS_kexec_load, "kexec_load"),
    (libc::SYS_memfd_secret, "memfd_secret"),
];

/// Calls that are denied without a count.
pub(super) const DENIED: &[libc::c_long] = &[
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    KEXEC_FILE_LOAD,
    libc::SYS_delete_module,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_personality,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Memory that no process holds and no file system limits.
    libc::SYS_memfd_create,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_mknodat,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_mbind,
    libc::SYS_set_mempolicy,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_ioprio_set,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
];

/// Calls of this architecture alone.
#[cfg(target_arch = "x86_64")]
pub(super) const DENIED_HERE: &[libc::c_long] = &[
    libc::SYS_mknod,
    libc::SYS_inotify_init,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
];
#[cfg(not(target_arch = "x86_64"))]
pub(super) const DENIED_HERE: &[libc::c_long] = &[];

/// Calls denied as well where no process namespace holds the tree together and no file system of its own holds its names:
/// they would let it leave its group, reach its neighbours, or name what is not its own. In a contained cell links lead
/// nowhere else, and named semaphores are made by them, see sem_open(3).
pub(super) const DENIED_FENCED: &[libc::c_long] =
    &[libc::SYS_setsid, libc::SYS_setpgid, libc::SYS_pidfd_open, libc::SYS_linkat, libc::SYS_symlinkat];
#[cfg(target_arch = "x86_64")]
pub(super) const DENIED_FENCED_HERE: &[libc::c_long] = &[libc::SYS_link, libc::SYS_symlink];
#[cfg(not(target_arch = "x86_64"))]
pub(super) const DENIED_FENCED_HERE: &[libc::c_long] = &[];

/// Calls whose argument of this number names a process, and which fenced cells may make on themselves alone: zero.
pub(super) const SELF_ONLY_FENCED: &[(libc::c_long, u8)] = &[
    (libc::SYS_prlimit64, 0),
    (libc::SYS_sched_setaffinity, 0),
    (libc::SYS_setpriority, 0),
    (libc::SYS_setpriority, 1),
];

/// Requests of `ioctl` that are denied: typing into a terminal on somebody's behalf, and attributes of files, which
/// Landlock does not govern. The last two are `FS_IOC_SETFLAGS` and `FS_IOC_FSSETXATTR` of linux/fs.h.
pub(super) const DENIED_REQUESTS: &[u32] = &[0x5412, 0x541c, 0x4008_6602, 0x401c_5820];

/// Calls on the bodies of others, denied to fenced cells whose kernel has a Landlock without scopes (before version 6)
/// or without truncation (before version 3). Raising a signal in oneself goes the same way, so it is lost too.
pub(super) const DENIED_UNSCOPED: &[libc::c_long] = &[
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_send_signal,
    libc::SYS_truncate,
];

/// Calls that change files' attributes, which Landlock does not govern. Fenced cells are told that they succeeded, and
/// nothing happens: tools that tidy up permissions go on.
pub(super) const IGNORED_FENCED: &[libc::c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
];
#[cfg(target_arch = "x86_64")]
pub(super) const IGNORED_FENCED_HERE: &[libc::c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
pub(super) const IGNORED_FENCED_HERE: &[libc::c_long] = &[];
