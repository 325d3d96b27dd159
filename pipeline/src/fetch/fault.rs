//! Why a picture could not be fetched.

/// Why a picture could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchFault {
    /// No URL, or one that is not followed: a scheme or a store that is not known here, `..`, credentials, port 0.
    NotALink,
    /// The host is at an address inside the own network, or the file outside of its folder.
    ForbiddenAddress,
    /// A store does not let it be read, or has none to those who may not list it.
    NotPermitted,
    /// The name has no address, nobody listens there, or TLS failed.
    Unreachable,
    TimedOut,
    /// Another answer than 200; 404 for a file that is not there.
    Status(u16),
    TooManyRedirects,
    TooManyBytes,
    /// The answer ended before it was whole, or made no sense; a store's credentials could not be had.
    CutOff,
    /// The host failed so often that it is left alone for a while.
    CircuitOpen,
    /// Too much is asked at once: of this host, or of all.
    Busy,
}

impl FetchFault {
    /// As metrics and events name it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotALink => "not_a_link",
            Self::ForbiddenAddress => "forbidden_address",
            Self::NotPermitted => "not_permitted",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Status(_) => "status",
            Self::TooManyRedirects => "too_many_redirects",
            Self::TooManyBytes => "too_many_bytes",
            Self::CutOff => "cut_off",
            Self::CircuitOpen => "circuit_open",
            Self::Busy => "busy",
        }
    }

    /// Asking again soon would end the same.
    pub(crate) fn lasts(self) -> bool {
        match self {
            Self::NotALink | Self::ForbiddenAddress | Self::NotPermitted | Self::TooManyRedirects | Self::TooManyBytes => true,
            Self::Status(status) => (400..500).contains(&status) && !matches!(status, 408 | 425 | 429),
            Self::Unreachable | Self::TimedOut | Self::CutOff | Self::CircuitOpen | Self::Busy => false,
        }
    }

    /// Asking again at once may end better.
    pub(super) fn may_pass(self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut | Self::Status(429 | 500 | 502..=504))
    }
}

#[cfg(test)]
mod tests {
    use super::FetchFault::*;

    #[test]
    fn no_fault_both_lasts_and_may_pass() {
        let table = [
            (NotALink, true, false),
            (ForbiddenAddress, true, false),
            (NotPermitted, true, false),
            (TooManyRedirects, true, false),
            (TooManyBytes, true, false),
            (Status(403), true, false),
            (Status(404), true, false),
            (Status(408), false, false),
            (Status(429), false, true),
            (Status(500), false, true),
            (Status(501), false, false),
            (Status(503), false, true),
            (Status(204), false, false),
            (Unreachable, false, true),
            (TimedOut, false, true),
            (CutOff, false, false),
            (CircuitOpen, false, false),
            (Busy, false, false),
        ];
        for (fault, lasts, may_pass) in table {
            assert_eq!((fault.lasts(), fault.may_pass()), (lasts, may_pass), "{fault:?}");
        }
    }
}
