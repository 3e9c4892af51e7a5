//! Drives streams through a filter in the order in which Envoy does.

use super::abi::{BufferType, MapType};
use super::callouts::{CallResponse, HttpCall};
use super::exchange::{Exchange, Response};
use super::exports::Export;
use super::headers::Headers;
use super::invalid_headers;
use super::outcome::Outcome;
use super::reply;
use super::stream::{Course, Phase, Stream};
use super::trace::Work;
use super::vm::Vm;

impl Vm {
    /// Sends a request through the filter and a response back. `upstream` is asked unless the
    /// filter answered by itself: it sees the request's headers as the filter left them.
    pub fn request(
        &mut self,
        root: u32,
        exchange: Exchange,
        upstream: impl FnOnce(&Headers) -> Response,
    ) -> Outcome {
        let stream = self.open(root, exchange);
        self.forward(stream, upstream);
        self.close(stream)
    }

    /// Sends a request through the filter and leaves the stream open: the first third of
    /// [`Vm::request`], for streams that overlap.
    pub fn open(&mut self, root: u32, exchange: Exchange) -> u32 {
        let id = self.new_context();
        let now = self.host().proxy.clock.nanos();
        self.host().streams.push(Stream::new(id, root, now, exchange));
        self.run(self.exports.context_create.clone(), id, (id, root));
        let export = self.exports.request_headers.clone();
        if self.headers(id, MapType::RequestHeaders, export) {
            self.rest_of_request(id);
        }
        id
    }

    /// Lets the upstream answer, unless the filter did, or stopped the stream.
    pub fn forward(&mut self, id: u32, upstream: impl FnOnce(&Headers) -> Response) {
        let dead = self.trap().is_some();
        let Some(stream) = self.held(id) else { return };
        if dead || stream.course != Course::Flows || stream.phase != Phase::Request {
            return;
        }
        let Some(headers) = stream.take(MapType::RequestHeaders) else {
            return;
        };
        let response = if let Some(refused) = invalid_headers::request(stream.came, &headers) {
            stream.hazards.push(refused.why);
            Response::from_envoy(refused.status, refused.flags, refused.details)
        } else {
            stream.reached_upstream = true;
            upstream(&headers)
        };
        stream.put(MapType::RequestHeaders, headers);
        self.respond(id, response);
    }

    /// Ends a stream: log, done, delete.
    pub fn close(&mut self, id: u32) -> Outcome {
        if let Some(stream) = self.held(id) {
            let found = stream.held(MapType::ResponseHeaders).map(invalid_headers::response);
            stream.hazards.extend(found.unwrap_or_default());
            stream.phase = Phase::Log;
        }
        self.run(self.exports.log.clone(), id, id);
        if let Some(stream) = self.held(id) {
            stream.phase = Phase::Done;
        }
        self.run(self.exports.done.clone(), id, id);
        self.run(self.exports.delete.clone(), id, id);
        let work = self.take_work();
        let streams = &mut self.host().streams;
        let mut stream = match streams.iter().position(|stream| stream.id == id) {
            Some(index) => streams.swap_remove(index),
            None => Stream::new(id, 0, 0, Exchange::new(Headers::new())),
        };
        if work.trap.is_some() {
            stream.fail();
        }
        Outcome::new(stream, work)
    }

    /// The callouts that wait for an answer.
    pub fn pending_calls(&self) -> &[HttpCall] {
        &self.store.data().pending
    }

    /// Answers a callout. A stream that waited for it goes on.
    pub fn deliver(&mut self, token: u32, response: CallResponse) -> Work {
        self.answer(token, response);
        let waiting: Vec<u32> =
            self.host().streams.iter().filter(|s| s.course == Course::Waits).map(|s| s.id).collect();
        for id in waiting {
            self.wake(id);
        }
        self.reap();
        self.take_work()
    }

    /// Answers callouts as soon as a stream waits for one, for filters that pause. What it has no
    /// answer for stays in [`Vm::pending_calls`].
    pub fn answer_calls(&mut self, answer: impl FnMut(&HttpCall) -> Option<CallResponse> + Send + 'static) {
        self.answerer = Some(Box::new(answer));
    }

    fn respond(&mut self, id: u32, response: Response) {
        if let Some(stream) = self.held(id) {
            stream.answer(response);
        }
        let export = self.exports.response_headers.clone();
        if self.headers(id, MapType::ResponseHeaders, export) {
            self.rest_of_response(id);
        }
    }

    fn rest_of_request(&mut self, id: u32) {
        let export = self.exports.request_body.clone();
        if self.body(id, BufferType::RequestBody, export) {
            let export = self.exports.request_trailers.clone();
            self.trailers(id, MapType::RequestTrailers, export);
        }
    }

    fn rest_of_response(&mut self, id: u32) {
        let export = self.exports.response_body.clone();
        if self.body(id, BufferType::ResponseBody, export) {
            let export = self.exports.response_trailers.clone();
            self.trailers(id, MapType::ResponseTrailers, export);
        }
    }

    fn headers(&mut self, id: u32, map: MapType, export: Export<(u32, u32, u32), u32>) -> bool {
        let Some(stream) = self.held(id) else {
            return false;
        };
        stream.open(map, true);
        let (size, end) = (stream.size(map), u32::from(stream.ends_with_headers(map)));
        let action = self.run(export, id, (id, size, end));
        self.goes_on(id, map, action)
    }

    /// Hands a body over. Over HTTP/1.1 its end is a piece of its own, and empty, unless the filter
    /// held the body back: then it comes again as a whole.
    fn body(&mut self, id: u32, which: BufferType, export: Export<(u32, u32, u32), u32>) -> bool {
        let Some(stream) = self.held(id) else {
            return false;
        };
        let (map, trailers) = match which {
            BufferType::RequestBody => (MapType::RequestHeaders, MapType::RequestTrailers),
            _ => (MapType::ResponseHeaders, MapType::ResponseTrailers),
        };
        let ends = stream.held(trailers).is_none();
        let from_envoy = which == BufferType::ResponseBody && !stream.reached_upstream;
        let split = ends && !from_envoy && stream.protocol == "HTTP/1.1";
        let Some(len) = stream.lend(which) else {
            return true;
        };
        let end = u32::from(ends && !split);
        let mut action = self.run(export.clone(), id, (id, len, end));
        if split && self.is_moving(id) {
            let rest = if action == Some(PAUSE) { len } else { 0 };
            if rest == 0
                && let Some(stream) = self.held(id)
            {
                stream.unlend();
            }
            action = self.run(export, id, (id, rest, 1));
        }
        if let Some(stream) = self.held(id) {
            stream.unlend();
        }
        self.goes_on(id, map, action)
    }

    fn is_moving(&mut self, id: u32) -> bool {
        self.trap().is_none() && self.held(id).is_some_and(|s| s.course == Course::Flows && !s.reply_waits)
    }

    fn trailers(&mut self, id: u32, map: MapType, export: Export<(u32, u32), u32>) {
        let Some(stream) = self.held(id) else { return };
        if stream.held(map).is_some() {
            stream.open(map, true);
            let size = stream.size(map);
            let action = self.run(export, id, (id, size));
            self.goes_on(id, map, action);
        }
    }

    /// What follows a callback: the next one, a reply of the filter's, a wait, or nothing.
    fn goes_on(&mut self, id: u32, map: MapType, action: Option<u32>) -> bool {
        loop {
            if self.trap().is_some() {
                return false;
            }
            let Some(stream) = self.held(id) else {
                return false;
            };
            if stream.course == Course::Cut {
                return false;
            }
            if stream.reply_waits {
                self.reply(id);
                return false;
            }
            if action.unwrap_or(CONTINUE) == CONTINUE || std::mem::take(&mut stream.resumed) {
                stream.course = Course::Flows;
                stream.open(map, false);
                return true;
            }
            stream.course = Course::Waits;
            if !self.answer_one() {
                return false;
            }
        }
    }

    /// Sends what the filter replied. Before the response it goes through the filter like any
    /// other response; in its place, straight to the client; after its headers, nowhere.
    fn reply(&mut self, id: u32) {
        let Some(stream) = self.held(id) else { return };
        stream.reply_waits = false;
        stream.course = Course::Flows;
        let Some(reply) = &stream.reply else { return };
        let response = reply::to_client(reply, stream);
        match stream.phase {
            Phase::Request => self.respond(id, response),
            Phase::Response if stream.is_open(MapType::ResponseHeaders) => {
                stream.open(MapType::ResponseHeaders, false);
                stream.answer(response);
            }
            _ => stream.course = Course::Cut,
        }
    }

    fn wake(&mut self, id: u32) {
        let Some(stream) = self.held(id) else { return };
        let phase = stream.phase;
        let map = if phase == Phase::Request { MapType::RequestHeaders } else { MapType::ResponseHeaders };
        if self.goes_on(id, map, Some(PAUSE)) {
            match phase {
                Phase::Request => self.rest_of_request(id),
                _ => self.rest_of_response(id),
            }
        }
    }

    fn answer_one(&mut self) -> bool {
        let Some(mut answerer) = self.answerer.take() else {
            return false;
        };
        let calls = &self.store.data().pending;
        let found = calls.iter().find_map(|call| Some((call.token, answerer(call)?)));
        self.answerer = Some(answerer);
        let Some((token, response)) = found else {
            return false;
        };
        self.answer(token, response);
        true
    }

    fn answer(&mut self, token: u32, response: CallResponse) {
        let pending = &mut self.host().pending;
        let Some(index) = pending.iter().position(|call| call.token == token) else {
            return;
        };
        let root = pending.remove(index).root;
        let size = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        let params = (
            root,
            token,
            size(response.headers.len()),
            size(response.body.len()),
            size(response.trailers.len()),
        );
        if self.host().knows(root) {
            // Of a call that failed there is no answer: its maps are a bad argument.
            self.host().delivering = Some(response).filter(|response| !response.headers.is_empty());
            self.run(self.exports.call_response.clone(), root, params);
            self.host().delivering = None;
        }
    }

    fn held(&mut self, id: u32) -> Option<&mut Stream> {
        self.host().streams.iter_mut().find(|stream| stream.id == id)
    }
}

const CONTINUE: u32 = 0;
const PAUSE: u32 = 1;
