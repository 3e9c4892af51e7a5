//! The programs of a Kubernetes node and its control plane, in the order in which they start.

use std::fs;
use std::path::PathBuf;

use crate::house::{NODE, NODE_ADDRESS};
use crate::kubectl::Kubectl;
use crate::packages;
use crate::place::Place;
use crate::runc;

/// One of them.
pub(crate) struct Daemon {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Whether the next one may start.
    pub(crate) is_ready: fn(&Place) -> bool,
}

/// The addresses of pods.
const PODS: &str = "10.244.0.0/24";
/// The addresses of Services.
const SERVICES: &str = "10.96.0.0/16";

/// All of them. Writes the files that they read.
pub(crate) fn all(place: &Place) -> anyhow::Result<Vec<Daemon>> {
    write_containerd(place)?;
    write_kubelet(place)?;
    Ok(vec![
        etcd(place),
        api_server(place),
        controllers(place),
        scheduler(place),
        containerd(place),
        kubelet(place),
        proxy(place),
    ])
}

fn etcd(place: &Place) -> Daemon {
    let data = place.run().join("etcd");
    let arguments = format!(
        "--data-dir={}
         --listen-client-urls=http://127.0.0.1:2379
         --advertise-client-urls=http://127.0.0.1:2379
         --listen-peer-urls=http://127.0.0.1:2380",
        data.display()
    );
    let mut etcd = daemon("etcd", packages::program(place, "etcd"), &arguments, |_| true);
    // What it holds goes with the cluster: nothing must reach the disk.
    etcd.environment = vec![("ETCD_UNSAFE_NO_FSYNC".to_owned(), "true".to_owned())];
    etcd
}

fn api_server(place: &Place) -> Daemon {
    // A node's name means nothing to DNS here: logs and exec need its address.
    let arguments = format!(
        "--etcd-servers=http://127.0.0.1:2379
         --service-cluster-ip-range={SERVICES}
         --advertise-address={NODE_ADDRESS}
         --authorization-mode=Node,RBAC
         --allow-privileged=true
         --client-ca-file=pki/ca.crt
         --tls-cert-file=pki/apiserver.crt
         --tls-private-key-file=pki/apiserver.key
         --service-account-issuer=https://kubernetes.default.svc.cluster.local
         --service-account-key-file=pki/accounts.pub
         --service-account-signing-key-file=pki/accounts.key
         --kubelet-client-certificate=pki/admin.crt
         --kubelet-client-key=pki/admin.key
         --kubelet-preferred-address-types=InternalIP"
    );
    daemon("kube-apiserver", place.bin().join("kube-apiserver"), &arguments, is_api_ready)
}

fn controllers(place: &Place) -> Daemon {
    let arguments = "--kubeconfig=pki/controller-manager.kubeconfig
         --service-account-private-key-file=pki/accounts.key
         --root-ca-file=pki/ca.crt
         --use-service-account-credentials
         --leader-elect=false";
    daemon("kube-controller-manager", place.bin().join("kube-controller-manager"), arguments, |_| true)
}

fn scheduler(place: &Place) -> Daemon {
    let arguments = "--kubeconfig=pki/scheduler.kubeconfig
         --leader-elect=false";
    daemon("kube-scheduler", place.bin().join("kube-scheduler"), arguments, |_| true)
}

fn containerd(place: &Place) -> Daemon {
    let mut daemon =
        daemon("containerd", packages::program(place, "containerd"), "--config=containerd.toml", |place| {
            place.containerd_socket().exists()
        });
    // Its shims are found on the path.
    let path = std::env::var("PATH").unwrap_or_default();
    let shims = daemon.program.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    daemon.environment = vec![
        ("PATH".to_owned(), format!("{shims}:{path}")),
        (runc::REAL.to_owned(), packages::program(place, "runc").display().to_string()),
    ];
    daemon
}

fn kubelet(place: &Place) -> Daemon {
    let arguments = format!(
        "--config=kubelet.yaml
         --kubeconfig=pki/kubelet.kubeconfig
         --hostname-override={NODE}
         --node-ip={NODE_ADDRESS}
         --root-dir={}",
        place.run().join("kubelet").display()
    );
    daemon("kubelet", place.bin().join("kubelet"), &arguments, |_| true)
}

fn proxy(place: &Place) -> Daemon {
    // What it would set for the whole machine stays as it is.
    let arguments = format!(
        "--kubeconfig=pki/kube-proxy.kubeconfig
         --hostname-override={NODE}
         --proxy-mode=iptables
         --cluster-cidr={PODS}
         --conntrack-max-per-core=0
         --conntrack-tcp-timeout-established=0
         --conntrack-tcp-timeout-close-wait=0"
    );
    daemon("kube-proxy", place.bin().join("kube-proxy"), &arguments, |_| true)
}

/// `arguments` has one on each line.
fn daemon(name: &'static str, program: PathBuf, arguments: &str, is_ready: fn(&Place) -> bool) -> Daemon {
    let arguments = arguments.lines().map(|line| line.trim().to_owned()).collect();
    Daemon { name, program, arguments, environment: Vec::new(), is_ready }
}

fn is_api_ready(place: &Place) -> bool {
    let kubectl = Kubectl::new(place.bin().join("kubectl"), &place.kubeconfig());
    kubectl.run("get --raw /readyz").is_ok()
}

fn write_containerd(place: &Place) -> anyhow::Result<()> {
    let run = place.run();
    let runtime = if runc::is_needed()? {
        let link = run.join("runc");
        _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(std::env::current_exe()?, &link)?;
        link
    } else {
        packages::program(place, "runc")
    };
    let (networks, plugins) = (run.join("networks"), place.packages().join("usr/lib/cni"));
    fs::create_dir_all(&networks)?;
    let template = fs::read_to_string(place.sources().join("node/containerd.toml"))?;
    let text = template
        .replace("@RUN@", &run.display().to_string())
        .replace("@RUNC@", &runtime.display().to_string())
        .replace("@PLUGINS@", &plugins.display().to_string());
    fs::write(run.join("containerd.toml"), text)?;
    let network = fs::read_to_string(place.sources().join("node/network.conflist"))?;
    let network = network.replace("@RUN@", &run.display().to_string()).replace("@PODS@", PODS);
    Ok(fs::write(networks.join("10-pods.conflist"), network)?)
}

fn write_kubelet(place: &Place) -> anyhow::Result<()> {
    let run = place.run();
    let template = fs::read_to_string(place.sources().join("node/kubelet.yaml"))?;
    let text = template.replace("@RUN@", &run.display().to_string()).replace("@PODS@", PODS);
    fs::write(run.join("kubelet.yaml"), text)?;
    // Nobody in the cluster asks for a name of the world.
    Ok(fs::write(run.join("resolv.conf"), "nameserver 127.0.0.1\n")?)
}
