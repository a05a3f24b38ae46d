# Each target does its own set-up, says what it is doing, and says in one sentence what is missing when it cannot.
#
#   make run     provider, demo service and Envoy on this machine: open the printed address (PORT=10000, IDP=oidc-provider
#                or keycloak, ENVOY=/path/to/envoy)
#   make test    everything that proves the filter: make check, native tests, integration tests
#   make check   format, lints, floors, docs
#   make bench   CPU per request beside Envoy's own filters, in one run: a table, and dist/bench.json (STARTS=9 of all
#                Envoys, ROUNDS=12 after each, REQUESTS=400 a round, FLOOD=1000000 tokens; STRICT=1 fails for a missed goal
#                too)
#   make wasm    dist/oidc_proxy_wasm.wasm
#   make clean   removes what was built and fetched

export PORT ?= 10000
export IDP ?= oidc-provider

.PHONY: run test check bench wasm clean
.DEFAULT_GOAL := run

run: wasm
	@tools/run.sh

test:
	@tools/test.sh

check:
	@tools/check.sh

bench: wasm
	@tools/bench.sh

wasm:
	@tools/wasm.sh

clean:
	rm -rf target dist .tools tools/idp/node_modules
