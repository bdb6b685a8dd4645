# The commands of the project. `make` alone lists them; CI runs `make test lint deny` (.ci/run).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Targets run in the order given, also under -j: cargo uses all cores by itself, and smoke measures time.
.NOTPARALLEL:

CARGO ?= cargo
# Options for the server: make run ARGS="--listen 0.0.0.0:8080".
ARGS ?=
# In CI the committed Cargo.lock counts as it is; a stale one is an error.
LOCKED := $(if $(CI),--locked)
# One RabbitMQ for all parts but those that break theirs, which start others.
FLEET_TEST := rabbitmq/with-broker $(CARGO) test $(LOCKED) --release -p tiltyard-bot --test fleet -- --nocapture

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## build and start the server; ARGS="..." are its options
	$(CARGO) run $(LOCKED) --release -p tiltyard-server --bin tiltyard -- $(ARGS)

.PHONY: build
build: ## the release binaries, server and bots
	$(CARGO) build $(LOCKED) --release --workspace --bins

.PHONY: test
test: test-rust test-broker test-web test-page check-client check-metrics check-deploy smoke cases test-lines test-fleet ## everything that must pass

# What is pure, and the server's own unit tests; the properties in few cases. Everything else is compiled and linted.
QUICK := MODEL_CASES=400 DIRECTORY_SEEDS=40 MATCHMAKING_SEEDS=40 $(CARGO)
QUICK_CRATES := $(addprefix -p tiltyard-,shared core client testing arena connect4 pong)

.PHONY: check
check: web/node_modules web/e2e/node_modules ## the quick loop: format, lints, unit tests, properties in short, JavaScript
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --quiet --workspace --all-targets -- -D warnings
	@if $(CARGO) nextest --version >/dev/null 2>&1; then set -x; \
		$(QUICK) nextest run $(LOCKED) $(QUICK_CRATES); \
	else set -x; \
		$(QUICK) test $(LOCKED) $(QUICK_CRATES) --tests --no-fail-fast; \
	fi
	$(CARGO) test $(LOCKED) --quiet -p tiltyard-server --lib
	cd web && npx tsc --noEmit && npx tsc --noEmit -p page && npx tsc --noEmit -p ../examples && npm run --silent unit

# Doctests stand alone because nextest does not run them.
.PHONY: test-rust
test-rust: ## all Rust tests, then the doctests
	@if $(CARGO) nextest --version >/dev/null 2>&1; then set -x; \
		$(CARGO) nextest run $(LOCKED) --workspace; \
	else set -x; \
		$(CARGO) test $(LOCKED) --workspace --tests --no-fail-fast; \
	fi
	$(CARGO) test $(LOCKED) --workspace --doc

.PHONY: test-broker
test-broker: ## bus and fleet against a real RabbitMQ, a private node of its own
	rabbitmq/with-broker bash -euc 'for of in bus fleet; do $(CARGO) test $(LOCKED) -p tiltyard-server --test it $$of:: -- --ignored; done'

.PHONY: test-web
test-web: web/node_modules web/e2e/node_modules ## JavaScript: types, unit tests, golden vectors; `smoke` plays with its bots
	cd web && npx tsc --noEmit && npx tsc --noEmit -p page && npx tsc --noEmit -p ../examples && npx tsc --noEmit -p e2e && npm run --silent unit

.PHONY: test-page
test-page: build web/e2e/node_modules ## two pages of a real browser play every game; screenshots in web/e2e/output
	chromium=$$(ci/install-chromium) && CHROMIUM="$$chromium" TILTYARD="$${CARGO_TARGET_DIR:-$(CURDIR)/target}/release/tiltyard" npm --prefix web/e2e test

web/node_modules web/e2e/node_modules: %/node_modules: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund --loglevel=error
	@touch $@

# The version is pinned because looks and anchors depend on it.
.PHONY: book
book: ## the docs as a site in target/book, and a check of its links; installs mdBook into target/tools if it is missing
	tools="$${CARGO_TARGET_DIR:-$(CURDIR)/target}/tools"; \
		$(CARGO) install --quiet --locked --root "$$tools" --no-default-features --features search mdbook@0.5.4; \
		docs/make-book "$$tools/bin/mdbook"

.PHONY: check-client
check-client: build ## the Python client of docs/ plays 10 s and verifies every frame
	ci/check-client

.PHONY: check-metrics
check-metrics: build ## promtool accepts the /metrics of a running server
	ci/check-metrics

.PHONY: check-deploy
check-deploy: ## haproxy, nginx and promtool accept the files of deploy/, which agree with one another
	ci/check-deploy

.PHONY: image
image: ## the container image `tiltyard`, where docker or podman answers
	@engine=$$(command -v docker || command -v podman) || { echo "missing: docker or podman"; exit 1; }; set -x; \
		"$$engine" build -f deploy/Dockerfile -t tiltyard .

.PHONY: smoke
smoke: build web/node_modules ## a release server on free ports, and bots of both SDKs (Rust, browser) that verify every state they hold
	$(CARGO) test $(LOCKED) --release -p tiltyard-bot --test smoke -- --nocapture

.PHONY: cases
cases: build web/node_modules ## the JavaScript SDK on lines that are slow, silent or cut, against a release server
	TILTYARD_BIN="$${CARGO_TARGET_DIR:-$(CURDIR)/target}/release/tiltyard" npm --prefix web run --silent cases

# PARTS="crowd faults" runs only these.
PARTS ?=

.PHONY: test-fleet
test-fleet: build ## a fleet on RabbitMQ in short: matchmaking while processes die, balancers, growth, a broker that fails; PARTS="..."
	$(FLEET_TEST) $(PARTS)

.PHONY: fleet
fleet: build ## the same at full size, the simulations included; prints a table of what must hold
	FLEET=full $(FLEET_TEST) $(PARTS)

# The short form's profiles run side by side, as the long one's do: they mostly wait.
LINES_TEST = chromium=$$(ci/install-chromium) && CHROMIUM="$$chromium" \
	$(CARGO) test $(LOCKED) --release -p tiltyard-lab --test lines -- --nocapture

.PHONY: lines
lines: build web/node_modules web/e2e/node_modules ## all clients on all bad lines, a table, plots in target/lines; PROFILE="..." CLIENT="rust node page" SHORT=1
	$(LINES_TEST)

.PHONY: test-lines
test-lines: export SHORT := 1
test-lines: build web/node_modules web/e2e/node_modules ## the same in short: a few lines, side by side
	$(LINES_TEST)

.PHONY: soak
soak: build ## a broker that stops 20 times for 30 s under 300 bots; about 20 minutes
	FLEET=soak $(FLEET_TEST) faults

.PHONY: lobby
lobby: ## the lobby under change at full size: 200 clients, 500 rooms, 20 s
	LOBBY=full $(CARGO) test $(LOCKED) --release -p tiltyard-server --test lobby -- --nocapture

# The scenes; all of them if empty.
SCENE ?=

.PHONY: bench
bench: ## what a player costs, beside the floor and a peer: SCENE=walkers,join; FULL=1 makes three rounds
	$(CARGO) build $(LOCKED) --profile dist -p tiltyard-bench --bins
	@# Not `ci`: it wants a version of every platform's optional packages, which registries do not all name.
	@if command -v npm >/dev/null; then npm --prefix bench/colyseus install --no-save --no-audit --no-fund --loglevel=error; fi
	"$${CARGO_TARGET_DIR:-$(CURDIR)/target}/dist/bench" $(if $(SCENE),--scene $(SCENE)) $(if $(FULL),--rounds 3)

# NAME="seat clock" runs only those whose names contain one of the words.
NAME ?=

.PHONY: mutants
mutants: web/node_modules ## breaks one rule of coming back after the other: a test must notice each; at most 20 minutes
	ci/mutants $(NAME)

.PHONY: lint
lint: ## rustfmt, clippy and rustdoc, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --quiet --workspace --all-targets -- -D warnings
	@# Targets with `test = false` are in none of the above.
	$(CARGO) clippy $(LOCKED) --quiet -p tiltyard-bot --test smoke --test fleet -- -D warnings
	$(CARGO) clippy $(LOCKED) --quiet -p tiltyard-lab --test lines -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(LOCKED) --quiet --workspace --no-deps

.PHONY: deny
deny: ## licences, bans and sources of all dependencies, where cargo-deny is installed
	@if $(CARGO) deny --version >/dev/null 2>&1; then set -x; \
		$(CARGO) deny $(LOCKED) check licenses bans sources; \
	else \
		echo "NOT CHECKED: licences, bans and sources. Missing: cargo-deny (cargo install --locked cargo-deny)"; \
	fi

.PHONY: package
package: ## every published crate, packed and built from nothing but its package
	$(CARGO) package $(LOCKED) --workspace --exclude tiltyard-lab --exclude tiltyard-bench --exclude tiltyard-scenes --exclude auction --exclude whiteboard

.PHONY: audit
audit: ## known advisories against any dependency; needs the network and cargo-deny
	$(CARGO) deny $(LOCKED) check advisories
