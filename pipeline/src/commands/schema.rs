//! `touchstone schema`: the JSON Schema of an event.

use std::io::{self, Write};

use touchstone_schemas::{json_schema, names};

use crate::failure::Failure;

pub(crate) fn run(name: Option<&str>) -> Result<(), Failure> {
    let Some(name) = name else {
        writeln!(io::stdout(), "{}", names().join("\n"))?;
        return Ok(());
    };
    let schema = json_schema(name).ok_or_else(|| Failure::Usage(format!("{name:?} is no event; known are {}", names().join(", "))))?;
    writeln!(io::stdout(), "{schema:#}")?;
    Ok(())
}
