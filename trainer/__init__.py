"""Training: prepared records -> batches -> model -> a finished run folder."""
