"""How long a test waits for what must come. It is a bound for what hangs and says nothing about how fast anything is: a
test passes on a machine that is busy with something else. What measures time is a benchmark."""

PATIENCE_SECONDS = 300
