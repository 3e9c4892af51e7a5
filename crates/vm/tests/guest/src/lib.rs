//! A filter that does what its configuration says.
//!
//! Each line is a phase and a host call, such as `request: get request x-user`. It logs the call
//! with the status and the value that came back: `get request x-user -> 0 alice`. Raw host calls,
//! because the SDK panics at statuses that the tests want to see.

mod raw;

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { script: Script::default() }));
}}

type Script = Rc<RefCell<Vec<(String, String)>>>;

struct Root {
    script: Script,
}

struct Stream {
    script: Script,
}

thread_local! {
    static KEPT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Runs the lines of a phase; whether the last of them said `stop`.
fn run(script: &Script, phase: &str) -> bool {
    let mut stop = false;
    for (_, line) in script.borrow().iter().filter(|(p, _)| p == phase) {
        stop = perform(line);
    }
    stop
}

fn perform(line: &str) -> bool {
    let mut words = line.split(' ');
    let verb = words.next().unwrap_or_default();
    let mut word = || words.next().unwrap_or_default();
    let outcome = match verb {
        "get" => raw::get_header(raw::map(word()), word()),
        "pairs" => raw::get_pairs(raw::map(word())),
        "set" => raw::replace_header(raw::map(word()), word(), word()),
        "add" => raw::add_header(raw::map(word()), word(), word()),
        "remove" => raw::remove_header(raw::map(word()), word()),
        "inject" => raw::add_header(raw::map(word()), word(), "a\r\nb: c"),
        "property" => raw::get_property(word()),
        "number" => raw::get_property(word()).map(raw::number),
        "publish" => raw::set_property(word(), word()),
        "share" => raw::set_shared(word(), word(), word().parse().unwrap_or(0)),
        "shared" => raw::get_shared(word()),
        "define" => raw::define(word().parse().unwrap_or(0), word()),
        "increment" => raw::increment(word().parse().unwrap_or(0), word().parse().unwrap_or(0)),
        "record" => raw::record(word().parse().unwrap_or(0), word().parse().unwrap_or(0)),
        "metric" => raw::metric(word().parse().unwrap_or(0)),
        "reply" => raw::reply(word().parse().unwrap_or(0), word(), word().parse().unwrap_or(-1)),
        "foreign" => raw::foreign(word()),
        "buffer" => raw::buffer(word().parse().unwrap_or(0)),
        "fill" => raw::fill(word().parse().unwrap_or(0), word()),
        "call" => raw::http_call(word()),
        "grpc" => raw::grpc_cancel(),
        "tick" => raw::tick(word().parse().unwrap_or(0)),
        "effective" => raw::effective(word().parse().unwrap_or(0)),
        "enqueue" => raw::enqueue(word(), word()),
        "dequeue" => raw::dequeue(word()),
        "done" => raw::done(),
        "resume" => raw::resume(),
        "time" => raw::time(),
        "stop" => return true,
        "panic" => panic!("as asked"),
        "spin" => loop {
            std::hint::black_box(());
        },
        "keep" => {
            let bytes = vec![1; word().parse().unwrap_or(0)];
            KEPT.with_borrow_mut(|kept| kept.extend(bytes));
            Ok(Vec::new())
        }
        _ => panic!("unknown line: {line}"),
    };
    let text = match outcome {
        Ok(value) => format!("{line} -> 0 {}", value.escape_ascii()),
        Err(status) => format!("{line} -> {status}"),
    };
    if verb != "keep" {
        let _ = hostcalls::log(LogLevel::Info, text.trim_end());
    }
    false
}

fn action(stop: bool) -> Action {
    if stop { Action::Pause } else { Action::Continue }
}

impl Context for Root {
    fn on_done(&mut self) -> bool {
        !run(&self.script, "leave")
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let bytes =
            hostcalls::get_buffer(proxy_wasm::types::BufferType::PluginConfiguration, 0, usize::MAX >> 1);
        let text = String::from_utf8(bytes.ok().flatten().unwrap_or_default()).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        self.script.replace(lines.map(|(p, l)| (p.to_owned(), l.to_owned())).collect());
        !run(&self.script, "configure")
    }

    fn on_tick(&mut self) {
        run(&self.script, "tick");
    }

    fn on_queue_ready(&mut self, _queue: u32) {
        run(&self.script, "queue");
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { script: self.script.clone() }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Context for Stream {
    fn on_http_call_response(&mut self, _token: u32, _headers: usize, _body: usize, _trailers: usize) {
        run(&self.script, "called");
    }

    fn on_done(&mut self) -> bool {
        run(&self.script, "done");
        true
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end: bool) -> Action {
        action(run(&self.script, "request"))
    }

    fn on_http_request_body(&mut self, _size: usize, _end: bool) -> Action {
        action(run(&self.script, "request-body"))
    }

    fn on_http_response_headers(&mut self, _count: usize, _end: bool) -> Action {
        action(run(&self.script, "response"))
    }

    fn on_http_response_body(&mut self, _size: usize, _end: bool) -> Action {
        action(run(&self.script, "response-body"))
    }

    fn on_log(&mut self) {
        run(&self.script, "log");
    }
}
