//! Protobuf's binary form: a message as its fields.

/// The content of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<'m> {
    Number(u64),
    /// Eight bytes.
    Fixed(u64),
    Bytes(&'m [u8]),
    /// Four bytes; no message that is read here has any.
    Short,
}

impl<'m> Field<'m> {
    pub(super) fn bytes(self) -> Option<&'m [u8]> {
        if let Field::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// The fields of a message, with their numbers, in order. What is broken ends the message.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    let mut rest = message;
    std::iter::from_fn(move || {
        let tag = varint(&mut rest)?;
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut rest)?),
            1 => {
                let (bytes, after) = rest.split_first_chunk()?;
                rest = after;
                Field::Fixed(u64::from_le_bytes(*bytes))
            }
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Field::Bytes(bytes)
            }
            5 => {
                rest = rest.get(4..)?;
                Field::Short
            }
            _ => return None,
        };
        Some((tag >> 3, field))
    })
}

/// A number of at most ten bytes, seven bits in each, the lowest first.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for place in 0..10u32 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f).wrapping_shl(place.wrapping_mul(7));
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
