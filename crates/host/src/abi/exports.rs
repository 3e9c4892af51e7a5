//! The callbacks that a module exports. Envoy calls what is exported, and each call costs it up to half
//! a microsecond; so a module exports only what its filter needs.

/// Exports callbacks from the crate of a module. `root` makes a root context from its root id. The names
/// after it are the callbacks that not every filter needs: `request_trailers`, `response_headers`,
/// `log` and `call_response`.
#[macro_export]
macro_rules! export {
    ($root:ident $(, $callback:ident)* $(,)?) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "a callback is found by its name, which no other function may have")]
        mod entry {
            #[unsafe(no_mangle)]
            extern "C" fn proxy_abi_version_0_2_1() {}
            #[unsafe(no_mangle)]
            extern "C" fn _initialize() {
                $crate::log_panics();
            }
            #[unsafe(no_mangle)]
            extern "C" fn malloc(size: usize) -> *mut u8 {
                $crate::allocate(size)
            }
            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_context_create(id: u32, root: u32) {
                $crate::callbacks::context_create(id, root, super::$root);
            }
            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_configure(root: u32, _size: u32) -> u32 {
                u32::from($crate::callbacks::configure(root))
            }
            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_tick(root: u32) {
                $crate::callbacks::tick(root);
            }
            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_request_headers(id: u32, _count: u32, _end: u32) -> u32 {
                $crate::callbacks::request_headers(id) as u32
            }
            #[unsafe(no_mangle)]
            extern "C" fn proxy_on_delete(id: u32) {
                $crate::callbacks::delete(id);
            }
            $($crate::export_one!($callback);)*
        }
    };
}

/// Exports one callback that not every filter needs.
#[doc(hidden)]
#[macro_export]
macro_rules! export_one {
    (request_trailers) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_request_trailers(id: u32, _count: u32) -> u32 {
            $crate::callbacks::request_trailers(id);
            0
        }
    };
    (response_headers) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_response_headers(id: u32, _count: u32, _end: u32) -> u32 {
            $crate::callbacks::response_headers(id);
            0
        }
    };
    (log) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_log(id: u32) {
            $crate::callbacks::log(id);
        }
    };
    (call_response) => {
        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_http_call_response(
            root: u32,
            token: u32,
            headers: u32,
            _body: u32,
            _trailers: u32,
        ) {
            $crate::callbacks::call_response(root, token, headers > 0);
        }
    };
}
