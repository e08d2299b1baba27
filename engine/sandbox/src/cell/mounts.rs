//! The file system of a contained cell: a small tmpfs root in which only what the job names is there, read-only, beside
//! a null device or two, its own view of processes, and size-limited places to write to.

use super::Job;
use rustix::fs::{CWD, Mode, mkdirat};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};
use rustix::process::{chdir, pivot_root};
use std::ffi::CString;
use std::path::{Component, Path, PathBuf};

/// Devices that programs expect and that harm nobody.
pub(super) const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];
/// Size of the shared-memory file system, in bytes: enough for a pool of processes.
const SHARED_MEMORY: u64 = 16 * 1024 * 1024;

/// Symbolic links followed on the way to one path, as the kernel has it, see path_resolution(7).
const MAX_LINKS: usize = 40;

/// What went wrong, with what was being done.
pub(super) fn failed<E: std::fmt::Display>(doing: impl Into<String>) -> impl FnOnce(E) -> String {
    let doing = doing.into();
    move |error| format!("{doing}: {error}")
}

/// Puts the root together at `root` and moves into it. Runs in a mount namespace of its own, with the right to mount.
/// `owner` is the user inside to whom the writable places belong.
pub(super) fn enter(job: &Job, root: &Path, owner: u32) -> Result<(), String> {
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)
        .map_err(failed("make mounts private"))?;
    let plain = MountFlags::NOSUID | MountFlags::NODEV;
    tmpfs(root, "size=1m,nr_inodes=4096,mode=755", plain)?;
    for path in uncovered(&resolved(&job.read_only)) {
        bind_read_only(root, path)?;
    }
    let options = format!(
        "size={},nr_inodes={},mode=700,uid={owner},gid={owner}",
        job.limits.disk.max(4096),
        job.limits.files.max(1)
    );
    for path in &job.writable {
        let place = inside(root, path);
        folder(&place)?;
        tmpfs(&place, &options, plain)?;
    }
    devices(root, owner)?;
    let proc = root.join("proc");
    folder(&proc)?;
    let flags = plain | MountFlags::NOEXEC;
    // Some kernels and containers refuse a fresh proc; a cell can do without.
    let _ = mount("proc", &proc, "proc", flags, text("hidepid=invisible").as_deref())
        .or_else(|_| mount("proc", &proc, "proc", flags, None));
    let old = root.join(".old");
    folder(&old)?;
    pivot_root(root, &old).map_err(failed("pivot_root"))?;
    chdir("/").map_err(failed("enter the new root"))?;
    unmount("/.old", UnmountFlags::DETACH).map_err(failed("leave the old root"))?;
    let _ = std::fs::remove_dir("/.old");
    mount_remount("/", MountFlags::BIND | MountFlags::RDONLY | plain, "")
        .map_err(failed("close the new root"))
}

/// The paths with no symbolic link on the way to any of them: each link is shown as what it is, and so is what it leads
/// to. A link alone would lead nowhere, and something shown below one would land where it leads outside.
fn resolved(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in paths {
        let mut path = path.clone();
        for _ in 0..MAX_LINKS {
            let Some((link, target)) = first_link(&path) else {
                all.push(path);
                break;
            };
            let rest = path.strip_prefix(&link).unwrap_or(Path::new("")).to_owned();
            path = if rest.as_os_str().is_empty() { target } else { target.join(rest) };
            all.push(link);
        }
    }
    all
}

/// The first symbolic link on the way to a path, and where it leads.
fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut way = PathBuf::new();
    for part in path.components() {
        way.push(part);
        if way.is_symlink() {
            let target = std::fs::read_link(&way).ok()?;
            let mut whole = way.parent()?.to_owned();
            for part in target.components() {
                match part {
                    Component::ParentDir => drop(whole.pop()),
                    Component::CurDir => {}
                    part => whole.push(part),
                }
            }
            return Some((way, whole));
        }
    }
    None
}

/// The paths that no other of them shows already: mounting one within another, or twice, would cover a mount that can
/// then be closed no more.
fn uncovered(paths: &[PathBuf]) -> Vec<&Path> {
    let shows = |other: &Path, path: &Path| {
        path != other
            && path.starts_with(other)
            && std::fs::symlink_metadata(other).is_ok_and(|facts| facts.is_dir())
    };
    let first = |at: usize, path: &PathBuf| !paths.iter().take(at).any(|earlier| earlier == path);
    let kept = paths
        .iter()
        .enumerate()
        .filter(|(at, path)| first(*at, path) && !paths.iter().any(|other| shows(other, path)));
    kept.map(|(_, path)| path.as_path()).collect()
}

fn text(options: &str) -> Option<CString> {
    CString::new(options).ok()
}

fn tmpfs(place: &Path, options: &str, flags: MountFlags) -> Result<(), String> {
    mount("tmpfs", place, "tmpfs", flags, text(options).as_deref())
        .map_err(failed(format!("mount a tmpfs at {}", place.display())))
}

/// A path of the host as a path below the new root.
fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn folder(path: &Path) -> Result<(), String> {
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        folder(parent)?;
    }
    match mkdirat(CWD, path, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(format!("make the folder {}: {error}", path.display())),
    }
}

/// Makes a path of the host visible at the same path. What is missing on the host is missing inside; a symbolic link is
/// made again as a link.
fn bind_read_only(root: &Path, path: &Path) -> Result<(), String> {
    let place = inside(root, path);
    let Ok(facts) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if let Some(parent) = place.parent() {
        folder(parent)?;
    }
    if facts.is_symlink() {
        let target = std::fs::read_link(path).map_err(failed(format!("read the link {}", path.display())))?;
        if std::fs::symlink_metadata(&place).is_err() {
            std::os::unix::fs::symlink(target, &place).map_err(failed(format!("link {}", path.display())))?;
        }
        return Ok(());
    }
    if facts.is_dir() {
        folder(&place)?;
    } else if !place.exists() {
        std::fs::File::create(&place).map_err(failed(format!("make {}", place.display())))?;
    }
    mount_bind_recursive(path, &place).map_err(failed(format!("show {}", path.display())))?;
    close(&place)
}

/// Makes a bind mount and everything mounted below it read-only.
fn close(place: &Path) -> Result<(), String> {
    if close_at_once(place).is_ok() {
        return Ok(());
    }
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    mount_remount(place, flags, "").map_err(failed(format!("close {}", place.display())))?;
    for below in mounts_below(place) {
        // A mount below that cannot be closed must not stay.
        if mount_remount(&below, flags, "").is_err() {
            unmount(&below, UnmountFlags::DETACH).map_err(failed(format!("close {}", below.display())))?;
        }
    }
    Ok(())
}

/// The same by the one call for it, which Linux has since 5.12 and some containers hide.
#[expect(unsafe_code, reason = "mount_setattr has no safe binding")]
fn close_at_once(place: &Path) -> std::io::Result<()> {
    /// `struct mount_attr` of linux/mount.h.
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }
    /// `MOUNT_ATTR_RDONLY`, `MOUNT_ATTR_NOSUID` and `MOUNT_ATTR_NODEV` of linux/mount.h.
    const CLOSED: u64 = 0x1 | 0x2 | 0x4;
    /// `AT_RECURSIVE` of linux/fcntl.h.
    const WITH_ALL_BELOW: libc::c_long = 0x8000;
    let path = CString::new(place.as_os_str().as_encoded_bytes())?;
    let attributes = Attributes { set: CLOSED, clear: 0, propagation: 0, user_namespace: 0 };
    // SAFETY: the kernel reads the path, which ends in zero, and as much of the structure as its size says.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::c_long::from(libc::AT_FDCWD),
            path.as_ptr(),
            WITH_ALL_BELOW,
            std::ptr::from_ref(&attributes),
            std::mem::size_of::<Attributes>(),
        )
    };
    if answer < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

fn mounts_below(place: &Path) -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    let points = points.map(|point| PathBuf::from(point.replace("\\040", " ")));
    points.filter(|point| point.starts_with(place) && point != place).collect()
}

fn devices(root: &Path, owner: u32) -> Result<(), String> {
    let dev = root.join("dev");
    folder(&dev)?;
    for device in DEVICES {
        let (host, place) = (Path::new("/dev").join(device), dev.join(device));
        std::fs::File::create(&place).map_err(failed(format!("make {}", place.display())))?;
        mount_bind_recursive(&host, &place).map_err(failed(format!("show {}", host.display())))?;
    }
    for (name, target) in
        [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1")]
    {
        std::os::unix::fs::symlink(target, dev.join(name)).map_err(failed("link the standard streams"))?;
    }
    let shared = dev.join("shm");
    folder(&shared)?;
    let options = format!("size={SHARED_MEMORY},nr_inodes=64,mode=700,uid={owner},gid={owner}");
    tmpfs(&shared, &options, MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC)
}

#[cfg(test)]
mod tests {
    use super::{resolved, uncovered};
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_shown_with_what_they_lead_to() {
        let top = tempfile::tempdir().expect("a folder");
        let top = top.path().canonicalize().expect("its real path");
        std::fs::create_dir_all(top.join("usr/lib/deep")).expect("folders");
        symlink("usr/lib", top.join("lib")).expect("a link");
        symlink("../lib/deep", top.join("usr/far")).expect("a link");
        let shown = resolved(&[top.join("lib"), top.join("usr/far"), top.join("usr/lib")]);
        let expected =
            ["lib", "usr/lib", "usr/far", "lib", "usr/lib/deep", "usr/lib"].map(|name| top.join(name));
        assert_eq!(shown, expected);
        let kept: Vec<_> = uncovered(&shown).into_iter().map(std::path::Path::to_owned).collect();
        assert_eq!(kept, ["lib", "usr/lib", "usr/far"].map(|name| top.join(name)));
    }

    #[test]
    fn a_ring_of_links_ends() {
        let top = tempfile::tempdir().expect("a folder");
        symlink("b", top.path().join("a")).expect("a link");
        symlink("a", top.path().join("b")).expect("a link");
        assert!(resolved(&[top.path().join("a/file")]).len() <= super::MAX_LINKS);
    }
}
