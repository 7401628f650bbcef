//! Moments: points in time as pages and records carry them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// Nanoseconds since 1970-01-01T00:00:00Z, so that every precision a WARC or a file system gives
/// survives. Printed as RFC 3339 in UTC with as many decimals as are needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub i64);

/// The text is not a moment, or lies outside the years 1678 to 2261.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time; write RFC 3339, such as 2025-08-31T06:01:39Z")]
pub struct MomentError(pub String);

impl Moment {
    /// The moment of a `SystemTime`, `None` outside the representable years.
    #[must_use]
    pub fn from_system_time(time: std::time::SystemTime) -> Option<Self> {
        let stamp = Timestamp::try_from(time).ok()?;
        i64::try_from(stamp.as_nanosecond()).ok().map(Self)
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// Year, month, day, hour, minute and second in UTC as fourteen digits, the spelling of CDX
    /// files and replay addresses.
    #[must_use]
    pub fn fourteen_digits(self) -> String {
        self.timestamp().strftime("%Y%m%d%H%M%S").to_string()
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), out)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    /// Reads RFC 3339; a time without an offset, and a date alone, are taken as UTC. Minutes or
    /// seconds may be left out, and a space may stand for the `T`.
    fn from_str(spelled: &str) -> Result<Self, MomentError> {
        let error = || MomentError(spelled.to_owned());
        let trimmed = spelled.trim();
        let nanos = if let Ok(stamp) = trimmed.parse::<Timestamp>() {
            stamp.as_nanosecond()
        } else {
            let civil: civil::DateTime = trimmed
                .trim_end_matches(['Z', 'z'])
                .parse()
                .map_err(|_| error())?;
            TimeZone::UTC
                .to_timestamp(civil)
                .map_err(|_| error())?
                .as_nanosecond()
        };
        i64::try_from(nanos).map(Self).map_err(|_| error())
    }
}

impl serde::Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_round_trip_through_text() {
        for text in [
            "2025-08-31T06:01:39Z",
            "2025-08-31T06:01:39.123456789Z",
            "1999-12-31T23:59:59Z",
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn missing_offset_means_utc_and_offsets_are_applied() {
        let utc: Moment = "2025-08-31T06:01:00Z".parse().unwrap();
        assert_eq!("2025-08-31T06:01".parse(), Ok(utc));
        assert_eq!("2025-08-31 06:01:00".parse(), Ok(utc));
        assert_eq!("2025-08-31T15:01:00+09:00".parse(), Ok(utc));
        assert!("2025-08-31".parse::<Moment>().is_ok());
        assert!("yesterday".parse::<Moment>().is_err());
        assert!("9999-01-01T00:00:00Z".parse::<Moment>().is_err());
    }

    #[test]
    fn fourteen_digits_are_utc() {
        let moment: Moment = "2025-08-31T06:01:39.9Z".parse().unwrap();
        assert_eq!(moment.fourteen_digits(), "20250831060139");
    }
}
