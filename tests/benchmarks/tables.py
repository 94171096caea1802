"""The tables that the benchmarks print, read back."""

# program -> its sections of benchmarks/RESULTS.md.
SECTIONS = {
    "affectnet_build": "affectnet_build",
    "device": "device",
    "fer2013_build": "fer2013_build",
    "frozen_phase": "frozen_phase",
    "growth": "growth streamed",
    "head_trial": "head_trial",
    "input_pipeline": "input_training input_evaluation",
    "training_step": "training_step input_wait",
}


def cells(table):
    return [line.strip("| ").split(" | ") for line in table.splitlines()]
