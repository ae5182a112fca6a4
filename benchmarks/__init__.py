"""Programs that measure the runtime beside its rivals, both sides in one run."""
