//! The words for a command that edits a copy of a candidate: how it ended, what it changed, and what is said on the way if
//! it is spoken with. Who proposes changes and who runs commands behind walls do not know each other; both know these.

use std::sync::Arc;

/// How a command ended. It says nothing of its changes' worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code; negative for a signal.
    Exited(i32),
    /// Its wall time ran out.
    Wall,
    /// Nothing happened for too long.
    Idle,
    /// It was ended for this reason; its changes are there.
    Stopped(String),
    /// It could not be started, for this reason.
    Unstarted(String),
    /// It was ended for this reason, and nothing was brought back.
    CutOff(String),
}

impl Ended {
    /// What happened, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Exited(0) => "it ended".to_owned(),
            Self::Exited(code) if *code < 0 => format!("signal {} ended it", -code),
            Self::Exited(code) => format!("it ended with code {code}"),
            Self::Wall => "its time ran out".to_owned(),
            Self::Idle => "nothing happened for too long, and it was ended".to_owned(),
            Self::Stopped(reason) => format!("it was ended: {reason}"),
            Self::Unstarted(reason) => format!("it could not be started: {reason}"),
            Self::CutOff(reason) => format!("it was cut off: {reason}"),
        }
    }
}

/// What happened to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new, with this content.
    New(Arc<[u8]>),
    /// It has this content now.
    Changed(Arc<[u8]>),
    /// It is gone.
    Gone,
    /// It is something that cannot be taken over: a link, a pipe, a file beyond the limit.
    Odd,
}

/// What comes from a command that is spoken with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A line of its output, without its end.
    Line(String),
    /// The file that was read for an [`Act::Read`] of this number, or why it cannot be.
    Read(u64, Result<Vec<u8>, String>),
    /// The file of an [`Act::Write`] of this number was written, or why it cannot be.
    Written(u64, Result<(), String>),
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Say a line to the command, without a line's end within.
    Say(String),
    /// Read a file of the copy that is worked on, by its path below it. No link is followed.
    Read(u64, String),
    /// Write such a file, making the folders on the way to it.
    Write(u64, String, Vec<u8>),
    /// Close the command's input; it is ended if it does not end soon.
    HangUp,
    /// End it now, for this reason.
    End(String),
}

/// Who speaks with a command over its standard streams.
pub trait Dialogue {
    /// What to do when the command has been started.
    fn begin(&mut self) -> Vec<Act>;

    /// What to do after this was heard.
    fn hear(&mut self, heard: Heard) -> Vec<Act>;
}
