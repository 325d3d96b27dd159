//! Whether this machine, or this container, has the memory that a configuration asks for.

use super::Finding;
use crate::config::Config;

const MIB: u64 = 1 << 20;
/// What pictures may take: two generations of the cache, bytes on their way, and those that were fetched.
const PICTURES: u64 = (512 + 256 + 64) * MIB;
/// What librdkafka fetches ahead.
const AHEAD: u64 = 16 * MIB;
/// Bytes of a listing that is remembered.
const REMEMBERED: u64 = 50;
/// Batches on their way, each as it came, as it is read, and as what comes of it.
const BATCHES: u64 = 4 * 3;

/// What was found. The catalog is loaded already, so that it counts as it is.
pub(super) fn look(config: &Config, partitions: usize) -> Vec<Finding> {
    let worker = &config.worker;
    let remembered = worker.remembered_listings * 2 * REMEMBERED * partitions as u64;
    let needed = resident() + BATCHES * worker.batch_bytes + remembered + PICTURES + AHEAD;
    let there = limit();
    let found = format!("{} MiB are there, and a worker may take {} MiB with this catalog and all partitions", there / MIB, needed / MIB);
    let advice = "give it more memory, or lower worker.batch_bytes or worker.remembered_listings";
    vec![match there {
        0 => Finding::doubtful("memory", "cannot be read here".to_owned(), "see to it that there is enough"),
        _ if needed > there => Finding::bad("memory", found, advice),
        _ if needed > there / 10 * 8 => Finding::doubtful("memory", found, advice),
        _ => Finding::good("memory", found),
    }]
}

/// What this process holds; bytes.
fn resident() -> u64 {
    field("/proc/self/status", "VmRSS:")
}

/// What the machine has, or less where a container is given less; bytes.
fn limit() -> u64 {
    let machine = field("/proc/meminfo", "MemTotal:");
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    container.map_or(machine, |container: u64| container.min(machine))
}

/// A number of kibibytes behind a name.
fn field(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    value.map_or(0, |kib: u64| kib << 10)
}
