//! "Did you mean", for people at a command line: two letters in each other's place are near, however
//! short the name is.

use narrows_core::nearest;

/// "did you mean …?" for the known name that is nearest to the written one, if one is near enough.
pub(crate) fn suggestion(written: &str, known: &[&str]) -> Option<String> {
    let swapped = known.iter().find(|name| is_swapped(written, name));
    swapped.map(|name| format!("did you mean {name:?}?")).or_else(|| nearest::suggestion(written, known))
}

/// Whether two neighbours have changed places, and nothing else.
fn is_swapped(one: &str, other: &str) -> bool {
    let differ: Vec<_> = one.bytes().zip(other.bytes()).enumerate().filter(|(_, (a, b))| a != b).collect();
    let [(first, (a, b)), (second, (c, d))] = &*differ else { return false };
    one.len() == other.len() && first + 1 == *second && (a, b) == (d, c)
}

/// Whether one letter was forgotten, added or mistaken, or two have changed places: a slip, whatever the
/// names mean.
pub(crate) fn is_slip(one: &str, other: &str) -> bool {
    let same = |(a, b): &(u8, u8)| a == b;
    let front = one.bytes().zip(other.bytes()).take_while(same).count();
    let shorter = one.len().min(other.len());
    let back = one.bytes().rev().zip(other.bytes().rev()).take_while(same).count().min(shorter - front);
    let rest = |text: &str| text.len() - front - back;
    one != other && ((rest(one) <= 1 && rest(other) <= 1) || is_swapped(one, other))
}

#[cfg(test)]
mod tests {
    use super::{is_slip, suggestion};

    #[test]
    fn two_letters_in_each_others_place_are_near() {
        let known = ["url", "to"];
        assert_eq!(suggestion("ulr", &known).as_deref(), Some("did you mean \"url\"?"));
        assert_eq!(suggestion("ot", &known).as_deref(), Some("did you mean \"to\"?"));
        assert_eq!(suggestion("lru", &known), None);
        assert_eq!(suggestion("urls", &known).as_deref(), Some("did you mean \"url\"?"));
    }

    #[test]
    fn a_slip_is_one_letter() {
        let right = "x-narrows-route";
        for slip in
            ["x-narrows-rout", "x-narows-route", "x-narrows-rotue", "x-narrows_route", "xx-narrows-route"]
        {
            assert!(is_slip(slip, right) && is_slip(right, slip), "{slip}");
        }
        for other in [right, "x-narrows-lane", "x-route", "", "x-narow-route"] {
            assert!(!is_slip(other, right), "{other}");
        }
    }
}
