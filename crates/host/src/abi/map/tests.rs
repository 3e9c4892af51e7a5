//! Buffers as Envoy writes them, truncated buffers, and hostile ones.

use super::Pairs;

const PAIRS: [(&[u8], &[u8]); 4] =
    [(b":path", b"/"), (b"x-a", b""), (b"x-a", b"\xff\0\x80"), (b"", b"value")];

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap().to_le_bytes()
}

fn encoded(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let lengths = pairs.iter().flat_map(|(name, value)| [word(name.len()), word(value.len())]);
    let texts = pairs.iter().flat_map(|(name, value)| [*name, b"\0", *value, b"\0"]);
    [word(pairs.len()).to_vec(), lengths.flatten().collect(), texts.flatten().copied().collect()].concat()
}

fn read(bytes: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut pairs = Pairs::of(bytes);
    let read = pairs.by_ref().collect();
    assert_eq!((pairs.next(), pairs.size_hint()), (None, (0, Some(0))), "an end is an end");
    read
}

#[test]
fn every_pair_in_order_as_it_is() {
    assert_eq!(read(&encoded(&PAIRS)), PAIRS);
    assert_eq!(Pairs::of(&encoded(&PAIRS)).size_hint(), (0, Some(4)));
    assert_eq!(read(&encoded(&[])), []);
    assert_eq!(read(b""), []);
    // Bytes after the last pair are ignored.
    assert_eq!(read(&[encoded(&PAIRS), b"more".to_vec()].concat()), PAIRS);
}

#[test]
fn cut_anywhere_it_gives_what_is_whole() {
    let whole = encoded(&PAIRS);
    let ends = (0..=PAIRS.len()).map(|count| {
        let texts = PAIRS.iter().take(count).map(|(name, value)| name.len() + value.len() + 2);
        4 + 8 * PAIRS.len() + texts.sum::<usize>()
    });
    let ends: Vec<usize> = ends.collect();
    for cut in 0..whole.len() {
        let count = ends.iter().skip(1).filter(|end| **end <= cut).count();
        assert_eq!(read(&whole[..cut]), PAIRS[..count], "{cut} of {} bytes", whole.len());
    }
}

#[test]
fn no_number_makes_it_read_beyond_the_end() {
    let whole = encoded(&PAIRS);
    for word in 0..=2 * PAIRS.len() {
        for number in [0, 1, 6, 0x7f, 0x80, 0xffff, 0x1fff_ffff, 0x2000_0000, u32::MAX / 2, u32::MAX] {
            let mut bytes = whole.clone();
            bytes[4 * word..4 * word + 4].copy_from_slice(&number.to_le_bytes());
            // The pairs before the wrong number are read correctly, and no more pairs come than there
            // are.
            let intact = word.div_ceil(2).saturating_sub(1);
            let read = read(&bytes);
            assert_eq!(read.iter().zip(&PAIRS).take(intact).find(|(read, pair)| read != pair), None);
            assert!(read.len() <= PAIRS.len(), "{number} at {word}");
        }
    }
}

#[test]
fn a_text_ends_with_a_nul() {
    let mut bytes = encoded(&PAIRS);
    *bytes.last_mut().unwrap() = b'x';
    assert_eq!(read(&bytes), PAIRS[..3]);
}
