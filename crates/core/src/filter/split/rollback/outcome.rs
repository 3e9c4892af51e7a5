//! What a request that has been served says of the backend that served it.

use crate::filter::split::served::Served;

/// What a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was served.
    Good,
    /// It was refused as the client's fault.
    Refused,
    /// It failed.
    Failed,
    /// Nothing: the client has left.
    Gone,
}

/// Flags of Envoy: the connection of the client was closed, its stream was reset.
const LEFT: u64 = 1 << 14 | 1 << 28;
/// The code for a client that has left, in some proxies.
const CLIENT_CLOSED: u16 = 499;
/// The gRPC status of a call that the client gave up.
const CANCELLED: u64 = 1;

impl Outcome {
    /// What this request says. Envoy derives a gRPC status from the code where a response has none.
    pub(super) fn of(served: &Served<'_>, is_grpc: bool, retries: bool) -> Self {
        let status = served.grpc.filter(|_| is_grpc);
        let has_left = served.flags & LEFT != 0 || served.code == CLIENT_CLOSED;
        if has_left || status == Some(CANCELLED) {
            return Self::Gone;
        }
        let has_failed = match served.code {
            0 | 500.. => true,
            _ if retries && served.attempts > 1 => true,
            _ if is_grpc => status.is_none_or(|status| matches!(status, 2 | 4 | 12..=15)),
            _ => false,
        };
        match (has_failed, status, served.code) {
            (true, ..) => Self::Failed,
            (_, Some(status), _) if status > 0 => Self::Refused,
            (_, None, 400..=499) => Self::Refused,
            _ => Self::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Outcome::{Failed, Gone, Good, Refused};
    use super::{Outcome, Served};

    fn of(code: u16) -> Outcome {
        Outcome::of(&Served { code, ..Served::default() }, false, false)
    }

    #[test]
    fn by_the_code() {
        for (code, says) in [
            (0, Failed),
            (101, Good),
            (200, Good),
            (304, Good),
            (400, Refused),
            (429, Refused),
            (499, Gone),
            (500, Failed),
            (503, Failed),
            (599, Failed),
        ] {
            assert_eq!(of(code), says, "{code}");
        }
    }

    #[test]
    fn who_left_says_nothing() {
        for flags in [1 << 14, 1 << 28] {
            for code in [0, 200, 503] {
                let served = Served { code, flags, ..Served::default() };
                assert_eq!(Outcome::of(&served, false, true), Gone, "{code}");
            }
        }
    }

    #[test]
    fn grpc_says_it_in_its_status() {
        let of = |grpc| Outcome::of(&Served { code: 200, grpc, ..Served::default() }, true, false);
        assert_eq!(of(None), Failed);
        for status in 0..=20 {
            let says = match status {
                0 => Good,
                1 => Gone,
                2 | 4 | 12..=15 => Failed,
                _ => Refused,
            };
            assert_eq!(of(Some(status)), says, "{status}");
        }
        let served = Served { code: 200, grpc: Some(13), ..Served::default() };
        assert_eq!(Outcome::of(&served, false, false), Good, "it is no call of gRPC");
    }

    #[test]
    fn a_retry_hides_a_failure_unless_the_policy_says_so() {
        let served = Served { code: 200, attempts: 2, ..Served::default() };
        assert_eq!(Outcome::of(&served, false, false), Good);
        assert_eq!(Outcome::of(&served, false, true), Failed);
    }
}
