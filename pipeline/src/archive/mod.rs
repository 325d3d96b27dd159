//! Past records: in topics, or in a folder with one file a topic.
//!
//! They are handed over one by one as they are read: nothing is kept, however many there are.

mod folder;
mod topics;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::{self, Config};
use crate::failure::Failure;

/// The topic whose records are payloads of others, with the reason that they were refused for.
const DEAD_LETTERS: &str = "dead-letters";
/// Progress is told every that many records.
const TELL: u64 = 1_000_000;

/// Past records: in topics, or in a folder with one file a topic (`verdicts.jsonl`, also .gz, .zst).
pub(crate) enum Archive {
    /// What stands in the topics now, as committed.
    Topics(Box<Config>),
    /// Files as `scan` and `--dead-letters` write them: one JSON object a line.
    Folder(PathBuf),
}

/// A record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its key; files have none.
    pub(crate) key: Option<Vec<u8>>,
    /// Empty where the record deletes what stood under its key.
    pub(crate) payload: Vec<u8>,
    /// Where it stands, for messages.
    pub(crate) place: String,
    /// Of a dead letter: what it was refused for.
    pub(crate) reason: Option<String>,
    /// Of a dead letter: what to do better.
    pub(crate) detail: Option<String>,
}

impl Archive {
    /// `--config FILE` or `--records DIR`: one of them.
    ///
    /// # Errors
    /// [`Failure::Usage`] where both or neither is given, where the configuration is faulty, and where there is no such folder.
    pub(crate) fn of(config: Option<&Path>, records: Option<&Path>) -> Result<Self, Failure> {
        match (config, records) {
            (Some(config), None) => Ok(Self::Topics(Box::new(config::load(config)?))),
            (None, Some(records)) if records.is_dir() => Ok(Self::Folder(records.to_owned())),
            (None, Some(records)) => {
                Err(Failure::Usage(format!("{}: is no folder: give one with a file a topic, such as verdicts.jsonl", records.display())))
            }
            _ => Err(Failure::Usage("give either --config FILE, for what stands in the topics, or --records DIR, for a folder".to_owned())),
        }
    }

    /// Calls `each` with every record of some topics (names without prefix), one topic after the other, those of one key in their order; a
    /// topic or file that is missing is told and passed over.
    ///
    /// # Errors
    /// Where brokers or files cannot be read.
    pub(crate) fn read(&self, topics: &[&str], mut each: impl FnMut(&str, Entry)) -> Result<(), Failure> {
        let mut read = 0;
        let mut each = |topic: &str, entry: Entry| {
            each(topic, entry);
            read += 1;
            if read % TELL == 0 {
                tell(&format!("{} million records read, now of {topic}", read / TELL));
            }
        };
        match self {
            Self::Topics(config) => topics::read(config, topics, &mut each),
            Self::Folder(folder) => topics.iter().try_for_each(|topic| folder::read(folder, topic, &mut |entry| each(topic, entry))),
        }
    }
}

/// Says something on standard error.
fn tell(message: &str) {
    // There is nowhere to say that nothing can be said.
    let _ = writeln!(io::stderr(), "{message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_a_configuration_or_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("touchstone.toml");
        std::fs::write(&file, "").expect("writable");
        assert!(matches!(Archive::of(Some(&file), None), Ok(Archive::Topics(_))));
        assert!(matches!(Archive::of(None, Some(folder.path())), Ok(Archive::Folder(_))));
        let missing = folder.path().join("missing");
        for (config, records) in [
            (None, None),
            (Some(file.as_path()), Some(folder.path())),
            (Some(&*missing), None),
            (None, Some(&*missing)),
            (None, Some(&*file)),
        ] {
            assert!(matches!(Archive::of(config, records), Err(Failure::Usage(_))), "{config:?} {records:?}");
        }
    }
}
