//! Spellings of hosts, and HTTP/2 that sends them as they are.

use super::Hosts;

/// A seeded endless sequence of spellings: what each host is called, and what may be done to
/// a name, an address and a port.
pub(super) struct Spellings {
    names: Vec<String>,
    fixed: std::vec::IntoIter<Vec<u8>>,
    random: u64,
}

/// What stands behind a colon.
const PORTS: [&str; 22] = [
    "80",
    "443",
    "",
    "x",
    "443x",
    "+80",
    "-1",
    ".",
    "..",
    "0",
    "65536",
    "99999999999999999999",
    "00080",
    "80:90",
    "80]",
    "@evil.net",
    "[::1]",
    "80.example.com",
    "*",
    "%38%30",
    "80,shop.example.com",
    "]",
];
const ODD: &[u8] = b"aA0-_~.:@%[],;*!$&'()+=";

impl Spellings {
    pub(super) fn new(hosts: &Hosts, seed: u64) -> Self {
        let mut names = Vec::new();
        for domain in hosts.iter().flat_map(|(_, domains, _)| *domains) {
            match domain.strip_prefix("*.") {
                None => names.push((*domain).to_owned()),
                Some(domain) => {
                    for label in ["x", "x.y", "shop", "*", "", "a.", "-", "xn--"] {
                        names.push(format!("{label}.{domain}"));
                    }
                    names.extend([domain.to_owned(), format!("x{domain}"), format!("{domain}.x")]);
                    // About as long as a name can be, and longer.
                    for length in [252usize, 253, 254, 255, 256, 300, 5000] {
                        let rest = length.saturating_sub(domain.len() + 1);
                        names.push(format!("{}.{domain}", "l".repeat(rest)));
                        names.push(format!("{}.{domain}", "l.".repeat(2500).get(..rest).unwrap()));
                    }
                }
            }
        }
        names.extend(
            [
                "",
                ".",
                "..",
                "::1",
                "[",
                "]",
                "[]",
                "::",
                "[::1",
                "[::1]x",
                "other.net",
                "10.1",
                "0x0a000001",
                "[::ffff:10.0.0.1]",
            ]
            .map(ToOwned::to_owned),
        );
        let mut fixed: Vec<Vec<u8>> = names.iter().map(|name| name.clone().into_bytes()).collect();
        for name in ["shop.example.com", "x.internal.example.com", "10.0.0.1", "[::1]", "stock.books.svc", ""]
        {
            for port in PORTS {
                fixed.extend(["", "."].map(|dot| format!("{name}{dot}:{port}").into_bytes()));
            }
        }
        // Every byte, within a name and behind the colon; not what ends a line.
        for byte in (0..=255u8).filter(|byte| !b"\r\n".contains(byte)) {
            fixed.push([b"shop", &[byte][..], b"example.com"].concat());
            fixed.push([b"shop.example.com:", &[byte][..]].concat());
        }
        Self { names, fixed: fixed.into_iter(), random: seed }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % u64::try_from(limit).unwrap()).unwrap()
    }

    fn spelling(&mut self) -> Vec<u8> {
        let name = self.below(self.names.len());
        let mut spelling = self.names[name].clone().into_bytes();
        match self.below(6) {
            0 => spelling.make_ascii_uppercase(),
            1 => {
                let at = self.below(spelling.len() + 1);
                spelling[at..].make_ascii_uppercase();
            }
            2 if !spelling.is_empty() => {
                let at = self.below(spelling.len());
                spelling.remove(at);
            }
            3 => {
                let (at, odd) = (self.below(spelling.len() + 1), self.below(ODD.len()));
                spelling.insert(at, ODD[odd]);
            }
            _ => {}
        }
        spelling.extend(std::iter::repeat_n(b'.', [0, 0, 0, 1, 1, 2][self.below(6)]));
        if self.below(2) == 0 {
            let port = self.below(PORTS.len());
            spelling.push(b':');
            spelling.extend_from_slice(PORTS[port].as_bytes());
        }
        spelling
    }
}

impl Iterator for Spellings {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        Some(self.fixed.next().unwrap_or_else(|| self.spelling()))
    }
}

/// As little HTTP/2 as carries any authority; libraries check it.
pub(crate) mod raw {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::time::Duration;

    /// One connection, one stream at a time.
    pub(crate) struct Connection {
        stream: TcpStream,
        next: u32,
    }

    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const RESET: u8 = 3;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    const END_STREAM: u8 = 1;

    /// A text of HPACK, without Huffman's code.
    fn text(block: &mut Vec<u8>, text: &[u8]) {
        match text.len() {
            short @ 0..127 => block.push(u8::try_from(short).unwrap()),
            long => {
                block.push(127);
                let mut left = long - 127;
                while left >= 128 {
                    block.push(u8::try_from(left % 128).unwrap() | 0x80);
                    left /= 128;
                }
                block.push(u8::try_from(left).unwrap());
            }
        }
        block.extend_from_slice(text);
    }

    impl Connection {
        pub(crate) fn connect(at: SocketAddr) -> std::io::Result<Self> {
            let stream = TcpStream::connect(at)?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.set_nodelay(true)?;
            let mut connection = Self { stream, next: 1 };
            connection.stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
            connection.send(SETTINGS, 0, 0, b"")?;
            // Room for all the answers.
            connection.send(8, 0, 0, &(1u32 << 30).to_be_bytes())?;
            Ok(connection)
        }

        /// The body of the answer; `None` if there is none.
        pub(crate) fn ask(&mut self, authority: &[u8]) -> Option<String> {
            // GET, http, `/`, and the authority as a literal.
            let mut block = vec![0x82, 0x86, 0x84, 0x01];
            text(&mut block, authority);
            self.ask_with(&block)
        }

        /// The same for these headers, as they are.
        pub(crate) fn ask_lines(&mut self, lines: &[(&str, &[u8])]) -> Option<String> {
            let mut block = Vec::new();
            for (name, value) in lines {
                block.push(0);
                text(&mut block, name.as_bytes());
                text(&mut block, value);
            }
            self.ask_with(&block)
        }

        fn ask_with(&mut self, block: &[u8]) -> Option<String> {
            let id = self.next;
            self.next += 2;
            self.send(HEADERS, 4 | END_STREAM, id, block).ok()?;
            let mut body = Vec::new();
            loop {
                let (kind, flags, stream, payload) = self.receive().ok()?;
                match kind {
                    SETTINGS if flags & 1 == 0 => self.send(SETTINGS, 1, 0, b"").ok()?,
                    RESET if stream == id => return None,
                    GOAWAY => return None,
                    DATA if stream == id => body.extend_from_slice(&payload),
                    _ => {}
                }
                if matches!(kind, DATA | HEADERS) && stream == id && flags & END_STREAM != 0 {
                    return Some(String::from_utf8_lossy(&body).into_owned());
                }
            }
        }

        fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> std::io::Result<()> {
            let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
            let mut frame = vec![length[1], length[2], length[3], kind, flags];
            frame.extend_from_slice(&stream.to_be_bytes());
            frame.extend_from_slice(payload);
            self.stream.write_all(&frame)
        }

        fn receive(&mut self) -> std::io::Result<(u8, u8, u32, Vec<u8>)> {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head)?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload)?;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
            Ok((head[3], head[4], stream, payload))
        }
    }
}
