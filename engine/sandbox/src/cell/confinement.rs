//! What a process does to itself before it becomes the candidate: resource limits, no new privileges, no capabilities,
//! Landlock. Nothing here can be undone by what runs afterwards.

use super::Job;
use super::mounts::{DEVICES, failed};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};
use std::path::{Path, PathBuf};

/// The Landlock version that this was tested with; older kernels enforce what they know.
const LANDLOCK: ABI = ABI::V6;

/// Sets the limits of one process, which its children inherit. `processes` is the limit on everything that the user runs
/// as far as the kernel counts it together: in the cell's own user namespace, or on the whole machine.
pub(super) fn limit(job: &Job, processes: u64) -> Result<(), String> {
    let limits = &job.limits;
    let cpu = limits.cpu.as_secs() + u64::from(limits.cpu.subsec_nanos() > 0);
    let set = |resource: Resource, soft: u64, hard: u64, name: &str| {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })
            .map_err(failed(format!("limit {name}")))
    };
    set(Resource::Cpu, cpu.max(1), cpu.max(1) + 1, "CPU time")?;
    // A little more than the limit, so that who passes it is seen to and named by it.
    let memory = limits.memory.saturating_add(limits.memory / 8);
    set(Resource::Data, memory, memory, "memory")?;
    set(Resource::Fsize, limits.file_size, limits.file_size, "file size")?;
    set(Resource::Nofile, limits.open_files.into(), limits.open_files.into(), "open files")?;
    set(Resource::Nproc, processes, processes, "processes")?;
    set(Resource::Core, 0, 0, "core dumps")?;
    set(Resource::Memlock, 65_536, 65_536, "locked memory")?;
    set(Resource::Msgqueue, 0, 0, "message queues")?;
    set(Resource::Sigpending, 1024, 1024, "pending signals")
}

/// Gives up every capability and the way to new ones.
pub(super) fn drop_privileges() -> Result<(), String> {
    let none = CapabilitySet::empty();
    // The bounding set is left alone: with no new privileges, executing a program gives nothing that was not there.
    let _ = rustix::thread::clear_ambient_capability_set();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(failed("drop capabilities"))?;
    set_no_new_privs(true).map_err(failed("forbid new privileges"))
}

/// Confines the process by Landlock. Answers whether everything asked for is enforced.
pub(super) fn landlock(job: &Job, contained: bool) -> Result<bool, String> {
    let read = AccessFs::from_read(LANDLOCK);
    let all = AccessFs::from_all(LANDLOCK);
    // A contained cell with a gateway has a network in which there is nothing else; in a fenced one the launcher makes the
    // connections, so that no port is open to the cell itself.
    let own_network = contained && job.gateway.is_some();
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)
        .and_then(|ruleset| match own_network {
            true => Ok(ruleset),
            false => ruleset.handle_access(AccessNet::from_all(LANDLOCK)),
        })
        .and_then(|ruleset| ruleset.scope(Scope::from_all(LANDLOCK)))
        .and_then(Ruleset::create)
        .map_err(failed("create the Landlock rules"))?;
    let devices: Vec<PathBuf> =
        DEVICES.iter().chain(&["shm"]).map(|name| Path::new("/dev").join(name)).collect();
    let system = ["/proc", "/etc/ld.so.cache", "/etc/localtime"].iter().map(PathBuf::from);
    let readable =
        job.read_only.iter().cloned().chain(system.filter(|path| contained || path.starts_with("/etc")));
    let writable =
        job.writable.iter().chain(devices.iter().filter(|path| contained || !path.ends_with("shm")));
    let rules = readable.map(|path| (path, read)).chain(writable.map(|path| (path.clone(), all)));
    for (path, access) in rules {
        let Ok(opened) = PathFd::new(&path) else { continue };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(LANDLOCK) };
        ruleset = ruleset
            .add_rule(PathBeneath::new(opened, access))
            .map_err(failed(format!("add {} to the Landlock rules", path.display())))?;
    }
    let status = ruleset.restrict_self().map_err(failed("enforce the Landlock rules"))?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok(true),
        RulesetStatus::PartiallyEnforced => Ok(false),
        RulesetStatus::NotEnforced if contained => Ok(false),
        RulesetStatus::NotEnforced => {
            Err("the kernel has no Landlock, which a fenced cell rests on".to_owned())
        }
    }
}
