//! One HTTP stream on its way through the filter.

use std::time::Duration;

use super::abi::{BufferType, MapType};
use super::exchange::{Exchange, Response};
use super::headers::{Headers, Kind};
use super::invalid_headers::Came;
use super::local_reply::LocalReply;
use super::properties::Properties;
use super::state::FilterState;

/// How far a stream has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Phase {
    Request,
    Response,
    Log,
    Done,
}

/// Whether a stream moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Course {
    Flows,
    /// The filter stopped it and has not let it go on.
    Waits,
    /// It was reset.
    Cut,
}

/// A header map, and whether its callback is running (or waits), which is when it may be touched.
#[derive(Default)]
struct Slot {
    headers: Option<Headers>,
    open: bool,
}

/// What the host knows of a stream.
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) root: u32,
    pub(super) phase: Phase,
    slots: [Slot; 4],
    /// The body whose callback is running.
    body: Option<(BufferType, Vec<u8>)>,
    /// Whether the request's body has been handed over, and the response's.
    sent_bodies: [bool; 2],
    pub(super) request_body: Vec<u8>,
    pub(super) response_body: Vec<u8>,
    /// What the test said of the request, and of the response once there is one.
    pub(super) exchange: Properties,
    pub(super) answer: Properties,
    pub(super) filter_state: FilterState,
    pub(super) came: Came,
    pub(super) protocol: &'static str,
    pub(super) started: u64,
    pub(super) duration: Duration,
    pub(super) flags: u64,
    pub(super) details: String,
    /// The first reply the filter sent, and whether Envoy still has to send it.
    pub(super) reply: Option<LocalReply>,
    pub(super) reply_waits: bool,
    pub(super) resumed: bool,
    pub(super) route_clears: u32,
    pub(super) reached_upstream: bool,
    pub(super) course: Course,
    pub(super) hazards: Vec<String>,
}

impl Stream {
    pub(super) fn new(id: u32, root: u32, now: u64, exchange: Exchange) -> Self {
        let trailers = (!exchange.trailers.is_empty()).then_some(exchange.trailers);
        let came = Came { with_proto: exchange.headers.get("x-forwarded-proto").is_some() };
        let held = |headers: Option<Headers>| Slot { headers, open: false };
        Self {
            id,
            root,
            phase: Phase::Request,
            slots: [
                held(Some(exchange.headers.into_kind(Kind::Request))),
                held(trailers),
                held(None),
                held(None),
            ],
            body: None,
            sent_bodies: [false; 2],
            request_body: exchange.body,
            response_body: Vec::new(),
            exchange: exchange.properties,
            answer: Properties::new(),
            filter_state: exchange.filter_state,
            came,
            protocol: exchange.protocol,
            started: now,
            duration: exchange.duration,
            flags: 0,
            details: String::new(),
            reply: None,
            reply_waits: false,
            resumed: false,
            route_clears: 0,
            reached_upstream: false,
            course: Course::Flows,
            hazards: Vec::new(),
        }
    }

    /// Takes in what came back.
    pub(super) fn answer(&mut self, response: Response) {
        self.phase = Phase::Response;
        self.flags |= response.flags;
        self.details = response.details;
        self.answer = response.properties;
        self.response_body = response.body;
        self.put(MapType::ResponseHeaders, response.headers.into_kind(Kind::Response));
        if !response.trailers.is_empty() {
            self.put(MapType::ResponseTrailers, response.trailers);
        }
    }

    pub(super) fn readable(&self, map: MapType) -> Option<&Headers> {
        let slot = self.slots.get(map as usize)?;
        if self.phase == Phase::Log || slot.open { slot.headers.as_ref() } else { None }
    }

    pub(super) fn writable(&mut self, map: MapType) -> Option<&mut Headers> {
        self.slots.get_mut(map as usize).filter(|slot| slot.open)?.headers.as_mut()
    }

    pub(super) fn is_open(&self, map: MapType) -> bool {
        self.slots.get(map as usize).is_some_and(|slot| slot.open)
    }

    pub(super) fn open(&mut self, map: MapType, open: bool) {
        if let Some(slot) = self.slots.get_mut(map as usize) {
            slot.open = open && slot.headers.is_some();
        }
    }

    /// The headers whatever the phase: the host's own view.
    pub(super) fn held(&self, map: MapType) -> Option<&Headers> {
        self.slots.get(map as usize)?.headers.as_ref()
    }

    pub(super) fn take(&mut self, map: MapType) -> Option<Headers> {
        self.slots.get_mut(map as usize)?.headers.take()
    }

    pub(super) fn put(&mut self, map: MapType, headers: Headers) {
        if let Some(slot) = self.slots.get_mut(map as usize) {
            slot.headers = Some(headers);
        }
    }

    pub(super) fn body(&mut self, which: BufferType) -> Option<&mut Vec<u8>> {
        self.body.as_mut().filter(|(held, _)| *held == which).map(|(_, body)| body)
    }

    /// Lends a body to its callback, once; none if there is no body.
    pub(super) fn lend(&mut self, which: BufferType) -> Option<u32> {
        let body = match which {
            BufferType::RequestBody => &mut self.request_body,
            _ => &mut self.response_body,
        };
        let sent = self.sent_bodies.get_mut(which as usize)?;
        if body.is_empty() || std::mem::replace(sent, true) {
            return None;
        }
        let body = std::mem::take(body);
        let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
        self.body = Some((which, body));
        Some(len)
    }

    pub(super) fn unlend(&mut self) {
        match self.body.take() {
            Some((BufferType::RequestBody, body)) => self.request_body = body,
            Some((_, body)) => self.response_body = body,
            None => {}
        }
    }

    /// How many headers there are, as callbacks are told.
    pub(super) fn size(&self, map: MapType) -> u32 {
        u32::try_from(self.held(map).map_or(0, Headers::len)).unwrap_or(u32::MAX)
    }

    /// Whether nothing comes after these headers.
    pub(super) fn ends_with_headers(&self, map: MapType) -> bool {
        match map {
            MapType::RequestHeaders => {
                self.request_body.is_empty() && self.held(MapType::RequestTrailers).is_none()
            }
            _ => self.response_body.is_empty() && self.held(MapType::ResponseTrailers).is_none(),
        }
    }

    /// Makes it what a stream of a dead VM is: a bare 503.
    pub(super) fn fail(&mut self) {
        self.put(MapType::ResponseHeaders, Headers::new().with(":status", "503"));
        self.response_body.clear();
        self.course = Course::Flows;
    }

    /// The status of the response, if there is one.
    pub(super) fn code(&self) -> Option<i64> {
        let status = self.held(MapType::ResponseHeaders)?.text(":status")?;
        status.parse().ok()
    }
}
