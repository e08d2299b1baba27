//! What a configured command is: tests that an engine-owned runner takes over, a Python program that it accompanies to
//! its end, or any other program.

/// A command, classified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// `python -m unittest ARGUMENTS`.
    Unittest(Vec<String>),
    /// `pytest ARGUMENTS` or `python -m pytest ARGUMENTS`.
    Pytest(Vec<String>),
    /// `python FILE ARGUMENTS`, file first.
    Script(Vec<String>),
    /// `python -m MODULE ARGUMENTS`.
    Module(String, Vec<String>),
    /// Anything else.
    Other(Vec<String>),
}

/// Classifies a command. Options of the interpreter before the script are dropped: the engine sets its own.
pub(crate) fn classify(run: &[String]) -> Command {
    let is_python = |name: &str| {
        let name = name.rsplit('/').next().unwrap_or(name);
        name.strip_prefix("python").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    match run {
        [program, rest @ ..] if is_python(program) => {
            let start = rest.iter().position(|word| !word.starts_with('-') || word == "-m" || word == "-c");
            let rest = start.and_then(|start| rest.get(start..)).unwrap_or_default();
            match rest {
                [flag, module, arguments @ ..] if flag == "-m" => match module.as_str() {
                    "unittest" => Command::Unittest(arguments.to_vec()),
                    "pytest" => Command::Pytest(arguments.to_vec()),
                    _ => Command::Module(module.clone(), arguments.to_vec()),
                },
                [first, ..] if first != "-c" => Command::Script(rest.to_vec()),
                _ => Command::Other(run.to_vec()),
            }
        }
        [program, arguments @ ..] if program == "pytest" || program == "py.test" => {
            Command::Pytest(arguments.to_vec())
        }
        _ => Command::Other(run.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Command {
        classify(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn commands_are_recognised() {
        assert_eq!(of("python -m unittest -q tests.test_a"), Command::Unittest(words("-q tests.test_a")));
        assert_eq!(of("python3 -B -m unittest"), Command::Unittest(words("")));
        assert_eq!(of("pytest -x tests"), Command::Pytest(words("-x tests")));
        assert_eq!(of("/usr/bin/python3.11 -m pytest"), Command::Pytest(words("")));
        assert_eq!(of("python bench.py 10"), Command::Script(words("bench.py 10")));
        assert_eq!(of("python -m bench fast"), Command::Module("bench".to_owned(), words("fast")));
        assert_eq!(of("sh check.sh"), Command::Other(words("sh check.sh")));
        assert_eq!(of("python -c pass"), Command::Other(words("python -c pass")));
        assert_eq!(of("pythonic x"), Command::Other(words("pythonic x")));
    }
}
