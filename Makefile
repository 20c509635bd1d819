# make            release build of the three programs, into .build/programs
# make test       everything is built and every test is run; the last line counts them. FAF_TEST_VM=0 leaves out test-vm
# make demo       a task fired, watched and killed, with a fafd of its own in a temporary place
# make install    PREFIX=/usr/local DESTDIR= ; build first, as yourself
# make test-vm    fafd under a real systemd: a Debian booted by qemu (as root); CASE="name ..." for some of its cases,
#                 VM_ROUNDS=100 VM_CUTS=20 VM_PATIENCE=10 for more restarts and power cuts, and the time for them
# make vm-shell   a root shell in that machine
# make bench      faf beside its neighbours, as root on a quiet machine; contrib/bench/RESULTS.md. bench-quick: 2 minutes
# make bench-micro hot paths one at a time, in instructions, and in time by the package Benchmark; on any machine
# make lint format clean deps
# make manual     faf.task(5) anew, after a change in the table of settings

SWIFT    ?= swift
PREFIX   ?= /usr/local
DESTDIR  ?=
SYSTEMDDIR ?= $(PREFIX)/lib/systemd/system
SYSTEMDUSERDIR ?= $(PREFIX)/lib/systemd/user
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
PROGRAMS := .build/programs
TARGET    = $(DESTDIR)$(PREFIX)
SOURCES  := $(shell find Sources -type f 2>/dev/null) Package.swift
PYTHON   ?= /usr/bin/python3
MICRO    := contrib/bench/micro
FORMATTED := Sources Tests Package.swift $(MICRO)/Package.swift $(MICRO)/Sources $(MICRO)/Benchmarks

.PHONY: all test test-vm vm-shell demo bench bench-quick bench-micro install install-systemd lint format manual clean deps deps-test deps-vm deps-bench man-lint
.DELETE_ON_ERROR:

all: $(PROGRAMS)/faf $(PROGRAMS)/fafd $(PROGRAMS)/faf-shim

# One after another and each in a directory of its own: they are linked in three ways, and what is built for one way of
# linking cannot be used for another. faf starts in a fraction of the time when it is static; fafd looks up users and
# groups through the C library's modules, so that stays shared; the shim has no Swift runtime at all.
$(PROGRAMS)/faf: $(SOURCES) | deps
	$(SWIFT) build -c release --scratch-path .build/faf --product faf -Xswiftc -static-executable
	install -D .build/faf/release/faf $@

$(PROGRAMS)/fafd: $(SOURCES) | $(PROGRAMS)/faf deps
	$(SWIFT) build -c release --scratch-path .build/fafd --product fafd --static-swift-stdlib
	install -D .build/fafd/release/fafd $@

$(PROGRAMS)/faf-shim: $(SOURCES) | $(PROGRAMS)/fafd deps
	$(SWIFT) build -c release --scratch-path .build/faf-shim --product faf-shim
	install -D .build/faf-shim/release/faf-shim $@

test: deps-test
	SWIFT="$(SWIFT)" $(PYTHON) Tests/run

test-vm: all deps-vm
	$(PYTHON) Tests/vm/run $(CASE)

vm-shell: all deps-vm
	$(PYTHON) Tests/vm/run --shell

bench: all deps-bench
	$(PYTHON) contrib/bench/run.py

bench-quick: all deps-bench
	$(PYTHON) contrib/bench/run.py --quick

bench-micro: deps
	@contrib/deps.sh bench-micro
	SWIFT="$(SWIFT)" $(PYTHON) $(MICRO)/run.py

demo: deps
	SWIFT="$(SWIFT)" contrib/demo.sh

# Nothing is built here, so that root runs nothing but install(1). Completions come from faf itself.
install: install-systemd
	@test -x $(PROGRAMS)/faf -a -x $(PROGRAMS)/fafd -a -x $(PROGRAMS)/faf-shim || \
		{ echo "make install: the programs are not built yet; type make first" >&2; exit 1; }
	install -D -s -m 755 $(PROGRAMS)/faf $(TARGET)/bin/faf
	install -D -s -m 755 $(PROGRAMS)/fafd $(TARGET)/sbin/fafd
	install -D -s -m 755 $(PROGRAMS)/faf-shim $(TARGET)/libexec/faf/faf-shim
	install -d $(TARGET)/share/faf/units/scripts $(TARGET)/share/doc/faf
	for unit in units/*.task; do \
		sed 's|/usr/local/share/faf/|$(PREFIX)/share/faf/|' "$$unit" >$(TARGET)/share/faf/"$$unit" && \
		chmod 644 $(TARGET)/share/faf/"$$unit" || exit 1; done
	install -m 755 units/scripts/* $(TARGET)/share/faf/units/scripts
	install -m 644 README.md CHANGELOG.md LICENSE $(TARGET)/share/doc/faf
	install -D -m 755 contrib/deploy-hook.sh $(TARGET)/share/faf/deploy-hook.sh
	for file in README.md capistrano-faf.gemspec lib/capistrano/faf.rb lib/capistrano/tasks/faf.rake; do \
		install -D -m 644 contrib/capistrano/$$file $(TARGET)/share/faf/capistrano/$$file || exit 1; done
	install -D -m 644 contrib/systemd/faf.catalog $(TARGET)/lib/systemd/catalog/faf.catalog
	for page in contrib/man/*.[1-8]; do \
		install -D -m 644 "$$page" "$(TARGET)/share/man/man$${page##*.}/$${page##*/}" || exit 1; done
	install -d $(TARGET)/share/bash-completion/completions $(TARGET)/share/zsh/site-functions \
		$(TARGET)/share/fish/vendor_completions.d
	$(PROGRAMS)/faf --generate-completion-script bash >$(TARGET)/share/bash-completion/completions/faf
	$(PROGRAMS)/faf --generate-completion-script zsh >$(TARGET)/share/zsh/site-functions/_faf
	$(PROGRAMS)/faf --generate-completion-script fish >$(TARGET)/share/fish/vendor_completions.d/faf.fish

install-systemd:
	install -d $(DESTDIR)$(SYSTEMDDIR) $(DESTDIR)$(SYSTEMDUSERDIR) $(DESTDIR)$(TMPFILESDIR)
	cd contrib/systemd && for unit in system/* user/*; do \
		case $$unit in system/*) place=$(DESTDIR)$(SYSTEMDDIR);; *) place=$(DESTDIR)$(SYSTEMDUSERDIR);; esac; \
		file=$$place/$${unit##*/}; rm -f "$$file" && \
		sed -E 's:=/usr/(sbin|libexec)/:=$(PREFIX)/\1/:' "$$unit" >"$$file" && chmod 644 "$$file" || exit 1; done
	install -m 644 contrib/systemd/tmpfiles.conf $(DESTDIR)$(TMPFILESDIR)/faf.conf

lint: man-lint
	$(SWIFT) format lint --strict --parallel --recursive $(FORMATTED)

man-lint:
	@for page in contrib/man/*.[1-8]; do \
		warnings=$$(man --warnings=w -E UTF-8 -l -Tutf8 -Z "$$page" 2>&1 >/dev/null); \
		if test -n "$$warnings"; then echo "$$page: $$warnings" >&2; exit 1; fi; done

format:
	$(SWIFT) format --in-place --parallel --recursive $(FORMATTED)

manual:
	FAF_WRITE_MANUAL=1 $(SWIFT) test --filter ManualTests

clean:
	rm -rf .build $(MICRO)/.build

deps:
	@SWIFT="$(SWIFT)" contrib/deps.sh build

deps-test:
	@SWIFT="$(SWIFT)" contrib/deps.sh build test

deps-vm: deps
	@SWIFT="$(SWIFT)" contrib/deps.sh vm

deps-bench: deps
	@contrib/deps.sh bench
