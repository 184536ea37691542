# What a developer types. CI runs the same: see .ci/run.
.PHONY: build test check demo bench

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

# Messages a second beside what the servers alone can do, in one run, with fsync on.
bench:
	GLEANER_TEST_FSYNC=on scripts/servers with cargo bench --locked --bench throughput
