//! Makes the fuzzers' first corpus out of the case files: `cargo run --bin seed`, here.

use std::path::Path;
use std::{fs, io};

use serde_json::Value;

fn main() -> io::Result<()> {
    let mut seeds = 0;
    for filter in fs::read_dir("../filters")? {
        let Ok(files) = fs::read_dir(filter?.path().join("cases")) else { continue };
        for file in files {
            let text = fs::read_to_string(file?.path())?;
            let Ok(file) = serde_saphyr::from_str::<Value>(&text) else { continue };
            let policy = file["policy"].to_string();
            seeds += save("config_json", &policy)?;
            for refused in file["refused"].as_array().into_iter().flatten() {
                seeds += save("config_json", &refused["policy"].to_string())?;
            }
            for case in file["cases"].as_array().into_iter().flatten() {
                let send = |field: &str| case["send"][field].as_str().unwrap_or_default();
                seeds += save("destination", send("authority"))?;
                seeds += save("host", send("authority"))?;
                seeds += save("path", send("target").trim_start_matches('/'))?;
                let lines =
                    || case["send"]["headers"].as_array().into_iter().flatten().filter_map(Value::as_str);
                seeds += conditions(lines, send("target"))?;
                let mut request = format!(
                    "{policy}\n\n:method:{}\n:authority:{}\n:path:{}\n",
                    send("method"),
                    send("authority"),
                    send("target")
                );
                for line in lines() {
                    request.push_str(&line.replacen(": ", ":", 1));
                    request.push('\n');
                }
                seeds += save("request", &request)?;
            }
        }
    }
    println!("{seeds} seeds in corpus/");
    Ok(())
}

/// Seeds of a condition of each kind on what a case sends.
fn conditions<'c, L: Iterator<Item = &'c str>>(lines: impl Fn() -> L, target: &str) -> io::Result<usize> {
    let mut seeds = 0;
    let fields = || lines().filter_map(|line| line.split_once(':'));
    for (number, (name, value)) in fields().enumerate() {
        let value = value.trim();
        let all = fields().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let all = all.collect::<Vec<_>>().join("\n");
        let kind = number % 8;
        for options in 0..8 {
            seeds += save("header", &format!("{kind}{options}{value}\n{all}"))?;
        }
        if let Some((cookie, value)) = value.split_once('=').filter(|_| name == "cookie") {
            seeds += save("cookie", &format!("{kind}0{value}\n{cookie}\n{all}"))?;
            seeds += save("cookie", &format!("{kind}2{value}\n{cookie}\n{all}"))?;
        }
    }
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    for (number, (name, value)) in query.split('&').filter_map(|piece| piece.split_once('=')).enumerate() {
        let (kind, options) = (number % 8, query.len() % 8);
        seeds += save("query", &format!("{kind}{options}{value}\n{name}\n{query}"))?;
    }
    Ok(seeds)
}

/// Saves a seed under a name made of its bytes, so that it is saved once.
fn save(target: &str, seed: &str) -> io::Result<usize> {
    let folder = Path::new("corpus").join(target);
    fs::create_dir_all(&folder)?;
    let name = seed
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    fs::write(folder.join(format!("{name:016x}")), seed)?;
    Ok(1)
}
