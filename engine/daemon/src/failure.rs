//! How a command ends: its exit code, and for a failure the diagnostic that a person reads. The codes are those that
//! scripts rely on; nothing here knows any command.

use crate::config::ConfigurationError;
use crate::data::DataError;
use miette::Diagnostic;
use std::process::ExitCode;

/// What the process tells its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Done,
    /// The work itself failed: the baseline does not pass, say.
    WorkFailed,
    /// Wrong usage or configuration.
    Usage,
    /// Refused for safety: isolation below what is required.
    Refused,
    /// Interrupted; the state is saved.
    Interrupted,
}

impl Exit {
    /// The code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::WorkFailed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A command that did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// Absent when there is nobody to read it.
    report: Option<miette::Report>,
}

/// A failure without a place in a file.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
struct Plain {
    message: String,
    #[help]
    help: Option<String>,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// Wraps a diagnostic.
    pub(crate) fn new(exit: Exit, diagnostic: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self { exit, report: Some(miette::Report::new(diagnostic)) }
    }

    fn plain(exit: Exit, message: String, help: Option<String>) -> Self {
        Self::new(exit, Plain { message, help, cause: None })
    }

    /// The work failed.
    pub(crate) fn work(message: impl Into<String>) -> Self {
        Self::plain(Exit::WorkFailed, message.into(), None)
    }

    /// The work failed, and this is what to do.
    pub(crate) fn work_with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::plain(Exit::WorkFailed, message.into(), Some(help.into()))
    }

    /// The work failed for another error's sake, whose causes are shown.
    pub(crate) fn caused(
        message: impl Into<String>,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::new(Exit::WorkFailed, Plain { message: message.into(), help: None, cause: Some(cause.into()) })
    }

    /// Usage or configuration is wrong, and this is what to do.
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::plain(Exit::Usage, message.into(), Some(help.into()))
    }

    /// Refused for safety, and this is what to do.
    pub(crate) fn refused(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::plain(Exit::Refused, message.into(), Some(help.into()))
    }

    /// The failure and its causes in one line, for those who read it elsewhere than on a terminal.
    pub(crate) fn text(&self) -> String {
        let causes = self.report.iter().flat_map(|report| report.chain().map(ToString::to_string));
        causes.collect::<Vec<_>>().join(": ")
    }

    /// What to do, if that is known.
    pub(crate) fn help(&self) -> Option<String> {
        self.report.as_ref()?.help().map(|help| help.to_string())
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The diagnostic as it is printed, unless nobody reads.
    pub(crate) fn report(&self) -> Option<&miette::Report> {
        self.report.as_ref()
    }
}

impl From<ConfigurationError> for Failure {
    fn from(error: ConfigurationError) -> Self {
        let message = error.to_string();
        match error {
            ConfigurationError::Malformed(malformed) => Self::new(Exit::Usage, *malformed),
            ConfigurationError::NoFile(folder) => Self::usage(
                message,
                format!(
                    "`darwind init {}` looks at a Python project and writes one with what it finds",
                    folder.display()
                ),
            ),
            ConfigurationError::NoFolder(_) => {
                Self::usage(message, "name the folder of a Python project that holds a darwind.toml")
            }
            ConfigurationError::Prompts(_) => Self::usage(
                message,
                "a file NAME.md takes the place of the shipped prompt NAME; leave `prompts` out to use those",
            ),
            ConfigurationError::Unreadable(_) => {
                Self::usage(message, "make the folder and its files readable to this user")
            }
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        let (message, help, exit) = (error.to_string(), error.help(), error.exit());
        let cause = error.into_cause();
        Self::new(exit, Plain { message, help, cause })
    }
}

impl From<std::io::Error> for Failure {
    /// Writing the answer failed.
    fn from(error: std::io::Error) -> Self {
        // Whoever read has read enough, as `darwind log | head` does: no fault of anybody.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Done, report: None };
        }
        Self::caused("cannot write the answer", error)
    }
}
