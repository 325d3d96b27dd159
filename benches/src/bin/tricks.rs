//! Writes listings of every class of evasion and of honest look-alike over the brands of a catalog, with their labels.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use touchstone_benches::listings::Maker;
use touchstone_detectors::Rows;

const USAGE: &str = "tricks --catalog DIR --seed N --out DIR [--per-brand N]";

fn run() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let (mut catalog, mut out, mut seed, mut per_brand) = (None, None, 1, 1);
    while let Some(key) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{key} needs a value: {USAGE}"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{key}: {value:?} is no number"));
        match key.as_str() {
            "--catalog" => catalog = Some(PathBuf::from(value)),
            "--out" => out = Some(PathBuf::from(value)),
            "--seed" => seed = number()?,
            "--per-brand" => per_brand = usize::try_from(number()?).map_err(|e| e.to_string())?,
            other => return Err(format!("unknown {other:?}: {USAGE}")),
        }
    }
    let (catalog, out) = catalog.zip(out).ok_or(USAGE)?;
    let (rows, _) = Rows::load(&catalog).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let made = Maker::new(&rows, seed).make(per_brand);
    std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    let write = |name: &str, of: &dyn Fn(&touchstone_benches::listings::Made) -> String| {
        let path = out.join(name);
        let lines: String = made.iter().map(|m| of(m) + "\n").collect();
        std::fs::write(&path, lines).map_err(|e| format!("{}: {e}", path.display()))
    };
    write("listings.jsonl", &|m| m.listing.to_string())?;
    write("labels.jsonl", &|m| m.label.to_string())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // There is nowhere left to report a failure to report.
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::from(2)
        }
    }
}
