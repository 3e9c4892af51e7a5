//! What the proxy knows of itself and of the connection.

use std::cell::OnceCell;

use narrows_core::request::Surroundings;

use crate::read;

/// What this proxy is: asked once, for it does not change.
#[derive(Debug, Default)]
pub(crate) struct Proxy(OnceCell<Option<Workload>>);

/// The workload beside which a proxy stands.
#[derive(Debug)]
struct Workload {
    namespace: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
}

/// What was read for one request.
pub(crate) struct Around {
    server_name: Option<Vec<u8>>,
    cluster: Option<Vec<u8>>,
}

impl Proxy {
    /// Reads what differs from request to request; only in the request phase.
    pub(crate) fn read(&self) -> Around {
        // Where the route leads says that a call stays in the cluster only beside the
        // caller: at a gateway it has left already.
        let cluster = self.workload().map(|_| read::property(&["xds", "cluster_name"]).unwrap_or_default());
        Around { server_name: read::property(&["connection", "requested_server_name"]), cluster }
    }

    /// None at a gateway, which stands beside no caller. Istio names a sidecar's node
    /// `sidecar~ADDRESS~POD.NAMESPACE~DOMAIN`.
    fn workload(&self) -> Option<&Workload> {
        let read = || {
            let id = read::property(&["xds", "node", "id"])?;
            let metadata = |name| read::property(&["xds", "node", "metadata", name]);
            id.starts_with(b"sidecar~")
                .then(|| Workload { namespace: metadata("NAMESPACE"), name: metadata("WORKLOAD_NAME") })
        };
        self.0.get_or_init(read).as_ref()
    }
}

impl Around {
    pub(crate) fn view<'a>(&'a self, proxy: &'a Proxy) -> Surroundings<'a> {
        let workload = proxy.workload();
        Surroundings {
            server_name: self.server_name.as_deref(),
            namespace: workload.and_then(|workload| workload.namespace.as_deref()),
            workload: workload.and_then(|workload| workload.name.as_deref()),
            cluster: self.cluster.as_deref(),
        }
    }
}
