//! What is wrong in a catalog, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing wrong in a catalog folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogFault {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1; 0 for the whole file.
    pub line: usize,
    /// What is wrong, and what to write instead.
    pub message: String,
    /// The catalog can be used all the same.
    pub warning: bool,
}

impl fmt::Display for CatalogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}{}", if self.warning { "warning: " } else { "" }, self.message)
    }
}

/// Gathers all faults of one catalog.
pub(super) struct Faults<'a> {
    /// The folder, or the topic's name: what the names of files are joined to.
    place: &'a Path,
    pub(super) all: Vec<CatalogFault>,
}

impl<'a> Faults<'a> {
    pub(super) fn of(place: &'a Path) -> Self {
        Self { place, all: Vec::new() }
    }

    pub(super) fn fault(&mut self, file: &str, line: usize, message: String) {
        self.all.push(CatalogFault { file: self.place.join(file), line, message, warning: false });
    }

    pub(super) fn warn(&mut self, file: &str, line: usize, message: String) {
        self.all.push(CatalogFault { file: self.place.join(file), line, message, warning: true });
    }

    /// Whether a catalog can be made all the same.
    pub(super) fn are_warnings(&self) -> bool {
        self.all.iter().all(|fault| fault.warning)
    }
}
