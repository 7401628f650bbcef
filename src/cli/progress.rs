//! Progress bars: on a terminal only, on standard error, gone when the work is done.

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// A bar that counts bytes; without a total it shows bytes and rate only.
pub(super) fn bytes(total: Option<u64>) -> ProgressBar {
    let template = if total.is_some() {
        "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} ETA {eta}"
    } else {
        "{spinner} {bytes} {bytes_per_sec} {msg}"
    };
    bar(total, template)
}

/// A bar that counts things.
pub(super) fn count(total: Option<u64>) -> ProgressBar {
    let template = if total.is_some() {
        "{bar:30} {human_pos}/{human_len} {rate} {msg} ETA {eta}"
    } else {
        "{spinner} {human_pos} {rate} {msg}"
    };
    bar(total, template)
}

/// Things a second, without decimals.
fn rate(state: &ProgressState, to: &mut dyn Write) {
    // A bar that cannot be drawn is not worth a failure.
    let _ = write!(to, "{:.0}/s", state.per_sec());
}

fn bar(total: Option<u64>, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(8));
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("rate", rate));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
