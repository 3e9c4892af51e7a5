use super::*;

#[test]
fn lines_keep_case_order_duplicates_and_bytes() {
    let mut buffer = b"\r\nGET / HTTP/1.1\r\nX-A:\t\xff \r\nx-a:\r\nX-A: b:c\r\n\r\nrest".to_vec();
    let head = take_head(&mut buffer).unwrap().unwrap();
    let lines: Vec<_> = head.headers.iter().collect();
    let expected: [(&[u8], &[u8]); 3] = [(b"X-A", b"\xff"), (b"x-a", b""), (b"X-A", b"b:c")];
    assert_eq!(lines, expected);
    assert_eq!(head.start, b"GET / HTTP/1.1");
    assert_eq!(buffer, b"rest");
}

#[test]
fn a_chunked_body_may_arrive_in_any_pieces() {
    let whole = b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nt: 1\r\n\r\nnext";
    let end = whole.len() - 4;
    for cut in 0..end {
        let mut buffer = whole[..cut].to_vec();
        assert!(take_body(&mut buffer, Framing::Chunked, false).unwrap().is_none(), "cut at {cut}");
    }
    let mut buffer = whole.to_vec();
    let body = take_body(&mut buffer, Framing::Chunked, false).unwrap().unwrap();
    assert_eq!(body.bytes, b"abcde");
    assert_eq!(body.trailers.text("t").as_deref(), Some("1"));
    assert_eq!(buffer, b"next");
}

#[test]
fn what_is_written_is_read_back() {
    let mut trailers = Headers::default();
    trailers.push("x-t", b"\x80");
    let mut buffer = Vec::new();
    push_chunked(&mut buffer, b"body", &trailers);
    let body = take_body(&mut buffer, Framing::Chunked, true).unwrap().unwrap();
    assert_eq!((body.bytes.as_slice(), body.trailers), (&b"body"[..], trailers));
}

#[test]
fn an_early_close_is_an_error() {
    let mut buffer = b"abc".to_vec();
    assert!(take_body(&mut buffer, Framing::Length(4), false).unwrap().is_none());
    let error = take_body(&mut buffer, Framing::Length(4), true).unwrap_err();
    assert!(error.to_string().contains("after 3 bytes"), "{error}");
}
