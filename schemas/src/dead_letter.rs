//! The dead letter: an input that could not be used, with the reason.

use crate::decode::record;
use crate::time::Timestamp;

record! {
    /// An input that could not be used. In Kafka the payload is the value and the rest are headers.
    pub struct DeadLetter {
        /// What kind of fault it is.
        req reason: String,
        /// JSON path of the fault; empty for the whole payload.
        req path: String,
        /// What was found and what is expected.
        req detail: String,
        /// The topic, or the file, that it came from.
        req topic: String,
        /// The partition.
        opt partition: u64,
        /// The offset, or the line of the file, counted from 1.
        req offset: u64,
        /// When it was written to the topic.
        opt timestamp: Timestamp,
        /// Its size in bytes.
        req original_size: u64,
        /// SHA-256 of the whole of it.
        req sha256: String,
        /// The payload as it came, cut at 900 KiB.
        opt payload: String,
        /// The payload in base64, where it is not UTF-8.
        opt payload_base64: String,
    }
}
