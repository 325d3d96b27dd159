//! An evidence bundle: JSON Lines that show when any byte of them was changed.
//!
//! The first line is a head, whose last key is `chain`, the hash of the line without it. Each line of a record is
//! `{"n": …, "topic": …, "record": …, "sha256": …, "chain": …}`: `sha256` is that of the record's bytes as they stand there, `chain` that of
//! the line before's chain, the topic and this `sha256`, with line feeds between them. The last line is `{"count": …, "chain": …}`. Who keeps
//! the last chain apart can tell, too, whether all of the bundle was written anew.

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use touchstone_detectors::hex;

/// Writes the lines of a bundle, each without its line feed.
#[derive(Debug)]
pub struct Chain {
    count: u64,
    last: String,
}

impl Chain {
    /// Begins with a head, which must be a JSON object with at least one key and no line feed; gives its line.
    pub fn begin(head: &str) -> (Self, String) {
        let last = hash(head.as_bytes());
        let line = head_line(head, &last);
        (Self { count: 0, last }, line)
    }

    /// The line of a record, which must be a JSON text. Line feeds between its parts become spaces; nothing else of it changes.
    pub fn record(&mut self, topic: &str, record: &str) -> String {
        let record = record.trim().replace(['\n', '\r'], " ");
        self.count += 1;
        let sum = hash(record.as_bytes());
        self.last = next(&self.last, topic, &sum);
        record_line(self.count, topic, &record, &sum, &self.last)
    }

    /// The last line.
    pub fn end(&self) -> String {
        end_line(self.count, &self.last)
    }

    /// The chain so far: in the end, what to keep apart from the bundle.
    pub fn last(&self) -> &str {
        &self.last
    }
}

/// Reads a bundle line by line.
#[derive(Debug, Default)]
pub struct Checker {
    /// Lines so far.
    lines: u64,
    chain: Option<Chain>,
    ended: bool,
}

#[derive(Deserialize)]
struct Line<'a> {
    n: u64,
    topic: String,
    #[serde(borrow)]
    record: &'a RawValue,
    sha256: String,
    chain: String,
}

impl Checker {
    /// Checks the next line, without its line feed.
    ///
    /// # Errors
    /// What is wrong with it, when it is not as it was written: the first such line was tampered with.
    pub fn line(&mut self, line: &[u8]) -> Result<(), String> {
        self.lines += 1;
        self.check(line).map_err(|what| format!("line {}: {what}", self.lines))
    }

    /// Checks that nothing is missing; gives the number of records and the last chain.
    ///
    /// # Errors
    /// What is missing.
    pub fn end(self) -> Result<(u64, String), String> {
        match self.chain {
            Some(chain) if self.ended => Ok((chain.count, chain.last)),
            _ => Err(format!("line {}: is missing, with all behind it, which ends with the count", self.lines + 1)),
        }
    }

    fn check(&mut self, line: &[u8]) -> Result<(), String> {
        let line = std::str::from_utf8(line).map_err(|e| format!("is not UTF-8: {e}"))?;
        let Some(chain) = &mut self.chain else {
            let (head, told) = line
                .strip_suffix("\"}")
                .and_then(|rest| rest.rsplit_once(",\"chain\":\""))
                .ok_or("is no head of a bundle: expected an object that ends with its chain")?;
            let (chain, written) = Chain::begin(&format!("{head}}}"));
            if chain.last != told || written != line {
                return Err(format!("the head was changed: its chain is {told}, and that of its bytes {}", chain.last));
            }
            self.chain = Some(chain);
            return Ok(());
        };
        if self.ended {
            return Err("was added behind the end".to_owned());
        }
        if line == chain.end() {
            self.ended = true;
            return Ok(());
        }
        let read: Line<'_> =
            serde_json::from_str(line).map_err(|e| format!("is no line of a record, nor the end that belongs here: {e}"))?;
        let n = chain.count + 1;
        if read.n != n {
            return Err(format!("expected n {n}, found {}: lines were taken out, added or moved", read.n));
        }
        let sum = hash(read.record.get().as_bytes());
        if read.sha256 != sum {
            return Err(format!("the record was changed: its sha256 is {sum}, and the line says {:?}", read.sha256));
        }
        let written = chain.record(&read.topic, read.record.get());
        if read.chain != chain.last {
            return Err(format!("the chain breaks: expected {}, found {:?}: this line or one before was changed", chain.last, read.chain));
        }
        if written != line {
            return Err("the line was written otherwise than bundles are: signs between its parts were changed".to_owned());
        }
        Ok(())
    }
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn next(chain: &str, topic: &str, sum: &str) -> String {
    hash(format!("{chain}\n{topic}\n{sum}").as_bytes())
}

fn head_line(head: &str, chain: &str) -> String {
    format!("{},\"chain\":\"{chain}\"}}", head.strip_suffix('}').unwrap_or(head))
}

fn record_line(n: u64, topic: &str, record: &str, sum: &str, chain: &str) -> String {
    // A text as JSON writes it.
    let topic = serde_json::Value::from(topic);
    format!("{{\"n\":{n},\"topic\":{topic},\"record\":{record},\"sha256\":\"{sum}\",\"chain\":\"{chain}\"}}")
}

fn end_line(count: u64, chain: &str) -> String {
    format!("{{\"count\":{count},\"chain\":\"{chain}\"}}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bundle(records: &[(&str, String)]) -> Vec<String> {
        let (mut chain, head) = Chain::begin(r#"{"format":"touchstone-case-1","case_id":"case-1"}"#);
        let mut lines = vec![head];
        lines.extend(records.iter().map(|(topic, record)| chain.record(topic, record)));
        lines.push(chain.end());
        lines
    }

    fn verify(bytes: &[u8]) -> Result<(u64, String), String> {
        let mut checker = Checker::default();
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        bytes.split(|b| *b == b'\n').try_for_each(|line| checker.line(line))?;
        checker.end()
    }

    fn three() -> Vec<String> {
        bundle(&[
            ("suspects", "{\"a\": 1,\r\n \"b\":\"x\\ny\"}\n".to_owned()),
            ("verdicts", "{\"é\":[1.0,{}]}".to_owned()),
            ("removals", "{}".to_owned()),
        ])
    }

    #[test]
    fn what_was_written_is_sound_and_other_orders_are_not() {
        let lines = three();
        let (count, chain) = verify(lines.join("\n").as_bytes()).expect("a sound bundle");
        assert_eq!((count, lines[4].contains(&chain)), (3, true));
        assert!(serde_json::from_str::<serde_json::Value>(&lines[0]).is_ok());
        let pick = |order: &[usize]| verify(order.iter().map(|i| lines[*i].as_str()).collect::<Vec<_>>().join("\n").as_bytes());
        for (order, line) in [
            (&[0, 2, 1, 3, 4][..], "line 2:"),
            (&[0, 1, 3, 4], "line 3:"),
            (&[0, 1, 2, 3], "line 5:"),
            (&[0, 1, 2, 4], "line 4:"),
            (&[1, 2, 3, 4], "line 1:"),
            (&[0, 1, 1, 2, 3, 4], "line 3:"),
            (&[0, 1, 2, 3, 4, 4], "line 6:"),
            (&[0, 0, 1, 2, 3, 4], "line 2:"),
            (&[0], "line 2:"),
        ] {
            let told = pick(order).expect_err("tampered with");
            assert!(told.starts_with(line), "{order:?}: {told}");
        }
        assert!(verify(b"").is_err());
    }

    #[test]
    fn a_change_of_any_byte_is_found_in_its_line() {
        let lines = three();
        for (i, line) in lines.iter().enumerate() {
            for at in 0..line.len() {
                for flip in [1_u8, 4, 32, 128] {
                    let mut changed: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
                    changed[i][at] ^= flip;
                    let told = verify(&changed.join(&b'\n')).expect_err("tampered with");
                    assert!(told.starts_with(&format!("line {}:", i + 1)), "byte {at} of line {i}: {told}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_change_of_bytes_is_found(
            texts in proptest::collection::vec("\\PC{0,20}", 1..6),
            at in any::<proptest::sample::Index>(),
            to in any::<u8>(),
            how in 0..3,
        ) {
            let records: Vec<_> = texts.iter().map(|text| ("links", serde_json::json!({"text": text, "n": 1}).to_string())).collect();
            let sound = bundle(&records).join("\n").into_bytes();
            prop_assert!(verify(&sound).is_ok());
            let (mut changed, at) = (sound.clone(), at.index(sound.len()));
            match how {
                0 => changed[at] = to,
                1 => changed.insert(at, to),
                _ => drop(changed.remove(at)),
            }
            prop_assert_eq!(verify(&changed).is_ok(), changed == sound);
        }
    }
}
