# The README's two commands need nothing but Go; `make test` brings the clients that
# the integration tests type with: the aws CLI, boto3, rclone, s3cmd and restic, from
# Debian's packages.

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT  := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get

.PHONY: build test unit tools bench check race fuzz lint golden

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$$(git describe --always --dirty 2>/dev/null || echo dev)" -o bin/twinbucket ./cmd/twinbucket

test: tools
	go test -timeout 20m ./...

unit:
	go test -short $$(go list ./... | grep -v /integration)

# A missing client must fail the tests, not skip them.
tools:
	@command -v aws >/dev/null || { $(APT) update -qq && $(APT) install -y -qq awscli >/dev/null; }
	@python3 -c 'import boto3' 2>/dev/null || { $(APT) update -qq && $(APT) install -y -qq python3-boto3 >/dev/null; }
	@command -v rclone >/dev/null && command -v s3cmd >/dev/null && command -v restic >/dev/null || { $(APT) update -qq && $(APT) install -y -qq rclone s3cmd restic >/dev/null; }
	@aws --version

race:
	go test -race -short -timeout 20m $$(go list ./... | grep -v /integration)

# Every fuzz target for a moment: enough to catch what the last change broke.
FUZZTIME ?= 5s
fuzz:
	@set -e; for p in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "fuzz $$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p >/tmp/twinbucket-fuzz.log 2>&1 || { cat /tmp/twinbucket-fuzz.log; exit 1; }; \
	  done; done

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.6.1
lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

# benchstat compares two runs of this.
bench:
	go test -run '^$$' -bench . -benchmem -timeout 30m ./server ./iamsim/policy ./iamsim ./store ./s3api ./kmsapi

# Rewrites golden files and the README's table; read the diff.
golden:
	go test ./server ./s3api ./iamsim ./kmsapi -update
