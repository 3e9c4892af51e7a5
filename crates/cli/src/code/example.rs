//! Examples of the codes, from the folder `codes`: a file that is wrong, and the same file set right. A test
//! runs both.

/// What goes wrong under a code, and how it is right.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The code.
    pub id: &'static str,
    files: &'static [(&'static str, &'static str)],
}

/// The folders of the examples, each with its files.
const FOLDERS: &[(&str, &[(&str, &str)])] = include!(concat!(env!("OUT_DIR"), "/codes.rs"));

/// The file that is wrong.
const BAD: &str = "bad.yaml";
/// The file that is right.
const GOOD: &str = "good.yaml";
/// What runs them, if that is not `narrows lint {}`.
const COMMAND: &str = "command";

impl Example {
    /// All examples, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        FOLDERS.iter().map(|(id, files)| Self { id, files })
    }

    /// The example of a code.
    pub fn of(id: &str) -> Option<Self> {
        Self::all().find(|example| example.id == id)
    }

    /// What is wrong.
    pub fn bad(&self) -> &'static str {
        self.file(BAD).unwrap_or_default()
    }

    /// What is right.
    pub fn good(&self) -> &'static str {
        self.file(GOOD).unwrap_or_default()
    }

    /// The command that finds the fault: `{}` is the file, `{folder}` its folder.
    pub fn command(&self) -> &'static str {
        self.file(COMMAND).map_or("narrows lint {}", str::trim_end)
    }

    /// What both files need beside them, each with its name.
    pub fn beside(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let own = [BAD, GOOD, COMMAND];
        self.files.iter().copied().filter(move |(name, _)| !own.contains(name))
    }

    fn file(&self, name: &str) -> Option<&'static str> {
        self.files.iter().find(|(file, _)| *file == name).map(|(_, text)| *text)
    }
}
