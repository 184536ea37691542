# What a developer types. CI runs the same: see .ci/run.
.PHONY: build test check demo

# The binary, in target/release/gleaner.
build:
	cargo build --release --locked

# Everything, on a private PostgreSQL and RabbitMQ that are installed if they
# are missing (Debian), started on free ports, and stopped afterwards.
test:
	scripts/servers with cargo test --locked --no-fail-fast

# Format, lints, documentation: what must hold before a change is merged.
check:
	scripts/check

# A bundled group chat through the whole pipeline; needs no server.
demo:
	cargo run --release --locked -- demo
