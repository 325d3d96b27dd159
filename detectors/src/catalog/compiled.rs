//! A catalog in one file: checked once, its pictures hashed, safe against being cut off or changed on its way.
//!
//! A first line names the format and its version, a second line holds the SHA-256 of the rest, which is the rows as
//! zstd-compressed JSON Lines in the form of the catalog topic: `{"kind": "brand", …row}`, closed by a `version` row.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use touchstone_schemas::{Decode, SetVersion, decode};

use super::rows::{CatalogFault, Row, Rows};

const FORMAT: &str = "touchstone catalog 1\n";
/// A compiled catalog of ten million pictures is far smaller.
const MOST_BYTES: u64 = 8 << 30;

/// Writes rows that were checked.
pub(super) fn write(rows: &Rows, version: &str, path: &Path) -> io::Result<()> {
    let mut text = zstd::Encoder::new(Vec::new(), 3)?;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut put = |kind: &str, mut row: Value| -> io::Result<()> {
        *counts.entry(kind.to_owned()).or_default() += 1;
        row["kind"] = json!(kind);
        serde_json::to_writer(&mut text, &row)?;
        text.write_all(b"\n")
    };
    fn all<T: Serialize>(kind: &str, rows: &[Row<T>], put: &mut impl FnMut(&str, Value) -> io::Result<()>) -> io::Result<()> {
        rows.iter().try_for_each(|r| put(kind, serde_json::to_value(&r.row)?))
    }
    all("brand", &rows.brands, &mut put)?;
    all("product", &rows.products, &mut put)?;
    all("rights_holder", &rows.rights_holders, &mut put)?;
    all("authorised_seller", &rows.authorised_sellers, &mut put)?;
    all("offender", &rows.offenders, &mut put)?;
    all("known_fake", &rows.known_fakes, &mut put)?;
    all("category", &rows.category_map, &mut put)?;
    for (pack, phrases) in &rows.phrases {
        for phrase in phrases {
            let mut row = serde_json::to_value(&phrase.row)?;
            row["pack"] = json!(pack);
            put("phrase", row)?;
        }
    }
    if let Some(fx) = &rows.fx {
        put("fx", serde_json::to_value(fx)?)?;
    }
    if let Some(policy) = &rows.policy {
        put("policy", json!({"toml": policy}))?;
    }
    let closing = json!({"kind": "version", "catalog_version": version, "rows": counts});
    serde_json::to_writer(&mut text, &closing)?;
    text.write_all(b"\n")?;
    let payload = text.finish()?;

    // Written aside and renamed, so that no reader sees a part.
    let aside = path.with_extension("part");
    let mut file = File::create(&aside)?;
    file.write_all(FORMAT.as_bytes())?;
    writeln!(file, "{}", crate::hex(&Sha256::digest(&payload)))?;
    file.write_all(&payload)?;
    file.sync_all()?;
    std::fs::rename(&aside, path)
}

/// Reads the rows of a compiled file.
pub(super) fn read(path: &Path) -> Result<Rows, CatalogFault> {
    let fault = |line: usize, message: String| CatalogFault { file: path.to_owned(), line, message, warning: false };
    let whole = |message: &str| fault(0, message.to_owned());
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    read.map_err(|e| fault(0, format!("cannot be read: {e}")))?;
    let rest = bytes.strip_prefix(FORMAT.as_bytes()).ok_or_else(|| {
        whole("is not a compiled catalog of this version: give a catalog folder, or make the file anew with `touchstone catalog build`")
    })?;
    let damaged = || whole("is damaged: its checksum is wrong. Copy it again, or make it anew with `touchstone catalog build`");
    let (sum, payload) = rest.split_at_checked(65).ok_or_else(damaged)?;
    if crate::hex(&Sha256::digest(payload)).as_bytes() != &sum[..64] {
        return Err(damaged());
    }
    let text = zstd::decode_all(payload).map_err(|e| fault(0, format!("cannot be decompressed: {e}")))?;
    let mut rows = Rows::default();
    let mut version = None;
    for (i, line) in text.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        take(&mut rows, &mut version, line, i + 1).map_err(|message| fault(i + 1, message))?;
    }
    let version = version.ok_or_else(|| whole("has no version row: it was not written to its end"))?;
    rows.sort();
    if rows.version() != version.catalog_version {
        return Err(whole("does not hold the rows that its version names: make it anew with `touchstone catalog build`"));
    }
    Ok(rows)
}

fn take(rows: &mut Rows, version: &mut Option<SetVersion>, text: &[u8], line: usize) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Head {
        kind: String,
        #[serde(default)]
        pack: String,
        #[serde(default)]
        toml: String,
    }
    fn row<T: Decode>(text: &[u8], line: usize) -> Result<Row<T>, String> {
        decode::<T>(text).map(|d| Row { row: d.value, line }).map_err(|e| e.to_string())
    }
    let head: Head = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    match head.kind.as_str() {
        "brand" => rows.brands.push(row(text, line)?),
        "product" => rows.products.push(row(text, line)?),
        "rights_holder" => rows.rights_holders.push(row(text, line)?),
        "authorised_seller" => rows.authorised_sellers.push(row(text, line)?),
        "offender" => rows.offenders.push(row(text, line)?),
        "known_fake" => rows.known_fakes.push(row(text, line)?),
        "category" => rows.category_map.push(row(text, line)?),
        "phrase" => rows.phrases.entry(head.pack).or_default().push(row(text, line)?),
        "fx" => rows.fx = Some(row(text, line)?.row),
        "policy" => rows.policy = Some(head.toml),
        "version" => *version = Some(row(text, line)?.row),
        // A later program may write kinds that this one does not know.
        _ => {}
    }
    Ok(())
}
