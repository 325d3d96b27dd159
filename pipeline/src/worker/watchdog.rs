//! Ends the process when a call to librdkafka hangs.
//!
//! librdkafka does not hold every transactional call to its time-out: `send_offsets_to_transaction` has been seen to wait for good
//! after a broker died. Nothing in the process can end such a call, so the supervisor must begin again.

use std::time::Duration;

use tracing::error;

use super::flow::Flow;

/// More than half as long again as such a call is given.
const LONGEST: Duration = Duration::from_secs(8);
/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);

/// Watches until `go_on` is false.
pub(super) fn watch(flow: &Flow, go_on: impl Fn() -> bool) {
    while go_on() {
        std::thread::park_timeout(LOOK);
        if flow.calls_for() > LONGEST {
            error!("a call to the brokers has not come back for {LONGEST:?}: the worker ends, and what it had begun is taken again");
            // The hanging thread would be waited for otherwise. All that is on its way is with the brokers or comes again.
            #[allow(clippy::disallowed_methods, reason = "no destructor can run past a thread that hangs")]
            std::process::exit(1);
        }
    }
}
