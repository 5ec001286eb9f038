# make help lists the targets. All of them run from a fresh checkout.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
PREFIX  ?= /usr/local
MAN_DATE ?= $(shell git log -1 --format=%cs 2>/dev/null || date +%F)
RT      ?= $(CURDIR)/rt
FUZZTIME ?= 20s

# A program of its own, without a libc: it starts in 0.1 ms and nothing of it is rt's memory.
# -no-pie: the table of steps lies beside the code, read-only, and only .bss is writable.
INIT_CFLAGS := -std=gnu11 -Os -ffreestanding -nostdlib -static -fno-stack-protector -fno-pie -no-pie \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -Wall -Wextra -Werror -s -Wl,--build-id=none \
	-Wl,-z,noseparate-code -Wl,-z,norelro
INIT_SRC := $(filter-out nsenter/init/fuzz%,$(wildcard nsenter/init/*.c))
INIT_DEP := $(INIT_SRC) $(wildcard nsenter/init/*.h)

MAN    = $(DESTDIR)$(PREFIX)/share/man/man8
SHELLS = $(DESTDIR)$(PREFIX)/share

export VERSION COMMIT RT FUZZTIME INIT_CFLAGS INIT_SRC
.NOTPARALLEL: # deps comes before what needs it
.PHONY: build init generate test check integration integration-vm managers managers-pairs race bench golden fuzz man install uninstall deps deps-vm deps-managers demo clean help
.DEFAULT_GOAL := build

build: init ## build ./rt, linked statically against musl where that is possible
	scripts/build.sh rt .

init: nsenter/bin/init-amd64 nsenter/bin/init-arm64 ## build the program that runs inside containers

nsenter/bin/init-amd64: CROSS = x86_64-linux-gnu-gcc
nsenter/bin/init-arm64: CROSS = aarch64-linux-gnu-gcc
nsenter/bin/init-%: $(INIT_DEP) Makefile
	@command -v $(CROSS) >/dev/null || echo "no $(CROSS): $@ is left out"
	! command -v $(CROSS) >/dev/null || $(CROSS) $(INIT_CFLAGS) -o $@ $(INIT_SRC)

generate: ## rewrite generated files
	go generate ./...

test: deps build ## all tests; without root those that need none, and a list of the others
	scripts/test.sh

check: deps init ## formatting, vet, the C analyzer, generated files
	scripts/check.sh

integration: build ## tests of the real binary; RT=PATH chooses another runtime
	go -C integration test -count=1

race: build ## races for the container's paths, 10 s each, and 1000 execs under attack; RT_RACE_SECONDS
	RT_RACE_SECONDS=$${RT_RACE_SECONDS:-10} RT_EXECS=$${RT_EXECS:-1000} go -C integration test -count=1 -v -run 'TestS(06|11|17|19|22)$$'
integration-vm: deps-vm build ## rows for cgroup v2, systemd and a user without root in a virtual machine; ALL=1: every row
	scripts/vm/test.sh

managers: deps-managers build ## real managers with rt, and runc beside it: a table manager by case; RUN=REGEXP
	go -C integration/managers test -tags managers -count=1 -timeout 60m -run '$(or $(RUN),.)'

managers-pairs: deps-managers build ## measure managers' runs with rt against runc; RT_PAIRS=N rounds
	RT_PAIRS=$${RT_PAIRS:-60} go -C integration/managers test -tags managers -count=1 -timeout 60m -run 'TestPairs|TestInterval'

bench: build ## measure rt beside crun and runc; needs root
	go run ./bench $(BENCHFLAGS)

golden: ## rewrite golden files from what the code does now
	go test ./internal/compile -update

fuzz: init ## run every fuzz target for FUZZTIME, 20s by default
	scripts/fuzz.sh

man: init ## write the manual pages into .build/man
	scripts/build.sh .build/gen ./internal/cli/gen
	.build/gen -date "$(MAN_DATE)" -version "$(VERSION)" .build/man

install: build man ## install program, manual and completions into DESTDIR/PREFIX
	install -D -m 0755 rt "$(DESTDIR)$(PREFIX)/sbin/rt"
	install -d -m 0755 "$(MAN)"
	install -m 0644 .build/man/*.8 "$(MAN)"
	for shell in bash zsh fish; do ./rt completion $$shell >.build/rt.$$shell || exit; done
	install -D -m 0644 .build/rt.bash "$(SHELLS)/bash-completion/completions/rt"
	install -D -m 0644 .build/rt.zsh "$(SHELLS)/zsh/site-functions/_rt"
	install -D -m 0644 .build/rt.fish "$(SHELLS)/fish/vendor_completions.d/rt.fish"

uninstall: man ## remove what install has installed, with the same DESTDIR and PREFIX
	cd .build/man && for page in *.8; do rm -f "$(MAN)/$$page" || exit; done
	rm -f "$(DESTDIR)$(PREFIX)/sbin/rt" "$(SHELLS)/bash-completion/completions/rt" \
		"$(SHELLS)/zsh/site-functions/_rt" "$(SHELLS)/fish/vendor_completions.d/rt.fish"

deps: ## install what is missing; needs apt and root only then
	scripts/deps.sh

deps-vm: ## install what integration-vm needs besides
	scripts/deps.sh vm

deps-managers: ## install what managers needs besides
	scripts/deps.sh managers

demo: deps build ## a tour of what rt does
	scripts/demo.sh

clean: ## remove everything that was built
	rm -rf rt .build nsenter/bin/init-*

help: ## this text
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 18
