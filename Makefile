# Each target does its own set-up, says what it is doing, and says in one sentence what is missing when it cannot.
#
#   make run     provider, demo service and Envoy on this machine: open the printed address (PORT=10000, IDP=oidc-provider
#                or keycloak, ENVOY=/path/to/envoy)
#   make test    everything that proves the filter: make check, native tests, integration tests
#   make check   format, lints, floors, docs
#   make wasm    dist/oidc_proxy_wasm.wasm
#   make clean   removes what was built and fetched

export PORT ?= 10000
export IDP ?= oidc-provider

.PHONY: run test check wasm clean
.DEFAULT_GOAL := run

run: wasm
	@tools/run.sh

test:
	@tools/test.sh

check:
	@tools/check.sh

wasm:
	@tools/wasm.sh

clean:
	rm -rf target dist .tools tools/idp/node_modules
