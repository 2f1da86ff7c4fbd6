//! Close codes: why a connection ended, and whether a client comes back.

use std::fmt;

/// Why a connection ended: the code of the WebSocket's close frame.
///
/// A client comes back, after a random delay, where [`may_return`](Self::may_return) says so; elsewhere the reason
/// would be the same the next time.
///
/// | code | reason | client |
/// |---|---|---|
/// | 1000 | normal: one side has finished | final |
/// | 1001 | going away | comes back |
/// | 1002 | the WebSocket protocol was violated | final |
/// | 1003 | a text message; only binary ones are understood | final |
/// | 1006 | no close frame was seen; never sent | comes back |
/// | 1007 | inconsistent payload | final |
/// | 1008 | policy violated | final |
/// | 1009 | a message over the limit | final |
/// | 1011 | the server broke | comes back |
/// | 1012 | the server restarts | comes back |
/// | 1013 | try again later | comes back |
/// | 4401 | the token expired and was not refreshed | comes back |
/// | 4408 | too slow: reading, finishing a message, or answering a ping | comes back |
/// | 4429 | too much: a flood of pings, opens, resets, credentials or faults; one more connection than a user may have | comes back |
/// | 4500 | the token is invalid | final |
/// | 4501 | a frame does not decode | final |
/// | 4502 | the protocol of this crate was violated | final |
/// | 4503 | a refresh named another subject | final |
/// | 4504 | no subprotocol, or an unknown one | final |
/// | 4505 | authentication is missing | final |
/// | 4506 | the resume was refused | final |
///
/// Others: 1005, 1014 and 4000 to 4499 come back, all else is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseCode {
    /// 1000: one side has finished.
    Normal,
    /// 1001: the endpoint goes away.
    GoingAway,
    /// 1002: the WebSocket protocol was violated.
    ProtocolError,
    /// 1003: a text message.
    Unsupported,
    /// 1006: the connection ended without a close frame. Never sent.
    Abnormal,
    /// 1007: inconsistent payload.
    InvalidPayload,
    /// 1008: policy violated.
    PolicyViolation,
    /// 1009: a message over the limit.
    TooBig,
    /// 1011: the server broke.
    InternalError,
    /// 1012: the server restarts.
    Restart,
    /// 1013: try again later.
    TryAgainLater,
    /// 4401: the token expired and was not refreshed.
    TokenExpired,
    /// 4408: too slow.
    TooSlow,
    /// 4429: too much.
    TooMuch,
    /// 4500: the token is invalid.
    TokenInvalid,
    /// 4501: a frame does not decode.
    FrameInvalid,
    /// 4502: the protocol was violated.
    ProtocolViolated,
    /// 4503: a refresh named another subject.
    SubjectChanged,
    /// 4504: no subprotocol, or an unknown one.
    SubprotocolUnknown,
    /// 4505: authentication is missing.
    AuthenticationMissing,
    /// 4506: the resume was refused.
    ResumeRefused,
    /// Any other code, such as one of the program's own: of 4000 to 4999, a client may come back after those below 4500.
    Other(u16),
}

impl CloseCode {
    /// Every named code, in the order of the numbers.
    pub const ALL: [Self; 21] = [
        Self::Normal,
        Self::GoingAway,
        Self::ProtocolError,
        Self::Unsupported,
        Self::Abnormal,
        Self::InvalidPayload,
        Self::PolicyViolation,
        Self::TooBig,
        Self::InternalError,
        Self::Restart,
        Self::TryAgainLater,
        Self::TokenExpired,
        Self::TooSlow,
        Self::TooMuch,
        Self::TokenInvalid,
        Self::FrameInvalid,
        Self::ProtocolViolated,
        Self::SubjectChanged,
        Self::SubprotocolUnknown,
        Self::AuthenticationMissing,
        Self::ResumeRefused,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::ProtocolError => 1002,
            Self::Unsupported => 1003,
            Self::Abnormal => 1006,
            Self::InvalidPayload => 1007,
            Self::PolicyViolation => 1008,
            Self::TooBig => 1009,
            Self::InternalError => 1011,
            Self::Restart => 1012,
            Self::TryAgainLater => 1013,
            Self::TokenExpired => 4401,
            Self::TooSlow => 4408,
            Self::TooMuch => 4429,
            Self::TokenInvalid => 4500,
            Self::FrameInvalid => 4501,
            Self::ProtocolViolated => 4502,
            Self::SubjectChanged => 4503,
            Self::SubprotocolUnknown => 4504,
            Self::AuthenticationMissing => 4505,
            Self::ResumeRefused => 4506,
            Self::Other(number) => number,
        }
    }

    /// The code of a number.
    #[must_use]
    pub fn from_u16(number: u16) -> Self {
        Self::ALL
            .into_iter()
            .find(|code| code.as_u16() == number)
            .unwrap_or(Self::Other(number))
    }

    /// Whether a close frame may carry it (RFC 6455, section 7.4): 1004, 1005, 1006 and 1015 stand for something else, and
    /// what is neither registered nor left to applications for nothing.
    #[must_use]
    pub const fn may_be_sent(self) -> bool {
        matches!(self.as_u16(), 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// Whether a client may come back, after a random delay.
    #[must_use]
    pub const fn may_return(self) -> bool {
        matches!(self.as_u16(), 1001 | 1005 | 1006 | 1011..=1014 | 4000..=4499)
    }

    /// Whether a client that came back would meet the same reason again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !self.may_return()
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::CloseCode;

    #[test]
    fn a_client_comes_back_where_the_threat_model_says_so() {
        let comes_back = [
            1001, 1005, 1006, 1011, 1012, 1013, 1014, 4000, 4401, 4408, 4429, 4499,
        ];
        let is_final = [
            1000, 1002, 1003, 1007, 1008, 1009, 1010, 1015, 3000, 4500, 4501, 4502, 4503, 4504, 4505, 4506,
            4999,
        ];
        for number in comes_back {
            assert!(CloseCode::from_u16(number).may_return(), "{number}");
        }
        for number in is_final {
            assert!(CloseCode::from_u16(number).is_final(), "{number}");
        }
    }

    #[test]
    fn what_stands_for_no_close_frame_is_in_none() {
        for number in [1000, 1003, 1007, 1014, 3000, 4401, 4999] {
            assert!(CloseCode::from_u16(number).may_be_sent(), "{number}");
        }
        for number in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            assert!(!CloseCode::from_u16(number).may_be_sent(), "{number}");
        }
    }

    #[test]
    fn every_number_is_kept() {
        for number in 0..=u16::MAX {
            assert_eq!(CloseCode::from_u16(number).as_u16(), number);
        }
        for code in CloseCode::ALL {
            assert_eq!(CloseCode::from_u16(code.as_u16()), code);
        }
    }
}
