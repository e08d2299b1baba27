//! What would raise the level here, as commands to type: read from what the host says about itself.

use super::Level;
use super::filter::landlock_version;

/// What the host says about itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Host {
    /// AppArmor takes the rights of unprivileged user namespaces away.
    apparmor: bool,
    /// User namespaces are switched off for ordinary users.
    namespaces_off: bool,
    /// This is the inside of a container.
    container: bool,
    /// The kernel has Landlock.
    landlock: bool,
    /// This process is root.
    root: bool,
}

impl Host {
    /// Looks at this host.
    pub(super) fn look() -> Self {
        let setting = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let there = |path: &str| std::path::Path::new(path).exists();
        Self {
            apparmor: setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1",
            namespaces_off: setting("/proc/sys/kernel/unprivileged_userns_clone") == "0"
                || setting("/proc/sys/user/max_user_namespaces") == "0",
            container: there("/.dockerenv")
                || there("/run/.containerenv")
                || there("/var/run/secrets/kubernetes.io"),
            landlock: landlock_version() > 0,
            root: rustix::process::geteuid().is_root(),
        }
    }

    /// What to do to get from `level` (none: no cell at all) one step higher, for a program at `launcher`.
    pub(super) fn remedy(&self, level: Option<Level>, launcher: &std::path::Path) -> Option<String> {
        match level {
            Some(Level::L3) => None,
            Some(Level::L2) => Some(self.meter()),
            Some(Level::L1) => Some(self.contain(launcher)),
            None if !self.landlock => Some(
                "boot a kernel of version 5.13 or newer with Landlock (add landlock to the lsm= list of the kernel's \
                 command line: `cat /sys/kernel/security/lsm` shows it)"
                    .to_owned(),
            ),
            None => Some(self.contain(launcher)),
        }
    }

    fn meter(&self) -> String {
        if self.container {
            "start the container with --cgroupns=private and a writable, delegated control group".to_owned()
        } else if self.root {
            "systemd-run --scope -p Delegate=yes darwind ... (on a host with control groups version 2)"
                .to_owned()
        } else {
            "systemd-run --user --scope -p Delegate=yes darwind ... (on a host with control groups version 2)"
                .to_owned()
        }
    }

    fn contain(&self, launcher: &std::path::Path) -> String {
        let launcher = launcher.display();
        if self.container {
            "docker run --security-opt seccomp=PROFILE ... with a profile that allows clone, clone3, mount, pivot_root, \
             umount2 and unshare; or accept L1 with the container as the outer wall"
                .to_owned()
        } else if self.apparmor {
            format!(
                "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile darwind {launcher} flags=(unconfined) \
                 {{\\n  userns,\\n}}\\n' | sudo tee /etc/apparmor.d/darwind && sudo apparmor_parser -r \
                 /etc/apparmor.d/darwind"
            )
        } else if self.namespaces_off {
            "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000".to_owned()
        } else {
            "allow user, mount, process and network namespaces to this program (see `unshare -Umpn true`)"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, Level};
    use std::path::Path;

    #[test]
    fn each_host_gets_the_command_that_helps_it() {
        let plain = Host { landlock: true, ..Host::default() };
        let says = |host: &Host, level| host.remedy(level, Path::new("/opt/darwind")).unwrap_or_default();
        assert!(says(&plain, Some(Level::L2)).contains("systemd-run --user --scope -p Delegate=yes"));
        assert!(says(&Host { apparmor: true, ..plain.clone() }, Some(Level::L1)).contains("/opt/darwind"));
        assert!(says(&Host { apparmor: true, ..plain.clone() }, Some(Level::L1)).contains("userns,"));
        assert!(
            says(&Host { container: true, ..plain.clone() }, Some(Level::L1))
                .contains("--security-opt seccomp=")
        );
        assert!(says(&Host { namespaces_off: true, ..plain.clone() }, Some(Level::L1)).contains("sysctl"));
        assert!(says(&Host { landlock: false, ..plain.clone() }, None).contains("lsm="));
        assert_eq!(plain.remedy(Some(Level::L3), Path::new("/opt/darwind")), None);
    }
}
