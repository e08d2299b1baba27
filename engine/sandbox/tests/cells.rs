//! Cells really launched, at every level that this host allows.
#![expect(clippy::expect_used, reason = "a test that cannot prepare its ground has failed")]

use sandbox::cell::{
    CellOutcome, Exit, Job, Lane, LaneOptions, Level, LimitKind, Limits, ProbeOptions, PromiseStatus,
    Received, establish,
};
use std::path::PathBuf;
use std::time::Duration;

fn lane(level: Level) -> (Lane, tempfile::TempDir) {
    let root = tempfile::tempdir().expect("a folder");
    let options = LaneOptions {
        launcher: env!("CARGO_BIN_EXE_darwind_cell").into(),
        level,
        root: root.path().to_owned(),
    };
    (Lane::start(options).expect("a launcher"), root)
}

fn shell(script: &str) -> Job {
    Job {
        argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        cwd: PathBuf::from("/"),
        stdin: Vec::new(),
        read_only: ["/bin", "/usr", "/lib", "/lib64"].iter().map(PathBuf::from).collect(),
        writable: vec![PathBuf::from("/tmp/scratch")],
        gateway: None,
        limits: Limits { wall: Duration::from_secs(5), ..Limits::default() },
    }
}

#[test]
fn a_cell_runs_and_reports() {
    for level in [Level::L1, Level::L2] {
        let (mut lane, _root) = lane(level);
        for _ in 0..3 {
            let report =
                lane.run(&shell("echo hello; echo oops >&2; echo note >&3; exit 7")).expect("a report");
            assert_eq!(report.outcome, CellOutcome::Exited, "{level}: {report:?}");
            assert_eq!(report.exit, Exit::Code(7), "{level}");
            assert_eq!(report.stdout, b"hello\n");
            assert_eq!(report.stderr, b"oops\n");
            assert_eq!(report.report, b"note\n");
        }
    }
}

#[test]
fn a_session_speaks_line_by_line() {
    for level in [Level::L1, Level::L2] {
        let (mut lane, _root) = lane(level);
        let mut session =
            lane.open(&shell("while read line <&4; do echo \"got $line\" >&3; done")).expect("a session");
        for word in ["one", "two"] {
            session.send(format!("{word}\n").as_bytes());
            let line = session.receive(Duration::from_secs(5));
            assert_eq!(line, Received::Line(format!("got {word}").into_bytes()), "{level}");
        }
        let report = session.finish().expect("a report");
        assert_eq!(report.exit, Exit::Code(0), "{level}: {report:?}");
    }
}

#[test]
fn an_endless_cell_is_killed_with_its_children() {
    for level in [Level::L1, Level::L2] {
        let (mut lane, _root) = lane(level);
        let mut job = shell("(sleep 1000 & sleep 1000 & ) ; while :; do :; done");
        job.limits.wall = Duration::from_millis(300);
        let report = lane.run(&job).expect("a report");
        assert_eq!(report.outcome, CellOutcome::WallTimeout, "{level}: {report:?}");
        let report = lane.run(&shell("echo again")).expect("a report");
        assert_eq!(report.stdout, b"again\n", "{level}: {report:?}");
    }
}

/// So many children, and then work during which there is time to look at them.
const CHILDREN: &str = "n=0; while [ $n -lt COUNT ]; do sleep 1000 & n=$((n + 1)); done; \
                        n=0; while [ $n -lt 300000 ]; do n=$((n + 1)); done";

#[test]
fn as_many_children_as_there_may_be_processes_are_no_bomb() {
    for level in [Level::L1, Level::L2] {
        let (mut lane, _root) = lane(level);
        let mut run = |count: u32| {
            let mut job = shell(&CHILDREN.replace("COUNT", &count.to_string()));
            job.limits = Limits { processes: 16, wall: Duration::from_secs(60), ..job.limits };
            lane.run(&job).expect("a report")
        };
        for count in [15, 16, 20] {
            let report = run(count);
            assert_eq!(
                (report.outcome.clone(), report.exit),
                (CellOutcome::Exited, Exit::Code(0)),
                "{level}: {count}: {report:?}"
            );
        }
        let report = run(40);
        let refused =
            report.exit != Exit::Code(0) || report.outcome == CellOutcome::Limit(LimitKind::Processes);
        assert!(refused, "{level}: {report:?}");
    }
}

#[test]
fn a_bill_that_may_lack_children_says_so() {
    for level in [Level::L1, Level::L2] {
        let (mut lane, _root) = lane(level);
        let mut job = shell("");
        job.argv = vec!["/bin/true".into()];
        let plain = lane.run(&job).expect("a report");
        assert!(plain.cpu_verified, "{level}: {plain:?}");
        // Whoever ignores the death of children makes the kernel forget what they cost.
        let hiding = lane.run(&shell("trap '' CHLD; /bin/true; exit 0")).expect("a report");
        assert_eq!(hiding.exit, Exit::Code(0), "{level}: {hiding:?}");
        assert!(!hiding.cpu_verified, "{level}: {hiding:?}");
    }
}

#[test]
fn a_level_is_established_by_probes_that_try_to_escape() {
    let scratch = tempfile::tempdir().expect("a folder");
    for max_level in [None, Some(Level::L2), Some(Level::L1)] {
        let options = ProbeOptions {
            launcher: env!("CARGO_BIN_EXE_darwind_cell").into(),
            max_level,
            scratch: scratch.path().to_owned(),
        };
        let began = std::time::Instant::now();
        let found = establish(&options);
        println!(
            "at most {max_level:?}: {:?} in {:?}; tried {:?}",
            found.level,
            began.elapsed(),
            found.levels
        );
        for promise in &found.promises {
            println!("  {:?} {} [{}] {}", promise.status, promise.name, promise.mechanism, promise.evidence);
            assert_eq!(
                promise.remedy.is_some(),
                promise.status != PromiseStatus::Held && found.level != Some(Level::L3)
            );
        }
        assert!(found.level.is_some(), "{:?}", found.levels);
        assert!(max_level.is_none_or(|most| found.level <= Some(most)));
        assert!(
            found.promises.iter().all(|promise| promise.status != PromiseStatus::Open),
            "{:?}",
            found.promises
        );
    }
}

/// A thread behind the filter of a container as Docker has it: no namespaces, no mounts, and `clone3` unknown.
fn enter_a_container() {
    use seccompiler::{
        SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
        apply_filter,
    };
    let namespaces = [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWPID, libc::CLONE_NEWNET];
    let clones = namespaces.map(|flag| {
        let flag = u64::from(flag.unsigned_abs());
        let condition = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), flag);
        SeccompRule::new(vec![condition.expect("a condition")]).expect("a rule")
    });
    let denied = [
        (libc::SYS_unshare, Vec::new()),
        (libc::SYS_mount, Vec::new()),
        (libc::SYS_setns, Vec::new()),
        (libc::SYS_clone, clones.to_vec()),
    ];
    let unknown = [(libc::SYS_clone3, Vec::new())];
    let rules = [(denied.to_vec(), libc::EPERM), (unknown.to_vec(), libc::ENOSYS)];
    for (calls, error) in rules {
        let architecture = std::env::consts::ARCH.try_into().expect("an architecture with filters");
        let denial = SeccompAction::Errno(error.unsigned_abs());
        let filter =
            SeccompFilter::new(calls.into_iter().collect(), SeccompAction::Allow, denial, architecture);
        let program: seccompiler::BpfProgram = filter.expect("a filter").try_into().expect("a program");
        apply_filter(&program).expect("the right to give rights up");
    }
}

#[test]
fn a_container_that_forbids_namespaces_leaves_level_one() {
    let probing = std::thread::spawn(|| {
        let scratch = tempfile::tempdir().expect("a folder");
        enter_a_container();
        establish(&ProbeOptions {
            launcher: env!("CARGO_BIN_EXE_darwind_cell").into(),
            max_level: Some(Level::L2),
            scratch: scratch.path().to_owned(),
        })
    });
    let found = probing.join().expect("an answer");
    assert_eq!(found.level, Some(Level::L1), "{:?}", found.levels);
    assert!(
        matches!(found.levels.as_slice(), [(Level::L2, Err(_)), (Level::L1, Ok(()))]),
        "{:?}",
        found.levels
    );
    let open: Vec<_> =
        found.promises.iter().filter(|promise| promise.status == PromiseStatus::Open).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn an_ordinary_user_gets_what_root_gets() {
    const ORDINARY: u32 = 1000;
    if !rustix::process::geteuid().is_root() {
        println!("skipped: an ordinary user: this is one already");
        return;
    }
    let launcher = std::path::Path::new(env!("CARGO_BIN_EXE_darwind_cell"));
    let scratch = tempfile::tempdir().expect("a folder");
    // A copy, since the folder of the build may be closed to others.
    let copy = scratch.path().join("launcher");
    std::fs::copy(launcher, &copy).expect("room for a copy");
    std::os::unix::fs::chown(scratch.path(), Some(ORDINARY), Some(ORDINARY)).expect("root");
    let options =
        ProbeOptions { launcher: copy, max_level: Some(Level::L2), scratch: scratch.path().to_owned() };
    let probing = std::thread::spawn(move || {
        let by_root = establish(&options);
        // Users are a matter of threads for the kernel, and what this thread starts inherits its user.
        let (user, group) = (rustix::fs::Uid::from_raw(ORDINARY), rustix::fs::Gid::from_raw(ORDINARY));
        rustix::thread::set_thread_groups(&[]).expect("root");
        rustix::thread::set_thread_res_gid(group, group, group).expect("root");
        rustix::thread::set_thread_res_uid(user, user, user).expect("root");
        (by_root, establish(&options))
    });
    let (by_root, by_user) = probing.join().expect("answers");
    assert_eq!(by_user.level, by_root.level, "{:?} {:?}", by_user.levels, by_root.levels);
    assert!(by_user.level.is_some(), "{:?}", by_user.levels);
}
