//! The cluster's certificates, by an authority of its own, for as long as it runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::house::{HOST, NODE, NODE_ADDRESS};
use crate::place::Place;
use crate::run;

/// The first address of the range of Services: the API server's.
const API_SERVICE: &str = "10.96.0.1";

/// Who has a certificate: its file, its subject, the names that it is good for.
fn holders() -> [(&'static str, String, String); 6] {
    let api = "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc";
    [
        (
            "apiserver",
            "/CN=kube-apiserver".into(),
            format!(
                "{api},DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:{API_SERVICE},IP:{NODE_ADDRESS}"
            ),
        ),
        ("admin", "/O=system:masters/CN=admin".into(), "DNS:admin".into()),
        ("controller-manager", "/CN=system:kube-controller-manager".into(), "DNS:controller-manager".into()),
        ("scheduler", "/CN=system:kube-scheduler".into(), "DNS:scheduler".into()),
        (
            "kubelet",
            format!("/O=system:nodes/CN=system:node:{NODE}"),
            format!("DNS:{NODE},IP:{NODE_ADDRESS}"),
        ),
        ("kube-proxy", "/CN=system:kube-proxy".into(), "DNS:kube-proxy".into()),
    ]
}

/// Makes them all, the keys of service accounts, and a kubeconfig for each who calls the API server.
pub(crate) fn make(place: &Place) -> anyhow::Result<()> {
    let folder = place.pki();
    fs::create_dir_all(&folder)?;
    openssl(&folder, "ecparam -name prime256v1 -genkey -noout -out ca.key")?;
    openssl(&folder, "req -x509 -new -key ca.key -sha256 -days 3 -subj /CN=narrows-cluster -out ca.crt")?;
    openssl(&folder, "ecparam -name prime256v1 -genkey -noout -out accounts.key")?;
    openssl(&folder, "ec -in accounts.key -pubout -out accounts.pub")?;
    for (name, subject, names) in holders() {
        openssl(&folder, &format!("ecparam -name prime256v1 -genkey -noout -out {name}.key"))?;
        openssl(&folder, &format!("req -new -key {name}.key -subj {subject} -out {name}.csr"))?;
        let extensions = format!("subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\n");
        fs::write(folder.join(format!("{name}.ext")), extensions)?;
        let sign = "x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -sha256 -days 3";
        openssl(&folder, &format!("{sign} -in {name}.csr -extfile {name}.ext -out {name}.crt"))?;
        let kubeconfig = kubeconfig(&folder, name);
        fs::write(folder.join(format!("{name}.kubeconfig")), kubeconfig)?;
    }
    Ok(fs::copy(folder.join("admin.kubeconfig"), place.kubeconfig()).map(drop)?)
}

fn openssl(folder: &Path, line: &str) -> anyhow::Result<()> {
    run::output(Command::new("openssl").args(line.split(' ')).current_dir(folder)).map(drop)
}

fn kubeconfig(folder: &Path, name: &str) -> String {
    let folder = folder.display();
    format!(
        "\
apiVersion: v1
kind: Config
current-context: narrows
contexts: [{{ name: narrows, context: {{ cluster: narrows, user: {name} }} }}]
clusters:
  - name: narrows
    cluster: {{ server: 'https://{HOST}:6443', certificate-authority: '{folder}/ca.crt' }}
users:
  - name: {name}
    user: {{ client-certificate: '{folder}/{name}.crt', client-key: '{folder}/{name}.key' }}
"
    )
}
