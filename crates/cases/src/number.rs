//! Numbers. A text in quotes is none, although the reader of YAML would take it for one.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

/// A whole number without quotes, if there is one.
pub(crate) fn optional<'de, T: TryFrom<i128>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Number(PhantomData))
}

struct Number<T>(PhantomData<T>);

fn fit<T: TryFrom<i128>, E: Error>(number: i128) -> Result<Option<T>, E> {
    T::try_from(number).map(Some).map_err(|_| E::custom(format!("{number} is not within its bounds")))
}

impl<T: TryFrom<i128>> Visitor<'_> for Number<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<T>, E> {
        fit(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<T>, E> {
        fit(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<T>, E> {
        Err(E::custom(format!("{number} is no whole number within its bounds")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        Err(E::custom(format!("{text:?} is a text: write the number without quotes")))
    }
}
