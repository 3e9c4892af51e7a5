//! What stands under a name, read anew for every question.

type Header = (Vec<u8>, Vec<u8>);

/// One value for each line, without the blanks and tabs around it.
pub(crate) fn header(headers: &[&Header], name: &str) -> Vec<Vec<u8>> {
    let name = name.to_lowercase();
    let lines = headers.iter().filter(|(found, _)| found == name.as_bytes());
    lines.map(|(_, value)| bare(value)).collect()
}

fn bare(value: &[u8]) -> Vec<u8> {
    let is_blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = value.iter().take_while(|byte| is_blank(byte)).count();
    let end = value.iter().rev().take_while(|byte| is_blank(byte)).count();
    if start == value.len() { Vec::new() } else { value[start..value.len() - end].to_vec() }
}

/// All of that name, in all `cookie` headers.
pub(crate) fn cookie(headers: &[&Header], name: &str) -> Vec<Vec<u8>> {
    let lines = headers
        .iter()
        .filter(|(found, _)| found == b"cookie")
        .flat_map(|(_, line)| line.split(|b| *b == b';'));
    let pairs = lines.filter_map(|piece| {
        let equals = piece.iter().position(|byte| *byte == b'=')?;
        let value = piece[equals + 1..].trim_ascii();
        let value = if value.len() > 1 && value[0] == b'"' && value.ends_with(b"\"") {
            &value[1..value.len() - 1]
        } else {
            value
        };
        Some((piece[..equals].trim_ascii().to_vec(), value.to_vec()))
    });
    pairs.filter(|(found, _)| found == name.as_bytes()).map(|(_, value)| value).collect()
}

pub(crate) fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if text[at] == b'%' => {
                bytes.push(byte);
                at += 3;
            }
            _ => {
                bytes.push(text[at]);
                at += 1;
            }
        }
    }
    bytes
}
