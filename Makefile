# make demo            a real job from queue to exit code, in about a minute (BROKER=rabbitmq or redis for a real server)
# make test            every test, against real servers that are started and stopped again
# make conformance     of these, the promises that every queue keeps
# make faults          of these, workers killed and paused, servers restarted, connections cut, disks filled
# make soak            random faults, nothing lost, nothing settled twice (SOAK=30m SEED=7 QUEUES=redis MESSAGES=5000)
# make screenshots     docs/images, of the console
# make image           semel, semelctl and semel-runtime, with docker, podman or buildah
# make image-test      these, run as the Kubernetes templates run them
# make manifests       k8s/manifests from the chart and its presets
# make bench           how fast it is beside other programs, in pairs (PAIRS=101 ONLY=message,latency BENCH_MINUTE=10s)
# make build           dist/semel (fully static) and dist/semelctl
SHELL := /bin/sh
.DEFAULT_GOAL := build

BROKER ?= spool
SWIFT ?= swift
# Of builds for debugging. Other flags than last time build everything anew.
BUILD_FLAGS ?=
STATIC := -c release --scratch-path .build/static $(shell grep -v '^\#' scripts/static-flags)
RELEASE := -c release --scratch-path .build/release-dynamic -Xswiftc -static-stdlib -Xlinker -s

.PHONY: build demo test conformance faults soak bench screenshots image image-test manifests lint format packages clean

build: packages
	$(SWIFT) build $(STATIC) --product semel
	$(SWIFT) build $(RELEASE) --product semelctl
	mkdir -p dist
	install .build/static/release/semel dist/semel
	install .build/release-dynamic/release/semelctl dist/semelctl
	@ls -l dist

demo: packages
	scripts/packages demo $(BROKER)
	$(SWIFT) build $(BUILD_FLAGS) --product semel
	$(SWIFT) build $(BUILD_FLAGS) --product semelctl
	$(SWIFT) build $(BUILD_FLAGS) --product secret-scan
	scripts/demo $(BROKER)

# What only computes goes first: beside it, on few cores, tests that wait for something would wait too long.
test: packages
	scripts/packages test
	scripts/python-tools
	$(SWIFT) build $(BUILD_FLAGS) --build-tests
	scripts/test --filter SemelKEDATests --filter SemelGroupsTests
	scripts/test --skip SemelKEDATests --skip SemelGroupsTests --skip ConformanceTests --skip FaultTests \
		--skip KubernetesTests --skip ConsoleTests
	scripts/test --filter ConformanceTests
	scripts/test --filter KubernetesTests
	scripts/test --filter ConsoleTests
	scripts/test --filter FaultTests

conformance: packages
	scripts/packages test
	scripts/python-tools
	$(SWIFT) build $(BUILD_FLAGS) --build-tests
	scripts/test --filter ConformanceTests

# Needs root: a full disk is a tmpfs that a test mounts.
faults: packages
	scripts/packages test
	scripts/python-tools
	$(SWIFT) build $(BUILD_FLAGS) --build-tests
	scripts/test --filter FaultTests

soak: packages
	scripts/packages test
	scripts/python-tools
	$(if $(SEMEL_BIN_DIR),,$(SWIFT) build $(STATIC) --product semel)
	$(SWIFT) build $(BUILD_FLAGS) --product semel-soak
	SEMEL_BIN_DIR=$(or $(SEMEL_BIN_DIR),$(CURDIR)/.build/static/release) .build/debug/semel-soak

# The tests that look at the console, as far as they make pictures.
screenshots: packages
	scripts/packages test
	$(SWIFT) build $(BUILD_FLAGS) --build-tests
	mkdir -p docs/images
	SEMEL_SCREENSHOTS=$(CURDIR)/docs/images scripts/test --filter ScreenshotTests

image:
	scripts/image build

image-test: image
	scripts/packages demo rabbitmq
	scripts/packages kubernetes
	scripts/image-test

manifests:
	scripts/packages kubernetes
	scripts/manifests
	scripts/check-manifests k8s/manifests

# Benchmarks/RESULTS.md and its chart are written when no ONLY leaves groups out (message, latency, footprint, output,
# claim, drain, console, size, instructions). Times never make it fail, a spool run with more instructions than agreed does.
bench: packages
	scripts/packages bench
	scripts/bench-peers .build/bench-venv
	$(if $(SEMEL_BIN_DIR),,$(MAKE) build)
	$(SWIFT) build $(RELEASE) --product semel-bench
	SEMEL_BIN_DIR=$(or $(SEMEL_BIN_DIR),$(CURDIR)/dist) .build/release-dynamic/release/semel-bench

lint: packages
	scripts/packages lint
	scripts/lint

format:
	$(SWIFT) format --in-place --parallel $$(git ls-files '*.swift')

packages:
	scripts/packages build

clean:
	rm -rf .build dist
