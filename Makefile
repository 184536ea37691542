# What a developer types. CI runs the same: see .ci/run.
.PHONY: build test check demo bench weights eval outcomes fuzz

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

# Messages a second beside what the servers alone can do, what limits cost, how long a group waits, what
# chats cost, and figures at ten million rows; with fsync on. Each alone: `make bench BENCHES=latency`.
BENCHES = throughput limits latency chats figures
bench:
	GLEANER_TEST_FSYNC=on scripts/servers with cargo bench --locked $(addprefix --bench ,$(BENCHES))

# What detection was learnt from: everything labelled but data/heldout.
LEARNT = data/intents.jsonl data/chats/*.jsonl data/train/*.jsonl

# The weights of detection anew. The same files give the same bytes.
weights:
	cargo run --release --locked -- train $(LEARNT) --out config/detect.weights

# How often detection is right: as shipped on what nobody looked at, by turns on the shared data, and by rules alone.
eval:
	cargo run --release --locked -- eval data/heldout/singles.jsonl
	cargo run --release --locked -- eval data/heldout/chat_*.jsonl
	cargo run --release --locked -- eval data/intents.jsonl data/chats/*.jsonl --with data/train/*.jsonl
	cargo run --release --locked -- eval --rules-only data/heldout/singles.jsonl

# What comes of whole chats, run offline, beside what truly came of them; data/heldout/ has others, which miss floors.
outcomes:
	cargo run --release --locked -- eval --outcomes data/chats/*.jsonl

# A million texts that no reader may trip over.
fuzz:
	PROPTEST_CASES=500000 cargo test --release --locked --lib detect::fuzz
