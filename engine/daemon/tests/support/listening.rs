//! Where a daemon that was just started listens.

use std::io::{BufRead as _, BufReader};
use std::process::Child;

/// Host and port, from the link that it says first. Whatever else it says is read, so that it never waits for a reader.
pub(crate) fn address_of(process: &mut Child) -> String {
    let mut notes = BufReader::new(process.stderr.take().unwrap()).lines();
    let link = notes.next().unwrap().unwrap();
    std::thread::spawn(move || notes.for_each(drop));
    link.split("://").nth(1).unwrap().split('/').next().unwrap().to_owned()
}
