//! The conditions of attribute-gen configurations: a part of CEL.
//!
//! ```text
//! request.url_path == '/books' && request.method in ['GET', 'HEAD']
//! request.url_path.startsWith('/books/') && response.code >= 500
//! !request.url_path.matches('^/reviews/[[:alnum:]]*$') || 'x-lane' in request.headers
//! ```
//!
//! A condition outside this part is refused by name; nothing is ignored. A comparison with a missing
//! value fails in CEL, and neither it nor its negation is true. So negation is brought down to the
//! comparisons, and a condition holds here exactly if it is true in CEL.

mod reader;
mod words;

use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use reader::Reader;

/// One of the alternatives of a condition: all its parts must hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    /// Matches as a policy writes them. There is more than one if two parts are about the same thing.
    pub(super) matches: Vec<PolicyValue>,
    pub(super) numbers: Numbers,
}

/// A number that is known in the log phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// The code of the response.
    Code,
    /// The status of gRPC; of an answer without one, the status that its code stands for.
    GrpcStatus,
}

/// What numbers must be: ranges with both ends included, perhaps inverted.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers(Vec<(Number, u64, u64, bool)>);

impl Numbers {
    /// Bytes that they take at most.
    pub(super) fn weight(&self) -> usize {
        self.0.len().saturating_mul(2usize.saturating_mul(size_of::<(Number, u64, u64, bool)>()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a condition on this number.
    pub(super) fn ask_for(&self, number: Number) -> bool {
        self.0.iter().any(|(of, ..)| *of == number)
    }

    /// Whether the numbers meet these conditions. A number that is not known meets none.
    pub(super) fn hold(&self, known: &dyn Fn(Number) -> Option<u64>) -> bool {
        let holds = |(of, from, to, inverted): &(Number, u64, u64, bool)| {
            known(*of).is_some_and(|number| (*from..=*to).contains(&number) != *inverted)
        };
        self.0.iter().all(holds)
    }
}

/// Reads a condition into its alternatives. Without any it never holds.
pub(super) fn read(text: &str) -> Result<Vec<Condition>, Invalid> {
    if text.len() > limits::VALUE_BYTES {
        return Err(refuse("the condition is longer than 4096 bytes"));
    }
    let mut reader = Reader::new(text);
    let alternatives = reader.any(false)?;
    if reader.is_at_end() {
        return Ok(alternatives);
    }
    Err(refuse(&format!("{:?} is not understood here", reader.word())))
}

fn refuse(message: &str) -> Invalid {
    Invalid::new(
        Code::BadCondition,
        message,
        "supported: request.url_path, .path, .method, .host, .scheme, .useragent, .referer, .id, .headers['x'] with ==, \
         !=, in, .startsWith(), .endsWith(), .contains(), .matches(); 'x' in request.headers; response.code and \
         response.grpc_status with == != < <= > >= in; &&, ||, ! and parentheses",
    )
}

impl Condition {
    /// Both conditions. Where both are about the same thing, the second goes into another match.
    fn and(mut self, other: &Self) -> Self {
        for part in &other.matches {
            let PolicyValue::Table(fields) = part else { continue };
            let room = self.matches.iter_mut().find_map(|table| match table {
                PolicyValue::Table(known)
                    if !known.iter().any(|(name, _)| fields.iter().any(|(f, _)| f == name)) =>
                {
                    Some(known)
                }
                _ => None,
            });
            match room {
                Some(known) => known.extend(fields.iter().cloned()),
                None => self.matches.push(part.clone()),
            }
        }
        self.numbers.0.extend_from_slice(&other.numbers.0);
        self
    }
}
