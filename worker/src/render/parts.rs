//! Small things that many sentences and tables hold. Runs in a worker.

use ssmglobal_ipc::Time;
use std::fmt;

/// `2026-01-31 20:15`, UTC.
pub(crate) fn minute(time: Time) -> impl fmt::Display {
    let text = time.to_string();
    match text.get(..16) {
        Some(minute) => minute.replace('T', " "),
        None => text,
    }
}

/// `5s`, `3m`, `2h`, `4d`.
pub(crate) fn idle(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `1 mail`, `2 mails`.
pub(crate) fn plural<N: TryInto<u64> + Copy>(count: N, what: &str) -> impl fmt::Display {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
