# The verbs of this checkout. `make` lists them; each sets up first what it needs (scripts/setup).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build demo test bench fuzz format lint clean

# Only what Swift developers write is formatted; .build and .deps never.
SWIFT_SOURCES := Package.swift Sources Tests

help: ## list the verbs
	@echo "Sidelight: make VERB"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-10s %s\n", $$1, $$2 }'

setup: ## install what the build needs and is missing (Debian packages, V8)
	@scripts/setup

build: setup ## release binaries: .build/release/sidelight and .build/release/sidelight-worker
	@scripts/build

demo: setup ## build, run the example shop, show its trace in the terminal
	@scripts/demo

test: ## every test: unit, sanitizers, end to end
	@scripts/test

bench: build ## benchmarks beside Deno and Node (ARGS="--rounds 5 --json")
	@scripts/peers bench
	@.peers/venv/bin/python Benchmarks/run $(ARGS)

fuzz: setup ## fuzz the record format and what else reads foreign bytes (SECONDS_EACH=600)
	@scripts/fuzz

format: ## rewrite the Swift sources in the project's format
	@swift format format --in-place --parallel --recursive $(SWIFT_SOURCES)

lint: ## say where the Swift sources are not in the project's format
	@swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)

clean: ## remove what was built; .deps and .peers stay
	@rm -rf .build .build-*
