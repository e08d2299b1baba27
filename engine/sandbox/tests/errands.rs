//! Errands really run, at every level that this host allows: with a gateway, and in a conversation.
#![expect(clippy::expect_used, reason = "a test that cannot prepare its ground has failed")]

use evolution::candidate::SourceFiles;
use evolution::errand::{Act, Change, Dialogue, Ended, Heard};
use sandbox::cell::{Level, Limits, can_reach_gateway};
use sandbox::{Errand, ErrandOptions, ErrandReport, Errands, Gateway, Python};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

struct Ground {
    errands: Errands,
    files: SourceFiles,
    _folder: tempfile::TempDir,
}

impl Ground {
    fn new(level: Level) -> Self {
        let folder = tempfile::Builder::new().prefix("errand").tempdir().expect("a folder");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), mode).expect("an open folder");
        let tree = folder.path().join("tree");
        std::fs::create_dir(&tree).expect("a folder");
        std::fs::write(tree.join("program.py"), "x = 1\n").expect("a file");
        let system = Path::new("/usr/bin/python3");
        let options = ErrandOptions {
            tree,
            mutable: vec!["program.py".to_owned()],
            hidden: Vec::new(),
            python: Python::discover(system.exists().then_some(system), None).expect("Python 3"),
            limits: Limits::default(),
            level,
            launcher: env!("CARGO_BIN_EXE_darwind_cell").into(),
            visible: Vec::new(),
            search: Vec::new(),
        };
        let errands = Errands::new(options, &folder.path().join("bench")).expect("a workbench");
        let files = SourceFiles(BTreeMap::from([("program.py".to_owned(), Arc::from(&b"x = 1\n"[..]))]));
        Self { errands, files, _folder: folder }
    }

    fn run(
        &mut self,
        script: &str,
        gateway: Option<Gateway<'_>>,
        dialogue: Option<&mut dyn Dialogue>,
    ) -> ErrandReport {
        let errand = Errand {
            argv: ["python3", "-c", script].map(str::to_owned).into(),
            env: Vec::new(),
            files: &self.files,
            start: None,
            documents: BTreeMap::new(),
            result: "result",
            wall: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            gateway,
        };
        let report = match dialogue {
            Some(dialogue) => self.errands.converse(&errand, dialogue),
            None => self.errands.run(&errand),
        };
        report.expect("a report")
    }
}

fn changed(report: &ErrandReport) -> String {
    match report.changes.get("program.py") {
        Some(Change::Changed(text)) => String::from_utf8_lossy(text).into_owned(),
        other => panic!("{other:?}: {report:?}"),
    }
}

#[expect(clippy::print_stdout, reason = "what cannot be seen here is said")]
fn levels() -> Vec<Level> {
    let granted = |level: &Level| match can_reach_gateway(*level) {
        Ok(()) => true,
        Err(reason) => {
            println!("skipped: {level}: {reason}");
            false
        }
    };
    [Level::L1, Level::L2].into_iter().filter(granted).collect()
}

/// Answers every visitor with a program until it is told to stop.
fn serve(listener: TcpListener, stop: &Arc<AtomicBool>, asked: &Arc<AtomicUsize>) -> JoinHandle<()> {
    let (stop, asked) = (stop.clone(), asked.clone());
    listener.set_nonblocking(true).expect("a setting");
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((mut visitor, _)) => {
                    visitor.set_nonblocking(false).expect("a setting");
                    let _ = visitor.read(&mut [0; 16]);
                    let _ = visitor.write_all(b"x = 2\n");
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => std::thread::yield_now(),
            }
        }
    })
}

const ASKING: &str = "
import socket
asked = socket.create_connection(('127.0.0.1', PORT))
asked.sendall(b'well?')
open('program.py', 'wb').write(asked.recv(100))
";

#[test]
fn a_command_edits_by_what_the_gateway_says_and_is_ended_when_that_is_spent() {
    for level in levels() {
        let mut ground = Ground::new(level);
        let host = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = host.local_addr().expect("an address").port();
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicUsize::new(0));
        let servers = RefCell::new(vec![serve(host, &stop, &asked)]);
        let accept = |listener| servers.borrow_mut().push(serve(listener, &stop, &asked));
        let ample = || None;
        let gateway = Gateway { port, accept: &accept, spent: &ample };
        let script = ASKING.replace("PORT", &port.to_string());
        let report = ground.run(&script, Some(gateway), None);
        assert_eq!((changed(&report).as_str(), &report.ended), ("x = 2\n", &Ended::Exited(0)), "{level}");
        // The same without leave: nobody is there.
        let report = ground.run(&script, None, None);
        assert!(report.changes.is_empty() && matches!(report.ended, Ended::Exited(1)), "{level}: {report:?}");
        let spent = || (asked.load(Ordering::Relaxed) > 2).then(|| "enough".to_owned());
        let gateway = Gateway { port, accept: &accept, spent: &spent };
        let edit = "file = open('program.py', 'w')\nfile.write('x = 3\\n')\nfile.close()";
        let again = format!("socket.create_connection(('127.0.0.1', {port})).sendall(b'well?')");
        let endless = format!("{script}\n{edit}\n{again}\nimport time\ntime.sleep(600)");
        let report = ground.run(&endless, Some(gateway), None);
        let expected = Ended::Stopped("enough".to_owned());
        assert_eq!((changed(&report).as_str(), &report.ended), ("x = 3\n", &expected), "{level}");
        stop.store(true, Ordering::Relaxed);
        servers.into_inner().into_iter().for_each(|server| server.join().expect("an end"));
    }
}

/// Reads and writes as it is asked to, and keeps what it hears.
#[derive(Default)]
struct Talk(Vec<Heard>);

impl Dialogue for Talk {
    fn begin(&mut self) -> Vec<Act> {
        vec![Act::Say("hello".to_owned())]
    }

    fn hear(&mut self, heard: Heard) -> Vec<Act> {
        self.0.push(heard.clone());
        match heard {
            Heard::Line(line) => match line.split_once(' ') {
                Some(("read", path)) => vec![Act::Read(1, path.to_owned())],
                Some(("write", path)) => vec![Act::Write(2, path.to_owned(), b"x = 4\n".to_vec())],
                Some(("end", reason)) => vec![Act::End(reason.to_owned())],
                _ => vec![Act::HangUp],
            },
            Heard::Read(_, content) => vec![Act::Say(match content {
                Ok(content) => String::from_utf8_lossy(&content).trim().to_owned(),
                Err(reason) => format!("cannot: {reason}"),
            })],
            Heard::Written(_, done) => vec![Act::Say(format!("written: {}", done.is_ok()))],
        }
    }
}

const SPEAKING: &str = "
import os, sys
def ask(line):
    print(line, flush=True)
    return sys.stdin.readline().strip()
assert sys.stdin.readline() == 'hello\\n'
answers = [ask('read program.py'), ask('write new/program.py')]
os.symlink('/etc/passwd', 'link') if LINKS else None
os.symlink('/etc', 'folder') if LINKS else None
if LINKS:
    answers += [ask('read link'), ask('write link'), ask('read folder/passwd')]
answers += [ask('read missing')]
print(answers, file=sys.stderr, flush=True)
open('program.py', 'w').write('x = 5\\n')
print('bye', flush=True)
assert sys.stdin.read() == ''
import time
time.sleep(600)
";

#[test]
fn a_command_is_spoken_with_and_handed_files_of_its_folder_alone() {
    for level in levels() {
        let mut ground = Ground::new(level);
        let mut talk = Talk::default();
        // Fenced cells cannot make links at all.
        let script = SPEAKING.replace("LINKS", if level >= Level::L2 { "True" } else { "False" });
        let report = ground.run(&script, None, Some(&mut talk));
        assert!(matches!(report.ended, Ended::Exited(code) if code < 0), "{level}: {report:?}");
        assert_eq!(changed(&report), "x = 5\n", "{level}: {report:?}");
        let written = report.changes.get("new/program.py");
        assert_eq!(written, Some(&Change::New(Arc::from(&b"x = 4\n"[..]))), "{level}: {report:?}");
        assert!(report.output.starts_with("['x = 1', 'written: true', "), "{level}: {}", report.output);
        assert!(!report.output.contains("root"), "{level}: {}", report.output);
        let kept_from = if level >= Level::L2 { 3 } else { 1 };
        assert_eq!(report.output.matches("cannot: ").count(), kept_from, "{level}: {}", report.output);
        assert_eq!(
            report.output.contains("written: false"),
            level >= Level::L2,
            "{level}: {}",
            report.output
        );
        let mut talk = Talk::default();
        let report = ground.run(
            "print('end of talk', flush=True)\nimport time\ntime.sleep(600)",
            None,
            Some(&mut talk),
        );
        assert_eq!(report.ended, Ended::Stopped("of talk".to_owned()), "{level}");
        let endless = "import sys\nwhile True: sys.stdout.write('x' * 65536)";
        let report = ground.run(endless, None, Some(&mut Talk::default()));
        assert!(
            matches!(&report.ended, Ended::Stopped(reason) if reason.contains("line")),
            "{level}: {report:?}"
        );
    }
}
