//! Numbers as bytes: seven bits to a byte, the lowest first. Most numbers of a rollback are small.

/// Numbers to be written.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    #[inline(never)]
    pub(super) fn put(&mut self, number: u64) {
        let mut left = number;
        while left >= 0x80 {
            // The low seven bits, and one that says that more follow.
            self.0.push(u8::try_from(left & 0x7f).unwrap_or_default() | 0x80);
            left >>= 7;
        }
        self.0.push(u8::try_from(left).unwrap_or_default());
    }

    pub(super) fn all(&mut self, numbers: impl IntoIterator<Item = u64>) {
        numbers.into_iter().for_each(|number| self.put(number));
    }

    /// A list, after its length.
    pub(super) fn list<T>(&mut self, of: &[T], mut one: impl FnMut(&mut Self, &T)) {
        self.put(u64::try_from(of.len()).unwrap_or_default());
        of.iter().for_each(|item| one(self, item));
    }
}

/// Numbers to be read. What is not complete is nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl Reader<'_> {
    #[inline(never)]
    pub(super) fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0u64, 0u32);
        loop {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(first & 0x7f).checked_shl(shift)?;
            if first & 0x80 == 0 {
                return Some(number);
            }
            shift = shift.saturating_add(7);
        }
    }

    pub(super) fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// A list of at most so many.
    pub(super) fn list<T>(
        &mut self,
        most: usize,
        mut one: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let length = usize::try_from(self.number()?).ok().filter(|length| *length <= most)?;
        let mut list = Vec::with_capacity(length);
        for _ in 0..length {
            list.push(one(self)?);
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Reader, Writer};

    #[test]
    fn numbers_come_back() {
        let numbers = [0, 1, 127, 128, 1 << 31, u64::MAX];
        let mut writer = Writer::default();
        writer.all(numbers);
        let mut reader = Reader(&writer.0);
        assert_eq!(numbers.map(|_| reader.number().unwrap()), numbers);
        assert_eq!(reader.number(), None);
        assert_eq!(Reader(&[0xff; 20]).number(), None);
        assert_eq!(Reader(&[9]).list(8, Reader::number), None);
    }
}
