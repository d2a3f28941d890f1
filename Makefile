# Weighbridge: `make help` lists what there is. Variables: MODEL, SHORT, HF_TOKEN, BASE_IMAGE, PORT, VOLUME, ARGS.
SHELL := /bin/sh
.DEFAULT_GOAL := help

MODEL ?= deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B
SHORT ?= deepseek-r1-distill-qwen-15b
BASE_IMAGE ?=
PORT ?= 8000
VOLUME ?= $(CURDIR)/models
HF_TOKEN ?=
ARGS ?=

bin := bin/weighbridge
model := --id $(MODEL) --short $(SHORT) $(if $(BASE_IMAGE),--base-image $(BASE_IMAGE))
archive = build/hf-$(SHORT)-$(1).tar
# Exported, not passed: a token on a command line can be read by everyone on the machine.
ifneq ($(HF_TOKEN),)
export HF_TOKEN
endif

.PHONY: help install demo test lint bench build-slim build-fat run-slim run-fat plan publish scan clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make build-slim MODEL=org/name SHORT=name     make run-slim SHORT=name HF_TOKEN=hf_..."

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

install: node_modules/.package-lock.json ## Install what the project needs

demo: install ## The main job on a sample model, with an embedded Hub and registry
	$(bin) demo $(ARGS)

test: install ## Install the test tools if possible, and run all tests
	npm test

lint: install ## Types, style and formatting
	npm run typecheck
	npm run lint

bench: install ## Measure speed and memory side by side with other tools
	npm run bench

build-slim: install ## Build the slim image of MODEL as SHORT into build/
	@mkdir -p build
	$(bin) build $(model) --variant slim --output docker-archive:$(call archive,slim)

build-fat: install ## Build the fat image of MODEL as SHORT into build/
	@mkdir -p build
	$(bin) build $(model) --variant fat --output docker-archive:$(call archive,fat)

run-slim: install ## Run what build-slim made (PORT, VOLUME, HF_TOKEN)
	$(bin) run $(SHORT) $(model) --variant slim --archive $(call archive,slim) --port $(PORT) --volume $(VOLUME) $(ARGS)

run-fat: install ## Run what build-fat made (PORT)
	$(bin) run $(SHORT) $(model) --variant fat --archive $(call archive,fat) --port $(PORT) $(ARGS)

plan: install ## What models.yaml would publish, and why (ARGS: --model …)
	$(bin) plan $(ARGS)

publish: install ## Publish models.yaml (ARGS: --model …, --dry-run)
	$(bin) publish $(ARGS)

scan: install ## Scan what is published with Trivy (ARGS: --model …)
	$(bin) scan $(ARGS)

clean: ## Remove what was built
	rm -rf build dist
