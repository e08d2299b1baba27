//! Messages between a lane and its launcher: one length-prefixed JSON text a message over a stream socket, file
//! descriptors beside the first byte.

use super::{CellOutcome, Denial, Exit, Job, Level};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Largest message, in bytes.
const MAX_MESSAGE: usize = 1 << 20;
/// Most file descriptors with one message.
pub(super) const MAX_FDS: usize = 8;

/// What a lane tells its launcher.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Run this; with it come the child's standard streams and channels, in order of their numbers.
    Run(Box<LaunchOrder>),
    /// Kill what runs.
    Kill,
}

/// A job with what the lane decided about it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LaunchOrder {
    /// The job.
    pub(super) job: Job,
    /// The level to run it at.
    pub(super) level: Level,
    /// A folder of the lane's own in which the child's root is put together.
    pub(super) root: std::path::PathBuf,
    /// Where the cell's control group is to be made, at the level that has one.
    pub(super) group: Option<std::path::PathBuf>,
}

/// What a launcher tells its lane.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The listener of the cell's gateway comes with this.
    Gateway,
    /// The job is over.
    Over(Verdict),
}

/// How a job went.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Verdict {
    pub(super) outcome: CellOutcome,
    pub(super) exit: Exit,
    pub(super) wall_us: u64,
    pub(super) cpu_us: u64,
    pub(super) cpu_verified: bool,
    pub(super) peak_memory: u64,
    pub(super) denials: Vec<Denial>,
}

fn invalid(reason: impl ToString) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, reason.to_string())
}

/// Sends one message.
pub(super) fn send(
    socket: &UnixStream,
    message: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> std::io::Result<()> {
    let text = serde_json::to_vec(message).map_err(invalid)?;
    if text.len() > MAX_MESSAGE || fds.len() > MAX_FDS {
        return Err(invalid("the message is too large"));
    }
    let length = u32::try_from(text.len()).map_err(invalid)?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(text);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut sent = 0;
    while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if sent == 0 && !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(invalid("too many file descriptors"));
        }
        match sendmsg(socket.as_fd(), &[IoSlice::new(rest)], &mut ancillary, SendFlags::NOSIGNAL) {
            Ok(count) => sent += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Receives one message, and the file descriptors that came with it. `None` when the other side is gone.
pub(super) fn receive<T: DeserializeOwned>(
    socket: &UnixStream,
) -> std::io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut length = [0u8; 4];
    let mut fds = Vec::new();
    let first = loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut buffers = [IoSliceMut::new(&mut length)];
        match recvmsg(socket.as_fd(), &mut buffers, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => {
                for message in ancillary.drain() {
                    if let RecvAncillaryMessage::ScmRights(received) = message {
                        fds.extend(received);
                    }
                }
                break received.bytes;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if first == 0 {
        return Ok(None);
    }
    let mut socket = socket;
    if let Some(rest) = length.get_mut(first..) {
        socket.read_exact(rest)?;
    }
    let size = u32::from_le_bytes(length) as usize;
    if size > MAX_MESSAGE {
        return Err(invalid("the message is too large"));
    }
    let mut text = vec![0; size];
    socket.read_exact(&mut text)?;
    let message = serde_json::from_slice(&text).map_err(invalid)?;
    Ok(Some((message, fds)))
}
