//! Examples, as `--help` shows them. A test runs every line that begins with `narrows`; and
//! with `$ narrows`, where no registry is needed.

pub(super) const INIT: &str = "\
Examples:
  narrows init canary-split
  narrows init egress-policy --to policies";

pub(super) const LINT: &str = "\
Examples:
  narrows lint stock.yaml shop.yaml
  narrows lint . --exclude '*.json' --max-warnings 1000
  narrows lint plugin.yaml --istio 1.27 --format github
  narrows lint plugin.yaml --ignore NRW608,NRW615
In a file, a comment accepts a finding: # narrows: ignore NRW614 the reason";

pub(super) const SIMULATE: &str = "\
Examples:
  narrows simulate stock.yaml --requests stock-requests.yaml
  narrows simulate stock.yaml --requests stock-users.yaml --shares";

pub(super) const DIFF: &str = "\
Examples:
  narrows diff stock.yaml stock-20.yaml
  narrows diff stock.yaml stock-20.yaml --keys keys.txt";

pub(super) const DIGEST: &str = "\
Examples:
  narrows digest stock.yaml
  narrows digest plugin.yaml";

pub(super) const EXPLAIN: &str = "\
Examples:
  narrows explain NRW201
  narrows explain NRW632 NRW639";

pub(super) const LEARN: &str = "\
Examples:
  narrows learn gateway.log";

pub(super) const MIGRATE: &str = "\
Examples:
  narrows migrate reviews-vs.yaml
  narrows migrate reviews-vs.yaml --key header:x-user-id --allow-differences
  narrows migrate shop-ingress.yaml --format json
To write everything that is needed, and to see that it holds:
  $ narrows migrate reviews-vs.yaml --out policy.yaml --routes routes.yaml --cases cases.yaml
  $ narrows lint policy.yaml routes.yaml
  $ narrows test cases.yaml
The first prints the command that attaches the policy to each kind of proxy.";

pub(super) const PACK: &str = "\
Examples:
  narrows pack canary-split.wasm
To push it, with the login of Docker, or with another one:
  $ narrows pack dist/canary-split.wasm --push registry.example.com/narrows/canary-split:0.1.0
  $ narrows pack … --username ci --password-file token --sign cosign.key";

pub(super) const RENDER: &str = "\
Examples:
  narrows render stock.yaml --as wasm-plugin --mode CLIENT --url oci://r.example/canary-split:0.1.0
  narrows render plugin.yaml --as traffic-extension
  narrows render stock.yaml --as envoy-filter-block
  narrows render stock.yaml --as telemetry --istio 1.27";

pub(super) const SCHEMA: &str = "\
Examples:
  narrows schema canary-split";

pub(super) const COMPLETIONS: &str = "\
Examples:
  narrows completions bash
Put what it prints where your shell looks for completions: for bash
~/.local/share/bash-completion/completions/narrows";

pub(super) const MAN: &str = "\
Examples:
  narrows man lint
To read it: narrows man lint | man -l -";

pub(super) const SET_WEIGHT: &str = "\
Examples:
  narrows set-weight stock.yaml --split stock --backend canary 5";

pub(super) const TEMPLATES: &str = "\
Examples:
  narrows templates openapi.yaml";

pub(super) const TEST: &str = "\
Examples:
  narrows test shop-cases.yaml
  narrows test shop-cases.yaml -k beta --format json
  narrows test shop-cases.yaml --require-coverage";
