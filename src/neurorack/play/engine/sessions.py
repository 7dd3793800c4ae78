"""ONNX Runtime sessions as the player wants them: one thread, no spinning, denormals off where asked."""

import onnxruntime as ort

from neurorack.core.errors import NeurorackError

PROVIDERS = ["CPUExecutionProvider"]

_flush = False


def flush_denormals_to_zero() -> None:
    """Have numbers below 1e-38, which some processors handle slowly, count as zero in this process.

    Call before the first session is made, from the thread that starts the audio thread: ONNX Runtime sets the
    processor's mode once, in that thread, and threads started from it inherit the mode. Everything in those
    threads computes that way afterwards, so this is for a process of the player's own, not for a library.
    """
    global _flush
    _flush = True


def session_options() -> ort.SessionOptions:
    """One intra-op and one inter-op thread, sequential, all graph optimisations, no log chatter.

    One thread because an audio callback must not wait for others to be scheduled; at 128 samples a thread
    pool's hand-over costs more than the work it would share.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    options.add_session_config_entry("session.set_denormal_as_zero", "1" if _flush else "0")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def make_session(model: bytes, name: str) -> ort.InferenceSession:
    """Session of the serialised graph `model`; `name` is for the error message.

    Raises NeurorackError if ONNX Runtime refuses the graph.
    """
    try:
        return ort.InferenceSession(model, session_options(), providers=PROVIDERS)
    except Exception as error:
        detail = str(error).splitlines()[0][:200]
        raise NeurorackError(
            f"The graph {name} does not load in ONNX Runtime {ort.__version__} ({detail}): "
            "export the instrument again or upgrade onnxruntime."
        ) from error
